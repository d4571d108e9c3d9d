import fc from "fast-check";
import { expect, test } from "vitest";
import { tries } from "../../test/support/fuzz.ts";
import { parseHeader, readHeader } from "./field.ts";
import { type FieldPlace, scanHeader, valueAt } from "./scan.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const named = (text: string, options = {}) => {
  const found: string[] = [];
  const end = scanHeader(bytes(text), ({ name }) => found.push(name), options);
  return [...found, end];
};

test.each([
  ["A: b\r\nC: d\r\n\r\nE: f", ["A", "C", 12]],
  ["A: b\nC: d\n\nE: f", ["A", "C", 10]],
  ["A: b\r\n c\r\n\td\r\nE:f", ["A", "E", 17]],
  ["\xef\xbb\xbfA: b\r\n", ["A", 9]],
  ["A: b\r\n\xef\xbb\xbfC: d\r\n", ["A", "C", 15]],
  ["From x\r\nA: b\r\n", ["A", 14]],
  [">From x\r\nA: b\r\n", ["A", 15]],
  ["A: b\r\njunk\r\n of two lines\r\nC: d\r\n", ["A", "C", 33]],
  ["A: b\r\n: c\r\nX-\xe4: y\r\nC: d\r\n", ["A", "C", 25]],
  ["A \t: b\r\n", ["A", 8]],
  ["A\0B: c\r\n\0D\0 \0: e\r\n", ["AB", "D", 18]],
  ["A: b\r\n\0 c\r\n\0\r\nD: e\r\n", ["A", "D", 20]],
  [`${"x".repeat(5_000)}: y\r\n`, ["x".repeat(5_000), 5_005]],
  ["A: b\rC: d\r\r\n\r\n", ["A", 12]],
  ["A\r\n : b\r\nC: d\r\n", [0]],
  ["junk\r\nA: b\r\n", [0]],
  [" A: b\r\nC: d\r\n", [0]],
  ["", [0]],
])("the fields of %j", (text, expected) => {
  expect(named(text)).toEqual(expected);
});

test("with other fields in front, a first line that is none is skipped", () => {
  expect(named("junk\r\nA: b\r\n", { isContinued: true })).toEqual(["A", 12]);
  expect(named(" A: b\r\nC: d\r\n", { isContinued: true })).toEqual(["C", 13]);
});

test("a message is read as it will be behind other fields, whatever its bytes", () => {
  const piece = fc.constantFrom(
    ...["A", "From", ":", " ", "\t", "\r\n", "\n", "\r", "\0", "\xef\xbb\xbf", "\xe4", "From ", "\r\n ", "\r\n\0 "],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const message = bytes(pieces.join(""));
      const stored = Buffer.concat([Buffer.from("Received: x\r\n"), message]);
      const { fields, end } = readHeader(message, undefined, { isContinued: true });
      expect(fields).toEqual(parseHeader(stored).slice(1));
      expect(end).toBe(scanHeader(stored, () => {}) - 13);
      // Each field alone is that field again.
      const places: FieldPlace[] = [];
      scanHeader(stored, (place) => places.push(place));
      for (const place of places) {
        const alone = parseHeader(stored.subarray(place.start, place.end));
        expect(alone).toEqual([{ name: place.name, value: valueAt(stored, place) }]);
      }
    }),
    tries(1_000),
  );
});
