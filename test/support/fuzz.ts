import fc, { type Arbitrary } from "fast-check";

const { POSTHORN_FUZZ_CASES, POSTHORN_FUZZ_SEED } = process.env;

/** How a property is tried: POSTHORN_FUZZ_CASES tries each so often, POSTHORN_FUZZ_SEED tries others. */
export function tries(usual: number): { numRuns: number; seed: number } {
  return { numRuns: Number(POSTHORN_FUZZ_CASES ?? usual), seed: Number(POSTHORN_FUZZ_SEED ?? 1) };
}

/** For a test of so many tries, each of so many ms at most. */
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

const oddNumber = fc.constantFrom(-1, 0, 1, 0.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e21, 1e308, -0);

/** What stands where something else should. */
export const oddLeaf: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, [], {}),
  oddText,
  oddNumber,
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.integer(),
);

export const oddKey: Arbitrary<string> = fc.oneof(oddText, fc.string({ maxLength: 4 }));

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Holder = Json[] | { [name: string]: Json };

/** Somewhere in a value, by its key; "" in { "": value } is the value itself. */
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

/** Also for a key such as __proto__, that an assignment would take for another. */
function write({ holder, key }: Place, value: Json): void {
  Object.defineProperty(holder, key, { value, configurable: true, enumerable: true, writable: true });
}

function remove({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

const copyOf = (value: Json): Json => structuredClone(value);

interface Change {
  kind: "replace" | "drop" | "repeat" | "deepen" | "rename" | "exchange" | "add" | "twist" | "refer" | "multiply";
  /** Which places, as a share of all. */
  at: number;
  from: number;
  value: unknown;
  key: string;
}

const change: Arbitrary<Change> = fc.record({
  kind: fc.constantFrom<Change["kind"]>(
    ...(["replace", "replace", "replace", "drop", "repeat", "deepen", "rename"] as const),
    ...(["exchange", "add", "twist", "twist", "refer", "multiply"] as const),
  ),
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  from: fc.double({ min: 0, max: 0.999, noNaN: true }),
  value: oddLeaf,
  key: oddKey,
});

function apply(root: Holder, { kind, at, from, value, key }: Change): void {
  const all = places(root);
  const place = all[Math.floor(at * all.length)];
  const other = all[Math.floor(from * all.length)]!;
  if (!place) return;
  const old = read(place);
  const isHolder = typeof old === "object" && old !== null;
  switch (kind) {
    case "replace":
      return write(place, value as Json);
    case "drop":
      return remove(place);
    case "repeat":
      if (Array.isArray(place.holder)) place.holder.push(copyOf(old));
      else write({ holder: place.holder, key }, copyOf(old));
      return;
    case "deepen": {
      let deep = copyOf(old);
      for (let depth = Math.floor(from * 60); depth >= 0; depth--) deep = depth % 2 ? [deep] : { [key || "a"]: deep };
      return write(place, deep);
    }
    case "rename":
      remove(place);
      return write({ holder: place.holder, key: Array.isArray(place.holder) ? place.key : key }, old);
    case "exchange": {
      const [one, two] = [copyOf(old), copyOf(read(other))];
      write(place, two);
      // The other one may have stood inside of it.
      if (places(root).some(({ holder }) => holder === other.holder)) write(other, one);
      return;
    }
    case "add":
      if (Array.isArray(old)) old.push(value as Json);
      else if (isHolder) write({ holder: old, key }, value as Json);
      return;
    case "twist":
      if (typeof old === "number") return write(place, from < 0.5 ? -old : old * 2 ** Math.floor(from * 60));
      if (typeof old !== "string") return write(place, String(old));
      return write(
        place,
        old.slice(0, Math.floor(from * old.length)) + String(value) + old.slice(Math.floor(from * old.length)),
      );
    case "refer":
      if (Array.isArray(place.holder)) return;
      remove(place);
      return write({ holder: place.holder, key: `#${place.key}` }, { resultOf: "0", name: "Core/echo", path: key });
    case "multiply":
      if (Array.isArray(old))
        return write(
          place,
          Array.from({ length: 1_100 }, () => copyOf(old[0] ?? null)),
        );
      if (isHolder) {
        const [first = null] = Object.values(old);
        return write(place, Object.fromEntries(Array.from({ length: 1_100 }, (_, n) => [`k${n}`, copyOf(first)])));
      }
  }
}

/** Turns a good value into one that is bad in one to three places, as JSON would carry it. */
export const spoiler: Arbitrary<(good: unknown) => Json> = fc
  .array(change, { minLength: 1, maxLength: 3 })
  .map((changes) =>
    Object.assign(
      (good: unknown): Json => {
        const root: Holder = { "": structuredClone(good) as Json };
        for (const one of changes) apply(root, one);
        return JSON.parse(JSON.stringify(root[""] ?? null)) as Json;
      },
      { [fc.toStringMethod]: () => JSON.stringify(changes) },
    ),
  );
