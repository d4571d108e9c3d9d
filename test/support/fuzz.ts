import fc, { type Arbitrary } from "fast-check";
import { scaled } from "./scale.ts";

const { POSTHORN_FUZZ_CASES, POSTHORN_FUZZ_SEED } = process.env;

/** The number of cases for each property, unless POSTHORN_FUZZ_CASES sets it; POSTHORN_FUZZ_SEED changes the cases. */
export function tries(usual: number, nightly = 20 * usual): { numRuns: number; seed: number } {
  return { numRuns: Number(POSTHORN_FUZZ_CASES ?? scaled(usual, nightly)), seed: Number(POSTHORN_FUZZ_SEED ?? 1) };
}

/** The timeout of a test with this many cases, each of at most this many ms. */
export function timeFor(usual: number, each: number): number {
  return 60_000 + tries(usual).numRuns * each;
}

/** Strings that parsers and databases trip over. */
export const oddText = fc.constantFrom(
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\\ud800",
  "\ufffd\ufffe\uffff",
  "\u{1f600}",
  "\u202e",
  "__proto__",
  "constructor",
  "toString",
  "#",
  "#a",
  "#__proto__",
  "*",
  "/",
  "~",
  "a/b",
  "null",
  "-1",
  "1e999",
  "1-1",
  "1-3-2",
  "999999999-999999999999999",
  "99999-99-99T99:99:99Z",
  "0000-01-01T00:00:00Z",
  "9999-12-31T23:59:60Z",
  "m1",
  "e1",
  "t1",
  "i1",
  "s1",
  "'; --",
  "$1",
  "%00",
  "\r\nX: y",
  "a@b",
  "é".repeat(300),
  "x".repeat(10_000),
);

/** NUL, which nothing may contain, and keys with a meaning of their own. */
const worst = fc.constantFrom("\u0000", "a\u0000b", "__proto__", "");
const oddNumber = fc.constantFrom(-1, 0, 1, 0.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e21, 1e308, -0);

/** Values to put in place of another. */
export const oddLeaf: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, [], {}),
  oddText,
  worst,
  oddNumber,
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.integer(),
);

export const oddKey: Arbitrary<string> = fc.oneof(worst, oddText, fc.string({ maxLength: 4 }));

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Holder = Json[] | { [name: string]: Json };

/** A place in a value: an object and a key. "" in { "": value } is the value itself. */
interface Place {
  holder: Holder;
  key: string;
}

function places(root: Holder): Place[] {
  const found: Place[] = [];
  const visit = (holder: Holder): void => {
    for (const [key, value] of Object.entries(holder)) {
      found.push({ holder, key });
      if (typeof value === "object" && value !== null) visit(value);
    }
  };
  visit(root);
  return found;
}

const read = ({ holder, key }: Place): Json => (holder as Record<string, Json>)[key]!;

/** Sets also a key such as __proto__, which an assignment would treat differently. */
function write({ holder, key }: Place, value: Json): void {
  Object.defineProperty(holder, key, { value, configurable: true, enumerable: true, writable: true });
}

function remove({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

const copyOf = (value: Json): Json => structuredClone(value);

/** What a change is given: its place, another place, a value to put there, and an amount (0 to 1). */
interface Spot {
  root: Holder;
  place: Place;
  other: Place;
  value: Json;
  key: string;
  share: number;
}

const isHolder = (value: Json): value is Holder => typeof value === "object" && value !== null;

const changes: Record<string, (spot: Spot) => void> = {
  replace: ({ place, value }) => write(place, value),

  drop: ({ place }) => remove(place),

  repeat({ place, key }) {
    if (Array.isArray(place.holder)) place.holder.push(copyOf(read(place)));
    else write({ holder: place.holder, key }, copyOf(read(place)));
  },

  deepen({ place, key, share }) {
    let deep = copyOf(read(place));
    for (let depth = Math.floor(share * 60); depth >= 0; depth--) deep = depth % 2 ? [deep] : { [key || "a"]: deep };
    write(place, deep);
  },

  rename({ place, key }) {
    if (Array.isArray(place.holder)) return;
    const value = read(place);
    remove(place);
    write({ holder: place.holder, key }, value);
  },

  exchange({ root, place, other }) {
    const [one, two] = [copyOf(read(place)), copyOf(read(other))];
    write(place, two);
    // The other place may have been inside of it.
    if (places(root).some(({ holder }) => holder === other.holder)) write(other, one);
  },

  add({ place, key, value }) {
    const old = read(place);
    if (Array.isArray(old)) old.push(value);
    else if (isHolder(old)) write({ holder: old, key }, value);
  },

  twist({ place, value, share }) {
    const old = read(place);
    const text = typeof old === "string" ? old : JSON.stringify(old);
    const at = Math.floor(share * text.length);
    if (typeof old === "number") write(place, share < 0.5 ? -old : old * 2 ** Math.floor(share * 60));
    else write(place, typeof old === "string" ? text.slice(0, at) + JSON.stringify(value) + text.slice(at) : text);
  },

  refer({ place, key }) {
    if (Array.isArray(place.holder)) return;
    remove(place);
    write({ holder: place.holder, key: `#${place.key}` }, { resultOf: "0", name: "Core/echo", path: key });
  },

  multiply({ place }) {
    const old = read(place);
    if (!isHolder(old)) return;
    const [first = null] = Object.values(old) as Json[];
    const copies = Array.from({ length: 1_100 }, () => copyOf(first));
    write(place, Array.isArray(old) ? copies : Object.fromEntries(copies.map((copy, n) => [`k${n}`, copy])));
  },
};

/** Evenly distributed: fast-check's default prefers the ends, and would rarely spoil anything but the whole value. */
const share = fc.noBias(fc.nat(9_999)).map((value) => value / 10_000);
const change = fc.record({
  // These find most of the faults.
  kind: fc.constantFrom(...Object.keys(changes), "replace", "replace", "replace", "twist", "rename"),
  at: share,
  from: share,
  value: oddLeaf,
  key: oddKey,
});

/** Turns a valid value into one that is wrong in one to three places, and that JSON can carry. */
export const spoiler: Arbitrary<(good: unknown) => Json> = fc
  .array(change, { minLength: 1, maxLength: 3 })
  .map((list) => {
    const spoil = (good: unknown): Json => {
      const root: Holder = { "": structuredClone(good) as Json };
      for (const { kind, at, from, value, key } of list) {
        const all = places(root);
        const [place, other] = [all[Math.floor(at * all.length)], all[Math.floor(from * all.length)]];
        if (place && other) changes[kind]!({ root, place, other, value: value as Json, key, share: from });
      }
      return JSON.parse(JSON.stringify(root[""] ?? null)) as Json;
    };
    return Object.assign(spoil, { [fc.toStringMethod]: () => JSON.stringify(list) });
  });
