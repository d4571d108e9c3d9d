import fc from "fast-check";
import { expect, test } from "vitest";
import { tries } from "../../test/support/fuzz.ts";
import { languages } from "../../test/support/languages.ts";
import { foldLetters } from "./letters.ts";
import { placedWords, soughtWords, words } from "./words.ts";

/** Every character that Unicode has, in steps that leave out most of the ideographs. */
function* characters(): Generator<string> {
  for (let point = 0; point < 0x32000; point++) {
    if (point >= 0xd800 && point < 0xe000) continue;
    const isIdeograph = (point >= 0x3400 && point < 0xa000) || (point >= 0xac00 && point < 0xd7a4) || point >= 0x17000;
    const isPicture = point >= 0x1f000 && point < 0x20000;
    if (isIdeograph && !isPicture && point % 97 !== 0) continue;
    yield String.fromCodePoint(point);
  }
}

const wrong = (holds: (char: string) => boolean): string[] =>
  [...characters()].filter((char) => !holds(char)).map((char) => `${char.codePointAt(0)!.toString(16)} ${char}`);
const same = (one: string, other: string): boolean => words(one).join(" ") === words(other).join(" ");

test("case is folded of every character, and how it is composed", () => {
  // Iota below a Greek letter is written beside a capital one, and left out by most who look for the word.
  const hasIota = (char: string) => char.normalize("NFD").includes("\u0345");
  expect(wrong((char) => hasIota(char) || same(char, char.toUpperCase()))).toEqual([]);
  expect(wrong((char) => same(char, char.toLowerCase()))).toEqual([]);
  expect(wrong((char) => same(char, char.normalize("NFC")) && same(char, char.normalize("NFD")))).toEqual([]);
});

test("invisible characters neither separate words nor belong to them", () => {
  const invisible =
    "\u00ad\u034f\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufe0e\ufeff\u{e0001}";
  for (const unseen of [...invisible]) {
    for (const word of ["October", "übermäßig", "ежё", "अब", "大学", "ประชุม", "회의", "كتاب"]) {
      expect(words([...word].join(unseen)), word).toEqual(words(word));
    }
  }
  expect(wrong((char) => same(`x${char}y`, `x\u00ad${char}\u00ady`))).toEqual([]);
});

test("every letter and number is found by itself", () => {
  const passedOver =
    /[\p{Default_Ignorable_Code_Point}\u0640\u02b9-\u02bf\u02c8\ua78b\ua78c\u0374\u037a\u06e5\u06e6\ufc5e-\ufc63\ufcf2-\ufcf4\ufe70-\ufe7f]/u;
  const isFound = (char: string) => {
    const [first] = words(char);
    const [sought] = soughtWords(char);
    return first !== undefined && sought !== undefined && first.startsWith(sought.word);
  };
  expect(wrong((char) => !/[\p{L}\p{N}]/u.test(char) || passedOver.test(char) || isFound(char))).toEqual([]);
});

const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 5 }),
      fc.string({ unit: "binary", maxLength: 5 }),
      fc.constantFrom(...languages.flatMap(({ text }) => text.match(/.{1,7}/gsu)!)),
      fc.constantFrom(
        "\u0301",
        "\u0308",
        "\u200d",
        "\u0e4d",
        "\u0e32",
        "\u1161",
        "\u11a8",
        "ﬁ",
        "½",
        "ς",
        " ",
        "a",
        "\u093c",
      ),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join("").toWellFormed());

test("placed words are the words of the index, each where it stands", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const placed = [...placedWords(text)];
      expect(placed.map(({ word }) => word)).toEqual(words(text));
      for (const one of placed) {
        expect(foldLetters(text.slice(one.start, one.end))).toContain(one.word);
        expect(one.endOf(one.word.length)).toBe(one.end);
      }
    }),
    tries(2000),
  );
});

test("whatever text stands in another is found there", () => {
  const phrase = (text: string, token: string) => {
    const [all, sought] = [words(text), soughtWords(token)];
    return all.some((_, at) =>
      sought.every(({ word, open }, nth) => (open ? all[at + nth]?.startsWith(word) : all[at + nth] === word)),
    );
  };
  fc.assert(
    fc.property(anyText, anyText, anyText, (before, token, after) => {
      if (soughtWords(token).length === 0) return;
      expect(phrase(`${before} ${token} ${after}`, token)).toBe(true);
    }),
    tries(1000),
  );
});

test("in scripts without spaces a part of a number is found, whichever of its digits", () => {
  const zeros = {
    Thai: 0xe50,
    Tibetan: 0xf20,
    Myanmar: 0x1040,
    NewTaiLue: 0x19d0,
    TaiTham: 0x1a80,
    Javanese: 0xa9d0,
    Balinese: 0x1b50,
  };
  for (const [script, zero] of Object.entries(zeros)) {
    const number = (...digits: number[]) => String.fromCodePoint(...digits.map((digit) => zero + digit));
    const [first, second] = soughtWords(number(2, 3, 4));
    const all = words(number(1, 2, 3, 4, 5));
    const at = all.indexOf(first!.word);
    expect(at, script).toBeGreaterThan(0);
    expect(all[at + 1], script).toBe(second!.word);
  }
});

test("folding twice is folding once", () => {
  expect(wrong((char) => foldLetters(foldLetters(char)) === foldLetters(char))).toEqual([]);
});
