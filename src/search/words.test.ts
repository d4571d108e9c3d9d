import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tries } from "../../test/support/fuzz.ts";
import { languages } from "../../test/support/languages.ts";
import type { Language } from "../../test/support/languages-latin.ts";
import { searchPhrases } from "./search-query.ts";
import { Highlighter } from "./snippet.ts";
import { soughtWords, words } from "./words.ts";

/** Whether a text has the words that a token asks for, side by side. */
function finds(text: string, token: string): boolean {
  const [all, sought] = [words(text), soughtWords(token)];
  if (sought.length === 0) return false;
  return all.some((_, at) =>
    sought.every(({ word, open }, nth) => (open ? all[at + nth]?.startsWith(word) : all[at + nth] === word)),
  );
}

/** What a snippet marks of a text, piece by piece. */
function marked(text: string, token: string): string[] {
  const html = new Highlighter(searchPhrases(`"${token.replace(/["\\]/g, "\\$&")}"`)).mark(text) ?? "";
  return [...html.matchAll(/<mark>(.*?)<\/mark>/gs)].map(([, piece]) => piece!);
}

/** Words as split without knowledge of the index: at white space, without the punctuation around them. */
const wordsAsWritten = (text: string) =>
  text.split(/\s+/).flatMap((piece) => /[\p{L}\p{N}](.*[\p{L}\p{M}\p{N}\u200d])?/su.exec(piece)?.[0] ?? []);
const letters = new Intl.Collator("und", { sensitivity: "base", ignorePunctuation: true });

function partsOf(text: string, length: number, split: (run: string) => string[]): Set<string> {
  const runs = text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return new Set(
    runs.flatMap((run) => {
      const units = split(run);
      return units.slice(length - 1).map((_, at) => units.slice(at, at + length).join(""));
    }),
  );
}

const graphemes = new Intl.Segmenter("und");
const graphemesOf = (run: string) => [...graphemes.segment(run)].map(({ segment }) => segment);
const codePointsOf = (run: string) => [...run];

/** Where a part stands in a text, as overlapping or touching stretches are one. */
function stretches(text: string, part: string): string[] {
  const found: { start: number; end: number }[] = [];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
    const last = found.at(-1);
    if (last && at <= last.end) last.end = at + part.length;
    else found.push({ start: at, end: at + part.length });
  }
  return found.map(({ start, end }) => text.slice(start, end));
}

const spaced = languages.filter((language) => !language.unspaced);
const unspaced = languages.filter((language) => language.unspaced);
const titled = (list: Language[]) => list.map((language) => [language.name, language] as const);

test("there are many languages", () => {
  expect(new Set(languages.map(({ name }) => name)).size).toBeGreaterThan(65);
});

describe("languages with spaces", () => {
  test.each(titled(spaced))("%s: every word is found and marked, no part of a word is", (_, { text }) => {
    const written = wordsAsWritten(text);
    for (const word of written) {
      for (const form of [word, word.toUpperCase(), word.normalize("NFD"), word.normalize("NFC")]) {
        expect(finds(text, form), form).toBe(true);
      }
      const pieces = marked(text, word);
      expect(pieces.length, word).toBeGreaterThan(0);
      for (const piece of pieces) expect(letters.compare(piece, word), `${piece} for ${word}`).toBe(0);
    }
    const all = new Set(words(text));
    for (const word of written.filter((word) => word.length > 4 && /^[\p{L}\p{M}]+$/u.test(word))) {
      for (const part of [word.slice(0, -1), word.slice(1), word.slice(0, 3)]) {
        if (words(part).every((one) => all.has(one))) continue;
        expect(finds(text, part), `${part} of ${word}`).toBe(false);
        expect(marked(text, part), `${part} of ${word}`).toEqual([]);
      }
    }
  });
});

describe("languages without", () => {
  test.each(titled(unspaced))("%s: every part is found, and marked exactly", (_, { text }) => {
    for (const split of [codePointsOf, graphemesOf]) {
      for (const length of [1, 2, 3, 4]) {
        for (const part of partsOf(text, length, split)) {
          expect(finds(text, part), part).toBe(true);
          expect(marked(text, part), part).toEqual(stretches(text, part));
        }
      }
    }
  });

  test.each(titled(unspaced))("%s: what is no part is not found", (_, { text }) => {
    const characters = [...new Set(text.match(/[\p{L}\p{M}]/gu))];
    const some = fc.array(fc.constantFrom(...characters), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(some, (chosen) => {
        const part = chosen.join("");
        if (text.includes(part)) return;
        expect(finds(text, part), part).toBe(false);
        expect(marked(text, part), part).toEqual([]);
      }),
      tries(100),
    );
  });
});

describe("in every language", () => {
  test.each(titled(languages))("%s: what is written in another way is found and marked", (_, { text, typed = [] }) => {
    for (const way of typed) {
      const token = way.replace(/^"|"$/g, "");
      expect(finds(text, token), token).toBe(true);
      expect(marked(text, token), token).not.toEqual([]);
    }
  });

  test.each(titled(languages))("%s: what only looks alike is not found, nor are other languages", (_, language) => {
    const { text, absent = [] } = language;
    const others = languages.filter(({ name, unspaced }) => unspaced && name !== language.name);
    const foreign = others.flatMap((other) => other.text.match(/[\p{L}\p{M}]{4,}/gu) ?? []);
    for (const token of [...absent, ...foreign]) {
      expect(finds(text, token), token).toBe(false);
      expect(marked(text, token), token).toEqual([]);
    }
  });
});
