import type { SearchPhrase } from "./search-query.ts";
import { fold, placedWords } from "./terms.ts";

/** A stretch of a text that matches. */
interface Range {
  start: number;
  end: number;
}

const open = "<mark>";
const close = "</mark>";
const dots = "…";
/** RFC 8621 §5 */
const maxPreview = 255;
/** Octets of what stands before the first match. */
const maxBefore = 60;
/** A text is looked through in blocks of so many characters, and a phrase may go on for as many past its block. */
const blockLength = 600;

/** RFC 8621 §5: finds and marks phrases in texts, by the words that the search index has of them. */
export class Highlighter {
  /** First word → phrases that begin with it; those of one open word apart. */
  readonly #closed = new Map<string, SearchPhrase[]>();
  readonly #open: string[] = [];
  readonly #first: string[];

  constructor(phrases: readonly SearchPhrase[]) {
    for (const phrase of phrases) {
      const first = phrase.words[0]!;
      if (phrase.open && phrase.words.length === 1) this.#open.push(first);
      else this.#closed.set(first, [...(this.#closed.get(first) ?? []), phrase]);
    }
    this.#first = [...new Set([...this.#closed.keys(), ...this.#open])];
  }

  get isEmpty(): boolean {
    return this.#first.length === 0;
  }

  /** The whole text with its matches marked, as HTML; null when there is none. */
  mark(given: string): string | null {
    const text = given.toWellFormed();
    if (!this.#mayMatch(text)) return null;
    const ranges = this.#ranges(text);
    if (ranges.length === 0) return null;
    let html = "";
    let at = 0;
    for (const { start, end } of ranges) {
      html += `${escaped(text.slice(at, start))}${open}${escaped(text.slice(start, end))}${close}`;
      at = end;
    }
    return html + escaped(text.slice(at));
  }

  /** At most 255 octets of HTML around the first match; null when there is none. */
  preview(given: string): string | null {
    const text = given.toWellFormed();
    for (let start = 0; start < text.length; ) {
      const end = wordEnd(text, start + blockLength);
      const region = text.slice(start, end + blockLength);
      if (this.#mayMatch(region)) {
        const ranges = this.#ranges(region);
        if (ranges[0] && ranges[0].start < end - start) {
          return excerpt(
            text,
            ranges.map((range) => ({ start: start + range.start, end: start + range.end })),
          );
        }
      }
      start = end;
    }
    return null;
  }

  /** Cheap, and true for every text with a match. */
  #mayMatch(text: string): boolean {
    const folded = fold(text);
    return this.#first.some((word) => folded.includes(word));
  }

  /** In order, none touching another. */
  #ranges(text: string): Range[] {
    const words = placedWords(text);
    const found: Range[] = [];
    words.forEach((placed, index) => {
      for (const begin of this.#open) {
        if (placed.word.startsWith(begin)) found.push({ start: placed.start, end: placed.endOf(begin.length) });
      }
      for (const phrase of this.#closed.get(placed.word) ?? []) {
        const last = phrase.words.length - 1;
        const side = words.slice(index, index + phrase.words.length);
        const isThere = phrase.words.every((word, nth) =>
          phrase.open && nth === last ? side[nth]?.word.startsWith(word) : side[nth]?.word === word,
        );
        if (!isThere) continue;
        const end = phrase.open ? side[last]!.endOf(phrase.words[last]!.length) : side[last]!.end;
        found.push({ start: placed.start, end });
      }
    });
    return joined(found);
  }
}

function joined(ranges: Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of ranges.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push({ ...range });
  }
  return merged;
}

/** Where the word at `from` ends, if it does soon; never inside a character. */
function wordEnd(text: string, from: number): number {
  if (from >= text.length) return text.length;
  const space = /\s/g;
  space.lastIndex = from;
  const at = space.exec(text.slice(0, from + 100))?.index;
  if (at !== undefined) return at;
  return isLowSurrogate(text, from) ? from + 1 : from;
}

const isLowSurrogate = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const escaped = (text: string) => text.replace(/[&<>]/g, (char) => entities[char]!);

/** Of no width, or no characters at all. */
const invisible = /\u034f|[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/;
const space = /\s/;

/** A character as it stands in a preview; white space and what nobody sees is one blank at most. */
function shown(char: string, afterBlank: boolean): string {
  if (invisible.test(char)) return "";
  if (space.test(char)) return afterBlank ? "" : " ";
  return entities[char] ?? char;
}

function excerpt(text: string, ranges: readonly Range[]): string {
  const from = contextStart(text, ranges[0]!.start);
  const out = new Excerpt(from > 0);
  let at = from;
  for (const { start, end } of ranges) {
    if (!out.add(text.slice(at, start), false) || !out.add(text.slice(start, end), true)) return out.cut();
    at = end;
  }
  // Far more than fits.
  return out.add(text.slice(at, at + maxPreview * 4), false) ? out.html : out.cut();
}

/** Some words before the match. */
function contextStart(text: string, match: number): number {
  let at = match;
  let room = maxBefore;
  while (at > 0) {
    const previous = isLowSurrogate(text, at - 1) ? at - 2 : at - 1;
    room -= Buffer.byteLength(escaped(text.slice(previous, at)));
    if (room < 0) break;
    at = previous;
  }
  if (at === 0) return 0;
  const blank = /\s/.exec(text.slice(at, match));
  return blank ? at + blank.index + 1 : at;
}

/** HTML that grows to 255 octets and no further. */
class Excerpt {
  html: string;
  #octets: number;
  #afterBlank = true;

  constructor(isCut: boolean) {
    this.html = isCut ? dots : "";
    this.#octets = Buffer.byteLength(this.html);
  }

  /** False when not all of it went in. */
  add(text: string, isMatch: boolean): boolean {
    const room = maxPreview - dots.length * 3 - (isMatch ? open.length + close.length : 0);
    let added = "";
    let isWhole = true;
    for (const char of text) {
      const piece = shown(char, this.#afterBlank);
      if (piece === "") continue;
      const size = Buffer.byteLength(piece);
      if (this.#octets + size > room) {
        isWhole = false;
        break;
      }
      this.#octets += size;
      this.#afterBlank = piece === " ";
      added += piece;
    }
    if (isMatch && added !== "") {
      this.#octets += open.length + close.length;
      added = `${open}${added}${close}`;
    }
    this.html += added;
    return isWhole;
  }

  /** What was left out is told by dots. */
  cut(): string {
    return `${this.html.trimEnd()}${dots}`;
  }
}
