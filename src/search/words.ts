import { normalized } from "../base/normalize.ts";
import { unspacedScripts } from "../base/scripts.ts";
import { foldLetters, ignored } from "./letters.ts";

const plain = /^[\t-\r\x20-\x7e]*$/;
const plainWord = /[a-z0-9]+/g;

/** True for text that needs no folding but lower case. */
export const isPlain = (text: string): boolean => plain.test(text);

/** Letters used as apostrophes; they separate words as apostrophes do. */
const apostrophes = String.raw`\u02b9-\u02bf\u02c8\ua78b\ua78c`;
/** Symbols that people search for, and squared and enclosed words. */
const pictures = String.raw`\u231a\u231b\u23e9-\u23f3\u2600-\u27bf\u2b50\u2b55\u{1f000}-\u{1faff}`;
const letters = String.raw`\p{L}\p{N}\p{M}\u104c-\u104f\u3200-\u33ff${pictures}`;
/** Matched before folding, since compatibility forms of symbols (™) are not part of a word. */
const runs = new RegExp(`[[${letters}]--[${apostrophes}]][[${letters}${ignored}]--[${apostrophes}]]*`, "gv");

const unspaced = String.raw`${unspacedScripts}\u3006\u3031-\u3035\u3099\u309a\u30fc${pictures}`;
const pieces = new RegExp(`([[${letters}]&&[${unspaced}]]+)|[[${letters}]--[${unspaced}${apostrophes}]]+`, "gv");
/** Composed characters of these scripts that folding does not change. */
const settled =
  /^[\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\u0e01-\u0e2e\u0e30-\u0e3a\u0e40-\u0e4c\u0e50-\u0e59\u0e81-\u0ecc\u0ed0-\u0ed9\u1000-\u104f\u1780-\u17b3\u17b6-\u17d3]+$/;

/** A stretch of folded text: a word, or characters of which every two side by side form a term. */
interface Piece {
  text: string;
  index: number;
  unspaced: boolean;
}

function piecesOf(folded: string): Piece[] {
  return [...folded.matchAll(pieces)].map(({ 0: text, 1: characters, index }) => ({
    text,
    index,
    unspaced: characters !== undefined,
  }));
}

/** Lower-case letters of spaced scripts that folding leaves unchanged or folds one by one. */
const isFolded =
  /^[a-z0-9\u03b1-\u03c1\u03c3-\u03c9\u0430-\u044f\u0452-\u045c\u045e\u045f\u0491\u05d0-\u05ea\u0621\u0624\u0626-\u0628\u062a-\u063a\u0641-\u0648\u064a\u0679\u067e\u0686\u0688\u0691\u0698\u06af\u06ba\u06be\u06d2\u0902-\u0928\u092a-\u0930\u0932\u0933\u0935-\u0939\u093d-\u094d]+$/;
const isComposed =
  /^[a-z0-9\u00df-\u00f6\u00f8-\u013e\u0141-\u0148\u014a-\u024f\u1e00-\u1e99\u1e9b-\u1eff\u0386\u0388-\u03ff\u1f00-\u1fbc\u0400-\u045f\u048a-\u052f\u0561-\u0581\u0583-\u0587\u05d0-\u05ea\u0620-\u063f\u0641-\u064a\u0671-\u06d3\u10d0-\u10f0]+$/;
const foldedLetters = new Map<string, string>();

function foldLetter(letter: string): string {
  let folded = foldedLetters.get(letter);
  if (folded === undefined) {
    folded = foldLetters(letter);
    foldedLetters.set(letter, folded);
  }
  return folded;
}

/** Caches the pieces of recent runs, since most words recur. */
const known = new Map<string, readonly Piece[]>();
const maxKnown = 5000;
/** Longer runs would keep the text alive that they were sliced from. */
const maxKnownLength = 12;

function piecesOfRun(run: string): readonly Piece[] {
  const before = known.get(run);
  if (before !== undefined) return before;
  const composed = normalized(run, "NFC");
  if (settled.test(composed)) return [{ text: composed, index: 0, unspaced: true }];
  const lower = run.toLowerCase();
  const found = isComposed.test(lower)
    ? [{ text: lower.replace(/[^a-z0-9]/g, foldLetter), index: 0, unspaced: false }]
    : piecesOf(foldLetters(run));
  if (run.length <= maxKnownLength) {
    if (known.size >= maxKnown) known.clear();
    known.set(run, found);
  }
  return found;
}

/**
 * The words of a text in order, one per position. In scripts without spaces a word is every two characters side by
 * side, and the last character alone; so any part of a text stands at consecutive positions.
 */
export function words(text: string): string[] {
  if (isPlain(text)) return text.toLowerCase().match(plainWord) ?? [];
  const found: string[] = [];
  for (const run of text.match(runs) ?? []) {
    const lower = run.toLowerCase();
    if (isFolded.test(lower)) found.push(lower);
    else {
      for (const { text: piece, unspaced } of piecesOfRun(run)) {
        if (unspaced) eachGram(piece, (start, end) => found.push(piece.slice(start, end)));
        else found.push(piece);
      }
    }
  }
  return found;
}

/** Calls `take` for every two characters side by side, and for the last one alone. */
function eachGram(text: string, take: (start: number, end: number) => void): void {
  let next = lengthAt(text, 0);
  for (let start = 0; start < text.length; ) {
    const end = next + lengthAt(text, next);
    take(start, end);
    start = next;
    next = end;
  }
}

function lengthAt(text: string, at: number): number {
  if (at >= text.length) return 0;
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00 ? 2 : 1;
}

/** What a query asks for at one position of a text. `open`: only the beginning of the word is known. */
export interface SoughtWord {
  word: string;
  open: boolean;
}

/**
 * What a token or phrase of a query asks for, at consecutive positions. In scripts without spaces, a single character
 * is the beginning of the word that it forms with the next one.
 */
export function soughtWords(text: string): SoughtWord[] {
  const sought: SoughtWord[] = [];
  const all = (text.match(runs) ?? []).flatMap(piecesOfRun);
  all.forEach((piece, index) => {
    if (!piece.unspaced) {
      sought.push({ word: piece.text, open: false });
      return;
    }
    const found: string[] = [];
    eachGram(piece.text, (start, end) => found.push(piece.text.slice(start, end)));
    const last = found.pop()!;
    for (const word of found) sought.push({ word, open: false });
    if (found.length === 0 || index < all.length - 1) sought.push({ word: last, open: true });
  });
  return sought;
}

/** A word of a text and its position there. */
export interface PlacedWord {
  word: string;
  readonly start: number;
  readonly end: number;
  /** A lower bound of where the word begins; cheap to read. */
  readonly from: number;
  /** Where its first `length` folded characters end. */
  endOf(length: number): number;
}

/** As `words`, one at a time, starting at a position that cuts no word. Asking for exact positions costs far more. */
export function* placedWords(text: string, from = 0): Generator<PlacedWord> {
  const run = new RegExp(runs);
  run.lastIndex = from;
  for (let match = run.exec(text); match !== null; match = run.exec(text)) {
    const lower = match[0].toLowerCase();
    if (isFolded.test(lower) && lower.length === match[0].length) yield new PlainWord(lower, match.index);
    else yield* new Run(match[0], match.index).words();
  }
}

/** A word in which each letter folds to itself. */
class PlainWord implements PlacedWord {
  readonly word: string;
  readonly start: number;

  constructor(word: string, start: number) {
    this.word = word;
    this.start = start;
  }

  get end(): number {
    return this.start + this.word.length;
  }

  get from(): number {
    return this.start;
  }

  endOf(length: number): number {
    return this.start + length;
  }
}

/** A run of characters whose positions are computed on demand. */
class Run {
  readonly #text: string;
  readonly #at: number;
  #places: Places | undefined;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  *words(): Generator<PlacedWord> {
    for (const { text, index, unspaced } of piecesOfRun(this.#text)) {
      if (!unspaced) yield new RunWord(this, text, index);
      else {
        const found: PlacedWord[] = [];
        eachGram(text, (start, end) => found.push(new RunWord(this, text.slice(start, end), index + start)));
        yield* found;
      }
    }
  }

  get from(): number {
    return this.#at;
  }

  start(index: number): number {
    this.#places ??= placesOf(this.#text);
    return this.#at + this.#places.starts[index]!;
  }

  end(index: number): number {
    this.#places ??= placesOf(this.#text);
    return this.#at + this.#places.ends[index]!;
  }
}

class RunWord implements PlacedWord {
  readonly word: string;
  readonly #run: Run;
  readonly #index: number;

  constructor(run: Run, word: string, index: number) {
    this.word = word;
    this.#run = run;
    this.#index = index;
  }

  get start(): number {
    return this.#run.start(this.#index);
  }

  get from(): number {
    return this.#run.from;
  }

  get end(): number {
    return this.endOf(this.word.length);
  }

  endOf(length: number): number {
    return this.#run.end(this.#index + length - 1);
  }
}

/**
 * What is folded together: a character with its marks and ignored characters, the letters of a Hangul syllable, the
 * halves of am.
 */
const cluster = new RegExp(
  String.raw`(?:[\uac00-\ud7a3]?[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\uffa0-\uffdc${ignored}]+|.)[\p{M}\uff9e\uff9f${ignored}]*(?:(?<=[\u0e48-\u0e4d])\u0e32|(?<=[\u0ec8-\u0ecd])\u0eb2)?`,
  "gsv",
);

/** Ignored characters at the end, which change nothing. */
const trailing = /[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+$/;

/** For each character of the folded run, the position of its source. */
interface Places {
  starts: number[];
  ends: number[];
}

function placesOf(run: string): Places {
  const starts: number[] = [];
  const ends: number[] = [];
  if (settled.test(run) && normalized(run, "NFC") === run) {
    for (let at = 0; at < run.length; at++) {
      starts.push(at);
      ends.push(at + 1);
    }
    return { starts, ends };
  }
  for (const { 0: whole, index } of run.matchAll(cluster)) {
    const part = whole.replace(trailing, "");
    const folded = part.length === 1 ? foldLetter(part) : foldLetters(part);
    const isSame = folded === part;
    for (let at = 0; at < folded.length; ) {
      const length = lengthAt(folded, at);
      for (let unit = 0; unit < length; unit++) {
        starts.push(isSame ? index + at : index);
        ends.push(isSame ? index + at + length : index + part.length);
      }
      at += length;
    }
  }
  return { starts, ends };
}
