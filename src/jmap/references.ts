import { MethodError } from "./errors.ts";

/** A call or a response: name, arguments, call id (RFC 8620 §3.2). */
export type Invocation = [name: string, args: Record<string, unknown>, callId: string];

/** How many characters the request may still refer to: a reference to data that itself came from references doubles it. */
export interface Budget {
  left: number;
}

/** RFC 8620 §3.7: replaces each "#name" argument by the value it points to in an earlier response. */
export function resolveReferences(
  args: Record<string, unknown>,
  responses: readonly Invocation[],
  budget: Budget,
): Record<string, unknown> {
  if (!Object.keys(args).some((name) => name.startsWith("#"))) return args;
  // A map, since a name may be "__proto__".
  const resolved = new Map<string, unknown>();
  for (const [name, value] of Object.entries(args)) {
    if (!name.startsWith("#")) {
      resolved.set(name, value);
      continue;
    }
    const target = name.slice(1);
    if (Object.hasOwn(args, target)) {
      throw new MethodError("invalidArguments", `"${target}" is given both as a value and as a reference`);
    }
    const found = resolveReference(name, value, responses);
    spend(budget, found);
    resolved.set(target, found);
  }
  return Object.fromEntries(resolved);
}

function spend(budget: Budget, value: unknown): void {
  budget.left -= typeof value === "string" ? value.length + 2 : 2;
  if (budget.left < 0)
    throw new MethodError("requestTooLarge", "the references of this request point to too much data");
  if (Array.isArray(value)) for (const item of value) spend(budget, item);
  else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      spend(budget, name);
      spend(budget, inner);
    }
  }
}

function resolveReference(name: string, reference: unknown, responses: readonly Invocation[]): unknown {
  const fail = (why: string) => new MethodError("invalidResultReference", `${name}: ${why}`);
  const { resultOf, name: responseName, path } = (reference ?? {}) as Record<string, unknown>;
  if (typeof resultOf !== "string" || typeof responseName !== "string" || typeof path !== "string") {
    throw fail("a reference must have resultOf, name and path");
  }
  const response = responses.find(([, , callId]) => callId === resultOf);
  if (!response) throw fail(`no earlier call "${resultOf}"`);
  if (response[0] !== responseName) throw fail(`"${resultOf}" answered with ${response[0]}`);
  const tokens = pointerTokens(path);
  if (!tokens) throw fail(`"${path}" is not a JSON pointer`);
  const value = evaluate(response[1], tokens, 0);
  if (value === undefined) throw fail(`"${path}" points to nothing`);
  return value;
}

/** The unescaped tokens of a JSON pointer (RFC 6901); undefined for any other text. */
export function pointerTokens(pointer: string): string[] | undefined {
  if (pointer === "") return [];
  if (!pointer.startsWith("/") || /~(?![01])/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function evaluate(value: unknown, tokens: string[], from: number): unknown {
  if (from === tokens.length) return value;
  const token = tokens[from]!;
  if (Array.isArray(value)) {
    if (token === "*") return evaluateEach(value, tokens, from + 1);
    return /^(0|[1-9]\d*)$/.test(token) ? evaluate(value[Number(token)], tokens, from + 1) : undefined;
  }
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, token)) return undefined;
  return evaluate((value as Record<string, unknown>)[token], tokens, from + 1);
}

function evaluateEach(items: unknown[], tokens: string[], from: number): unknown[] | undefined {
  const results: unknown[] = [];
  for (const item of items) {
    const result = evaluate(item, tokens, from);
    if (result === undefined) return undefined;
    if (Array.isArray(result)) for (const part of result) results.push(part);
    else results.push(result);
  }
  return results;
}
