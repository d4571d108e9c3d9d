import fc from "fast-check";
import { expect, test } from "vitest";
import { oddText, tries } from "../../test/support/fuzz.ts";
import { decodeId, encodeId } from "./ids.ts";

const prefix = fc.constantFrom("", "a", "m", "u", "q");
const number = fc.oneof(fc.nat(2000), fc.maxSafeNat(), fc.constantFrom(0, 31, 32, 33, 1023, 1024, 2 ** 50 - 1));
const made = fc.nat(2 ** 50 - 1).chain((id) => prefix.map((letter) => encodeId(letter, id)));

test("an id decodes to its number, up to ten digits", () => {
  fc.assert(
    fc.property(prefix, number, (letter, id) => {
      const text = encodeId(letter, id);
      expect(text.slice(letter.length)).toMatch(/^[0-9a-hjkmnp-tv-z]+$/);
      expect(decodeId(letter, text)).toBe(id < 2 ** 50 ? id : undefined);
    }),
  );
});

test("different numbers have different ids, and smaller numbers have shorter ones", () => {
  fc.assert(
    fc.property(number, number, (one, other) => {
      const [a, b] = [encodeId("m", one), encodeId("m", other)];
      expect(a === b).toBe(one === other);
      if (a.length < b.length) expect(one).toBeLessThan(other);
    }),
  );
});

test("any other text does not decode, so each number has one id only", () => {
  const spoiled = fc
    .tuple(made, fc.nat(12), oddText)
    .map(([id, at, odd]) => id.slice(0, at) + odd.slice(0, 3) + id.slice(at + 1));
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    oddText,
    made,
    spoiled,
    made.map((id) => `0${id}`),
  );
  fc.assert(
    fc.property(prefix, text, (letter, given) => {
      const id = decodeId(letter, given);
      if (id === undefined) return;
      expect(Number.isSafeInteger(id)).toBe(true);
      expect(encodeId(letter, id)).toBe(given);
    }),
    tries(1000),
  );
  for (const look of ["mI", "mO", "mL", "mU", "mi", "ml", "mo", "mu", "m", "m00", "m01", "M1", "m1 ", "m-1", "m1.0"]) {
    expect(decodeId("m", look)).toBeUndefined();
  }
});
