/** Fields of a message that a search can name, and the letter their terms carry. */
export const fieldLetters = { from: "f", to: "t", cc: "c", bcc: "b", subject: "s", attachment: "a" } as const;
export type SearchField = keyof typeof fieldLetters;
/** Every word is also there plain, so that `text` needs one look. */
export const plainLetter = "w";

const maxTerms = 20_000;
const maxBytes = 500_000;
/** Postgres keeps 14 bits of a position. */
const maxPosition = 16_383;
/** Between fields, so that no phrase spans two of them. */
const gap = 5;
const maxWord = 64;

/** A term and its positions as tsvector writes them ("7A": a header word); the account's prefix comes when stored. */
export type SearchTerms = Map<string, string[]>;

/** Scripts written without spaces: their words are found by the segmenter's dictionaries. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const word = /[\p{L}\p{N}\p{M}]+/gu;
const asciiWord = /[a-z0-9]+/g;
const ascii = /^[\x00-\x7f]*$/;
const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

/** Case and accents folded; the same for what is stored and what is asked. */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFKC")
    .toLowerCase();
}

/** The words of a text, in order, folded. */
export function words(text: string): string[] {
  const folded = fold(text);
  if (ascii.test(folded)) return (folded.match(asciiWord) ?? []).map(cut);
  const found: string[] = [];
  for (const run of folded.match(word) ?? []) {
    if (unspaced.test(run)) {
      for (const { segment, isWordLike } of segmenter.segment(run)) if (isWordLike) found.push(cut(segment));
    } else found.push(cut(run));
  }
  return found;
}

/** A word of a text and where it stands there. */
export interface PlacedWord {
  word: string;
  start: number;
  end: number;
  /** Where its first `length` folded characters end. */
  endOf(length: number): number;
}

/** As `words`, with their places; for texts of a few lines, since it costs far more. */
export function placedWords(text: string): PlacedWord[] {
  if (ascii.test(text)) {
    return [...text.toLowerCase().matchAll(asciiWord)].map(({ 0: found, index }) => ({
      word: cut(found),
      start: index,
      end: index + found.length,
      endOf: (length) => index + length,
    }));
  }
  const { folded, starts, ends } = foldPlaced(text);
  return runs(folded).map(({ segment, index }) => ({
    word: cut(segment),
    start: starts[index]!,
    end: ends[index + segment.length - 1]!,
    endOf: (length) => ends[index + length - 1]!,
  }));
}

function runs(folded: string): { segment: string; index: number }[] {
  return [...folded.matchAll(word)].flatMap(({ 0: run, index }) => {
    if (!unspaced.test(run)) return [{ segment: run, index }];
    const found: { segment: string; index: number }[] = [];
    for (const { segment, index: at, isWordLike } of segmenter.segment(run)) {
      if (isWordLike) found.push({ segment, index: index + at });
    }
    return found;
  });
}

const knownFolds = new Map<string, string>();
const mostKnown = 5000;

function foldCluster(part: string): string {
  let folded = knownFolds.get(part);
  if (folded === undefined) {
    folded = fold(part);
    if (knownFolds.size >= mostKnown) knownFolds.clear();
    knownFolds.set(part, folded);
  }
  return folded;
}

/** What is folded as one: a character with its marks, or the letters of a Hangul syllable. */
const cluster = /(?:[\u1100-\u11ff]+|.)\p{M}*/gsu;

/** `fold`, and for each character of it where what it was made of stands. */
function foldPlaced(text: string): { folded: string; starts: number[]; ends: number[] } {
  const starts: number[] = [];
  const ends: number[] = [];
  let pieces = "";
  for (const { 0: part, index } of text.matchAll(cluster)) {
    const piece = foldCluster(part);
    pieces += piece;
    for (let i = 0; i < piece.length; i++) {
      starts.push(index);
      ends.push(index + part.length);
    }
  }
  // The whole knows more than its pieces, such as the last sigma of a word.
  const whole = fold(text);
  return { folded: whole.length === pieces.length ? whole : pieces, starts, ends };
}

const cut = (text: string) => (text.length > maxWord ? text.slice(0, maxWord) : text);

export interface SearchableText {
  fields: { field: SearchField; text: string }[];
  body: string;
}

/** The terms of one message: at most 20,000 and 500 KB, header words first. */
export function searchTerms({ fields, body }: SearchableText): SearchTerms {
  const terms: SearchTerms = new Map();
  let bytes = 0;
  let position = 1;
  const add = (term: string, weight: "A" | "B" | "") => {
    const at = Math.min(position, maxPosition) + weight;
    const known = terms.get(term);
    if (known) {
      if (known.length < 255 && known.at(-1) !== at) known.push(at);
      return;
    }
    bytes += term.length * 2 + 16;
    if (terms.size < maxTerms && bytes <= maxBytes) terms.set(term, [at]);
  };
  for (const { field, text } of fields) {
    const weight = field === "attachment" ? "B" : "A";
    for (const found of words(text)) {
      add(fieldLetters[field] + found, weight);
      add(plainLetter + found, weight);
      position++;
    }
    position += gap;
  }
  for (const found of words(body)) {
    if (terms.size >= maxTerms || bytes > maxBytes) break;
    add(plainLetter + found, "");
    position++;
  }
  return terms;
}

const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Four characters that keep one account's terms together in the index; accounts that share them only cost time. */
export function accountPrefix(accountId: number): string {
  let prefix = "";
  for (let rest = accountId, i = 0; i < 4; i++, rest = Math.floor(rest / digits.length)) {
    prefix = digits[rest % digits.length] + prefix;
  }
  return prefix;
}

/** The terms as the text form of a tsvector for one account. */
export function tsvectorText(terms: SearchTerms, accountId: number): string {
  const prefix = accountPrefix(accountId);
  let text = "";
  for (const [term, positions] of terms) text += `'${prefix}${term}':${positions.join(",")} `;
  return text;
}
