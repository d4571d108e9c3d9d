import fc from "fast-check";
import { expect, test } from "vitest";
import { oddText, tries } from "../../../test/support/fuzz.ts";
import { decodeState, encodeState, type State } from "./state.ts";

const number = fc.nat(10 ** 15 - 1);
const state = fc
  .tuple(fc.nat(999_999_999), number, fc.option(number, { nil: undefined }))
  .map(([epoch, modseq, id]): State => (id === undefined ? { epoch, modseq } : { epoch, modseq, id }));

test("a state decodes from its text, and different states have different texts", () => {
  fc.assert(
    fc.property(state, state, (one, other) => {
      expect(decodeState(encodeState(one))).toEqual(one);
      expect(encodeState(one) === encodeState(other)).toBe(
        one.epoch === other.epoch && one.modseq === other.modseq && one.id === other.id,
      );
    }),
  );
});

test("any other text is refused: each state has exactly one text", () => {
  const spoiled = fc.tuple(state, fc.nat(12), oddText).map(([one, at, odd]) => {
    const text = encodeState(one);
    return text.slice(0, at) + odd.slice(0, 3) + text.slice(at + 1);
  });
  const digits = fc.string({ unit: fc.constantFrom("0", "1", "9", "-", " ", "."), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), oddText, digits, spoiled), (text) => {
      const decoded = decodeState(text);
      if (decoded) expect(encodeState(decoded)).toBe(text);
    }),
    tries(1000),
  );
  for (const text of ["", "1", "1-", "-1-1", "1-1-", "1-1-1-1", "01-1", "1-01", "1-1-00", "1-1\n", "1-1e3", "１-1"]) {
    expect(decodeState(text)).toBeUndefined();
  }
});
