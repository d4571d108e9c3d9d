const maxWord = 64;

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

/** What a query asks for at one position of a text; `open`: only the beginning of a word is known. */
export interface SoughtWord {
  word: string;
  open: boolean;
}

/** What a token or phrase of a query asks for, at consecutive positions. */
export function soughtWords(text: string): SoughtWord[] {
  return words(text).map((word) => ({ word, open: false }));
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
