import { isDeepStrictEqual } from "node:util";
import type { Invocation, Json, SetError } from "../client/types.ts";

/** The server violates the tested sentence. */
export class Unmet extends Error {
  override name = "Unmet";
}

/** The test does not apply to this server. */
export class Skipped extends Error {
  override name = "Skipped";
}

/** A value for a message: JSON, shortened if it is long. */
export function show(value: unknown, length = 400): string {
  const text = value instanceof Error ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

export function fail(message: string): never {
  throw new Unmet(message);
}

export function ok(condition: unknown, what: string): asserts condition {
  if (!condition) fail(what);
}

/** Deep equality; the order of properties does not count, the order of arrays does. */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) fail(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

/** Like `same` for scalars, and narrows the type. */
export function equal<T>(actual: unknown, expected: T, what: string): asserts actual is T {
  if (!Object.is(actual, expected)) fail(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

export function differs(actual: unknown, other: unknown, what: string): void {
  if (isDeepStrictEqual(actual, other)) fail(`${what}: expected anything but ${show(other)}`);
}

export function oneOf<T>(actual: unknown, allowed: readonly T[], what: string): asserts actual is T {
  if (!allowed.some((one) => isDeepStrictEqual(one, actual)))
    fail(
      `${what}: expected ${allowed.length === 1 ? show(allowed[0]) : `one of ${show(allowed)}`}, got ${show(actual)}`,
    );
}

/** The same members, in any order. */
export function sameMembers(actual: unknown, expected: readonly unknown[], what: string): void {
  ok(Array.isArray(actual), `${what}: expected an array, got ${show(actual)}`);
  const sorted = (list: readonly unknown[]): string[] => list.map((one) => JSON.stringify(one)).sort();
  if (!isDeepStrictEqual(sorted(actual), sorted(expected)))
    fail(`${what}: expected in any order ${show(expected)}, got ${show(actual)}`);
}

/** Each property of `shape` is in `actual`, at any depth; arrays must have the same length. */
export function matches(actual: unknown, shape: unknown, what: string): void {
  const where = unmatched(actual, shape, "");
  if (where !== undefined) fail(`${what}${where}; expected ${show(shape)}, got ${show(actual)}`);
}

function unmatched(actual: unknown, shape: unknown, path: string): string | undefined {
  if (shape instanceof RegExp)
    return typeof actual === "string" && shape.test(actual) ? undefined : `${path} does not match ${shape}`;
  if (typeof shape !== "object" || shape === null)
    return Object.is(actual, shape) ? undefined : `${path} is ${show(actual, 80)}`;
  if (typeof actual !== "object" || actual === null) return `${path} is ${show(actual, 80)}`;
  if (Array.isArray(shape)) {
    if (!Array.isArray(actual)) return `${path} is no array`;
    if (actual.length !== shape.length) return `${path} has ${actual.length} items`;
  }
  for (const [key, value] of Object.entries(shape)) {
    const found = unmatched((actual as Json)[key], value, `${path}/${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function includes(actual: unknown, member: unknown, what: string): void {
  ok(Array.isArray(actual), `${what}: expected an array, got ${show(actual)}`);
  if (!actual.some((one) => isDeepStrictEqual(one, member)))
    fail(`${what}: ${show(member)} is missing in ${show(actual)}`);
}

export function excludes(actual: unknown, member: unknown, what: string): void {
  ok(Array.isArray(actual), `${what}: expected an array, got ${show(actual)}`);
  if (actual.some((one) => isDeepStrictEqual(one, member)))
    fail(`${what}: ${show(member)} must not stand in ${show(actual)}`);
}

export function isString(value: unknown, what: string): asserts value is string {
  ok(typeof value === "string", `${what}: expected a string, got ${show(value)}`);
}

export function isObject(value: unknown, what: string): asserts value is Json {
  const object = typeof value === "object" && value !== null && !Array.isArray(value);
  ok(object, `${what}: expected an object, got ${show(value)}`);
}

export function isArray(value: unknown, what: string): asserts value is unknown[] {
  ok(Array.isArray(value), `${what}: expected an array, got ${show(value)}`);
}

/** RFC 8620 §1.3. */
export function isUnsignedInt(value: unknown, what: string): asserts value is number {
  ok(Number.isSafeInteger(value) && (value as number) >= 0, `${what}: expected an UnsignedInt, got ${show(value)}`);
}

/** RFC 8620 §1.2. */
export function isId(value: unknown, what: string): asserts value is string {
  ok(typeof value === "string" && /^[A-Za-z0-9_-]{1,255}$/.test(value), `${what}: expected an Id, got ${show(value)}`);
}

/** `response` is an entry of `methodResponses`. Returns the error's arguments. */
export function methodError(response: Invocation | undefined, type: string | readonly string[]): Json {
  ok(response, "no response");
  ok(response[0] === "error", `expected the error ${show(type)}, got ${show(response)}`);
  oneOf(response[1].type, typeof type === "string" ? [type] : type, "type of the method-level error");
  return response[1];
}

/**
 * `failures` is notCreated, notUpdated or notDestroyed. The SetError of `id` must have the type, or one of several; with
 * `properties`, it must name just these.
 */
export function setError(
  failures: Record<string, SetError> | null | undefined,
  id: string,
  type: string | readonly string[],
  properties?: readonly string[],
): SetError {
  const error = failures?.[id];
  ok(error, `expected a SetError ${show(type)} for ${id}, got ${show(failures)}`);
  oneOf(error.type, typeof type === "string" ? [type] : type, `type of the SetError of ${id} ${show(error)}`);
  if (properties) sameMembers(error.properties, properties, `properties of the SetError of ${id}`);
  return error;
}
