import { isDeepStrictEqual } from "node:util";
import { SetError } from "../errors.ts";
import { pointerTokens } from "../references.ts";
import type { JmapObject, Property } from "./type.ts";

type FindProperty = (name: string) => Property | undefined;

/** More levels than any object has. */
const maxDepth = 20;

/** The top-level properties that a patch names. */
export function patchedProperties(patch: JmapObject): string[] {
  return [...new Set(Object.keys(patch).map((key) => pointerTokens(`/${key}`)?.[0] ?? key))];
}

/** RFC 8620 §5.3: applies a PatchObject to a copy of `before`. Throws SetError("invalidPatch"). */
export function applyPatch(before: JmapObject, patch: JmapObject, find: FindProperty): JmapObject {
  const paths = Object.entries(patch).map(([key, value]) => ({ key, value, tokens: tokensOf(key) }));
  refuseOverlaps(paths.map(({ key }) => key));
  const after = { ...before };
  const copied = new Set<string>();
  for (const { key, value, tokens } of paths) {
    const [name, ...inner] = tokens as [string, ...string[]];
    const property = find(name);
    if (inner.length === 0) {
      if (!property) continue; // The caller refuses it.
      define(after, name, value === null ? defaultOf(property) : value);
      continue;
    }
    if (!copied.has(name)) {
      if (Object.hasOwn(after, name)) after[name] = structuredClone(after[name]);
      copied.add(name);
    }
    const parent = descend(after, tokens.slice(0, -1), key);
    const last = property?.isCaseless ? inner.at(-1)!.toLowerCase() : inner.at(-1)!;
    if (value === null || (value === false && property?.isSet && inner.length === 1)) delete parent[last];
    else define(parent, last, value);
  }
  return after;
}

function tokensOf(key: string): string[] {
  const tokens = pointerTokens(`/${key}`);
  if (!tokens) throw new SetError("invalidPatch", `"${key}" is not a JSON pointer`);
  if (tokens.length > maxDepth) throw new SetError("invalidPatch", `a pointer has more than ${maxDepth} steps`);
  return tokens;
}

/** No pointer may be a prefix of another. */
function refuseOverlaps(keys: string[]): void {
  const all = new Set(keys);
  for (const key of keys) {
    for (let end = key.lastIndexOf("/"); end >= 0; end = key.lastIndexOf("/", end - 1)) {
      if (all.has(key.slice(0, end))) throw new SetError("invalidPatch", `"${key.slice(0, end)}" and "${key}" overlap`);
      if (end === 0) break;
    }
  }
}

function defaultOf(property: Property): unknown {
  return property.default === undefined ? null : structuredClone(property.default);
}

function descend(from: JmapObject, tokens: string[], key: string): JmapObject {
  let value: unknown = from;
  for (const token of tokens) {
    value = Object.hasOwn(value as object, token) ? (value as JmapObject)[token] : undefined;
    if (Array.isArray(value)) throw new SetError("invalidPatch", `"${key}" points into an array`);
    if (typeof value !== "object" || value === null) throw new SetError("invalidPatch", `"${key}" has no parent`);
  }
  return value as JmapObject;
}

/** Plain assignment would call the setter of "__proto__". */
function define(target: JmapObject, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Those of `names` whose values differ. */
export function differences(before: JmapObject, after: JmapObject, names: Iterable<string>): Set<string> {
  return new Set([...names].filter((name) => !isDeepStrictEqual(before[name], after[name])));
}
