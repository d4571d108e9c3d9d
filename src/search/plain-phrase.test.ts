import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Highlighter } from "./snippet.ts";
import type { SoughtWord } from "./words.ts";

const word = fc.constantFrom("a", "b", "ab", "a1", "ba");
const phrase: fc.Arbitrary<SoughtWord[]> = fc.array(fc.record({ word, open: fc.boolean() }), {
  minLength: 1,
  maxLength: 4,
});
const phrases = fc.array(phrase, { minLength: 1, maxLength: 3 });
const piece = fc.oneof(word, fc.constantFrom("A", "AB", "c", " ", " ", ".", "-", "\n", "<"));
const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""));

/** Makes a text not plain, so that every word is read. Belongs to no word itself. */
const sign = "€";

describe("plain text is marked as any other is", () => {
  test("whole", () => {
    fc.assert(
      fc.property(phrases, text, (phrases, text) => {
        const highlighter = new Highlighter(phrases);
        const found = highlighter.mark(text);
        expect(highlighter.mark(`${text} ${sign}`)).toBe(found === null ? null : `${found} ${sign}`);
      }),
      { numRuns: 2000 },
    );
  });

  test("in a preview", () => {
    const blank = " \n".repeat(300);
    const long = fc.array(fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: fc.constant(blank) }));
    fc.assert(
      fc.property(phrases, long, (phrases, texts) => {
        const highlighter = new Highlighter(phrases);
        const text = texts.join(" ") + " .".repeat(1000);
        expect(highlighter.preview(text + sign)).toBe(highlighter.preview(text));
      }),
      { numRuns: 1000 },
    );
  });
});
