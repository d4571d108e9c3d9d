import { htmlToText } from "../mime/html.ts";
import type { SearchPhrase } from "./search-query.ts";
import { fold, placedWords } from "./words.ts";

/** A stretch of a text that matches. */
interface Range {
  start: number;
  end: number;
}

const isAscii = /^[\x00-\x7f]*$/;
const open = "<mark>";
const close = "</mark>";
const dots = "…";
/** RFC 8621 §5 */
const maxPreview = 255;
/** Octets of what stands before the first match. */
const maxBefore = 60;
/** What of a text is looked at closely, before and after a place where the first word of a phrase stands. */
const before = 80;
const after = 400;
/** As many places are looked at closely, and of HTML: more would cost more than they are worth. */
const maxPlaces = 100;
const maxHtmlPlaces = 3;
const htmlAround = 3000;
/** For texts with other letters than ASCII: they are folded in blocks of so many characters, up to so many in all. */
const blockLength = 1000;
const maxFolded = 200_000;

/** RFC 8621 §5: finds and marks phrases in texts, by the words that the search index has of them. */
export class Highlighter {
  /** First word → phrases that begin with it; those of one open word apart. */
  readonly #closed = new Map<string, SearchPhrase[]>();
  readonly #open: string[] = [];
  readonly #first: string[];
  /** What to look for in a text that is in lower case and not folded. */
  readonly #written: string[];
  /** Of the longest phrase. */
  readonly #reach: number;

  constructor(phrases: readonly SearchPhrase[]) {
    for (const phrase of phrases) {
      const first = phrase.words[0]!;
      if (phrase.open && phrase.words.length === 1) this.#open.push(first);
      else this.#closed.set(first, [...(this.#closed.get(first) ?? []), phrase]);
    }
    this.#first = [...new Set([...this.#closed.keys(), ...this.#open])];
    this.#written = [...new Set([...this.#first, ...phrases.map(({ written }) => written)])].filter((word) => word);
    this.#reach = after + 2 * Math.max(0, ...phrases.map(({ words }) => words.join(" ").length));
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

  /** At most 255 octets of HTML around a match, the first one if that is cheap to tell; null when there is none. */
  preview(given: string): string | null {
    const text = given.toWellFormed();
    const places = new Places(text, this.#written);
    let at = places.next(0);
    for (let looks = 0; at >= 0 && looks < maxPlaces; looks++) {
      const end = wordEnd(text, at + this.#reach);
      const found = this.#excerptOf(text, wordStart(text, at - before), end);
      if (found !== null) return found;
      at = places.next(at + after);
    }
    return isAscii.test(text) ? null : this.#previewFolded(text);
  }

  /** As `preview`, of the text of HTML; where possible only what stands near a match is made into text. */
  previewHtml(html: string): string | null {
    const places = new Places(html, this.#written);
    let at = places.next(0);
    for (let looks = 0; at >= 0 && looks < maxHtmlPlaces; looks++) {
      const found = this.preview(htmlToText(htmlNear(places.lower, html, at)));
      if (found !== null) return found;
      at = places.next(at + htmlAround);
    }
    return this.preview(htmlToText(html));
  }

  #previewFolded(text: string): string | null {
    for (let start = 0; start < Math.min(text.length, maxFolded); ) {
      const end = wordEnd(text, start + blockLength);
      if (this.#mayMatch(text.slice(start, end + 100))) {
        const found = this.#excerptOf(text, start, end + this.#reach);
        if (found !== null) return found;
      }
      start = end;
    }
    return null;
  }

  #excerptOf(text: string, start: number, end: number): string | null {
    const ranges = this.#ranges(text.slice(start, end));
    if (ranges.length === 0) return null;
    return excerpt(
      text,
      ranges.map((range) => ({ start: start + range.start, end: start + range.end })),
    );
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

/** Where one of the words may stand in a text. Knows capitals, but not accents. */
class Places {
  readonly lower: string;
  readonly #next: { word: string; at: number }[];

  constructor(text: string, words: readonly string[]) {
    this.lower = text.toLowerCase();
    // A letter that becomes two would move all places behind it.
    this.#next = this.lower.length === text.length ? words.map((word) => ({ word, at: -1 })) : [];
  }

  /** The first one from there on; -1 for none. Asked for in rising order. */
  next(from: number): number {
    let first = -1;
    for (let i = this.#next.length - 1; i >= 0; i--) {
      const place = this.#next[i]!;
      if (place.at < from) place.at = this.lower.indexOf(place.word, from);
      if (place.at < 0) this.#next.splice(i, 1);
      else if (first < 0 || place.at < first) first = place.at;
    }
    return first;
  }
}

const hidden = [
  ["<style", "</style"],
  ["<script", "</script"],
  ["<title", "</title"],
  ["<!--", "-->"],
] as const;

/** The HTML around a place, from the beginning of a tag on, and not of what is never shown. */
function htmlNear(lower: string, html: string, at: number): string {
  const tag = html.indexOf("<", Math.max(0, at - htmlAround));
  let start = tag >= 0 && tag < at ? tag : Math.max(0, at - htmlAround);
  for (const [opening, closing] of hidden) {
    const opened = lower.lastIndexOf(opening, start);
    if (opened < 0) continue;
    const closed = lower.indexOf(closing, opened);
    if (closed < 0 || closed > start) start = opened;
  }
  return html.slice(start, at + htmlAround);
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

/** The first word that begins at `from` or soon after. */
function wordStart(text: string, from: number): number {
  if (from <= 0) return 0;
  const at = /\s/.exec(text.slice(from, from + before))?.index;
  if (at !== undefined) return from + at;
  return isLowSurrogate(text, from) ? from + 1 : from;
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

const plain = /^[!-%'-;=?-~]$/;

/** A character as it stands in a preview; white space and what nobody sees is one blank at most. */
function shown(char: string, afterBlank: boolean): string {
  if (plain.test(char)) return char;
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
    room -= octetsOf(shown(text.slice(previous, at), false));
    if (room < 0) break;
    at = previous;
  }
  if (at === 0) return 0;
  const blank = /\s/.exec(text.slice(at, match));
  return blank ? at + blank.index + 1 : at;
}

/** Of one character, or of an entity. */
const octetsOf = (piece: string) => (piece.length === 1 && piece < "\x80" ? 1 : Buffer.byteLength(piece));

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
      const size = octetsOf(piece);
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
