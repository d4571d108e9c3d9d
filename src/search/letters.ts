import { normalized } from "../base/normalize.ts";
import { unspacedScripts } from "../base/scripts.ts";

/** Letter folding: spellings that people write differently and read as the same become one, in every script. */

/**
 * Characters that do not separate words and are not searched for: invisible ones, skin tones of emoji, the Arabic
 * tatweel, Armenian tone marks that stand inside a word, and Arabic marks that stand alone.
 */
export const ignored = String.raw`\p{Cf}\p{Default_Ignorable_Code_Point}\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u{1f3fb}-\u{1f3ff}\u0640\u055b\u055c\u055e\u055f\ufc5e-\ufc63\ufcf2-\ufcf4\ufe70-\ufe7f`;
const allIgnored = new RegExp(`[${ignored}]+`, "gu");

/** Malayalam chillus and the Bengali khanda ta, as written before they had code points of their own. */
const joinedForms = /([\u0d23\u0d28\u0d30\u0d32\u0d33\u0d15]\u0d4d|\u09a4\u09cd)\u200d/g;
const joinedForm: Record<string, string> = {
  "\u0d23": "\u0d7a",
  "\u0d28": "\u0d7b",
  "\u0d30": "\u0d7c",
  "\u0d32": "\u0d7d",
  "\u0d33": "\u0d7e",
  "\u0d15": "\u0d7f",
  "\u09a4": "\u09ce",
};

/** Everything except what compatibility normalisation would split or join: Thai and Lao am, single jamo. */
const compatible = /[^\u0e33\u0eb3\u3131-\u318e]+/g;

/** Thai and Lao am written as two halves, with a tone mark between or before them. */
const halvedAm = /\u0e4d([\u0e48-\u0e4b]?)\u0e32|\u0ecd([\u0ec8-\u0ecb]?)\u0eb2/g;

/**
 * Marks that do not make another letter of their base: accents, except on Cyrillic letters that have a place of their
 * own in an alphabet (й, ї, ў, ѓ, ќ; everyone treats ё as е); points and vowel signs of Hebrew, Arabic and Syriac,
 * hamza on alef; marks that Hindi is written with or without.
 */
const marks = new RegExp(
  [
    "(?<!\\p{Script=Cyrillic})[\\u0306\\u0308]",
    "(?<=[\\u0415\\u0435])\\u0308",
    "(?<![\\u0413\\u0433\\u041a\\u043a])\\u0301",
    "[\\u0300\\u0302-\\u0305\\u0307\\u0309-\\u036f\\u0483-\\u0489\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f]",
    "[\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7]",
    "[\\u0610-\\u061a\\u064b-\\u0653\\u0655-\\u065f\\u0670\\u06d6-\\u06dc\\u06df-\\u06e8\\u06ea-\\u06ed\\u0897-\\u089f\\u08ca-\\u08ff]",
    "(?<![\\u0648\\u064a\\u06cc\\u0649][\\u064b-\\u0652\\u0670]*)\\u0654",
    "[\\u0730-\\u074a\\u093c]",
  ].join("|"),
  "gu",
);

const plainForms = new Map<string, string>();
function plain(letters: string, form: string): void {
  for (const letter of letters) plainForms.set(letter, form);
}
plain("ß", "ss");
plain("æ", "ae");
plain("œ", "oe");
plain("þ", "th");
for (const [form, letters] of Object.entries({
  a: "ⱥɐɑ",
  b: "ƀɓƃ",
  c: "ƈȼɕ",
  d: "ðđɖɗƌ",
  e: "əǝɛɇ",
  f: "ƒ",
  g: "ǥɠɣ",
  h: "ħɦⱨ",
  i: "ıɨɩ",
  j: "ȷɉ",
  k: "ĸƙⱪ",
  l: "łƚɫⱡɬ",
  m: "ɱ",
  n: "ŋɲƞ",
  o: "øɔɵ",
  p: "ƥᵽ",
  q: "ɋʠ",
  r: "ɍɽ",
  s: "ʂȿ",
  t: "ŧƫƭʈⱦ",
  u: "ʉ",
  v: "ʋ",
  w: "ⱳ",
  y: "ƴɏ",
  z: "ƶȥʒⱬɀ",
})) {
  plain(letters, form);
}
plain("ς", "σ");
// Yiddish digraphs.
plain("װ", "וו");
plain("ױ", "וי");
plain("ײ", "יי");
// Arabic letters as written in Persian, Urdu and others, and the simpler forms often used in Arabic itself.
plain("ٱ", "ا");
plain("ىی", "ي");
plain("ک", "ك");
plain("ةہۃ", "ه");
// Cyrillic letters in their old printed shapes.
for (const [index, letter] of [..."вдосттъѣꙋ"].entries()) plain(String.fromCodePoint(0x1c80 + index), letter);
// Hindi uses either sign.
plain("\u0901", "\u0902");

const plainLetter = new RegExp(`[${[...plainForms.keys()].join("")}]|\\u06d5\\u0654|\\u0565\\u0582`, "g");
/** Persian he with a hamza as an older character, and Armenian ev, whose capitals are written with another letter. */
plainForms.set("\u06d5\u0654", "ه");
plainForms.set("\u0565\u0582", "\u0565\u057e");

/** Scripts without spaces keep their digits: a part of a number is found there like a part of any text. */
const nativeDigit = new RegExp(`(?![0-9${unspacedScripts}])\\p{Nd}`, "gu");
const isDigit = /^\p{Nd}$/u;
const digits = new Map<string, string>();

/** The digits of a script are consecutive, from zero to nine. */
function digitOf(char: string): string {
  let digit = digits.get(char);
  if (digit === undefined) {
    let value = 0;
    while (value < 9 && isDigit.test(String.fromCodePoint(char.codePointAt(0)! - value - 1))) value++;
    digit = String(value);
    digits.set(char, digit);
  }
  return digit;
}

/** `normalized` may insert this between very many marks. */
const joiner = /\u034f/g;

/** Folding each character with its marks gives the same result as folding the whole text. */
export function foldLetters(text: string): string {
  const decomposed = text
    .replace(joinedForms, (form) => joinedForm[form[0]!]!)
    .replace(allIgnored, "")
    .replace(compatible, (part) => normalized(part, "NFKD"));
  const plain = decomposed
    .replace(marks, "")
    .toLowerCase()
    .replace(plainLetter, (letter) => plainForms.get(letter)!)
    .replace(nativeDigit, digitOf);
  return normalized(plain, "NFC")
    .replace(joiner, "")
    .replace(halvedAm, (_, thai?: string, lao?: string) => (thai === undefined ? `${lao}\u0eb3` : `${thai}\u0e33`));
}
