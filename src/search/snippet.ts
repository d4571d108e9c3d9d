import { htmlToText } from "../mime/html.ts";
import { blank, excerpt, marked, type Range, shownEnd } from "./excerpt.ts";
import { type PlainMatch, PlainPhrase } from "./plain-phrase.ts";
import { isPlain, type PlacedWord, placedWords, type SoughtWord, words } from "./words.ts";

/** For HTML: how much is converted to text around a possible match, and at how many places. */
const htmlAround = 3000;
const maxHtmlPlaces = 3;
/** How many characters are examined together, and how many pieces before others get a turn. */
const pieceLength = 250;
const turn = 800;

type Phrase = readonly SoughtWord[];

/** Given the end of the first match, returns where later matches stop mattering. */
type Until = (firstEnd: number) => number;

/** RFC 8621 §5: finds phrases in texts and marks them, using the same words as the search index. */
export class Highlighter {
  /** Last word → phrases that end with it. Phrases with an open last word are separate. */
  readonly #closed = new Map<string, Phrase[]>();
  readonly #open: Phrase[] = [];
  /** Phrases that plain text may contain; those with an open last word come last. */
  readonly #plain: readonly PlainPhrase[];
  readonly #first: string[];
  /** Number of words of the longest phrase. */
  readonly #longest: number;

  readonly #signs: readonly string[];

  /** `signs`: also marked in a text that is marked whole. */
  constructor(phrases: readonly Phrase[], signs: readonly string[] = []) {
    this.#signs = signs;
    for (const phrase of phrases) {
      const { word, open } = phrase.at(-1)!;
      if (open) this.#open.push(phrase);
      else this.#closed.set(word, [...(this.#closed.get(word) ?? []), phrase]);
    }
    this.#plain = [...this.#closed.values(), this.#open]
      .flat()
      .map(PlainPhrase.of)
      .filter((phrase) => phrase !== undefined);
    this.#first = [...new Set(phrases.map((phrase) => phrase[0]!.word))];
    this.#longest = Math.max(0, ...phrases.map((phrase) => phrase.length));
  }

  get isEmpty(): boolean {
    return this.#longest === 0 && this.#signs.length === 0;
  }

  /** The whole text as HTML with its matches marked; null without a match. */
  mark(given: string): string | null {
    const text = given.toWellFormed();
    const ranges = joined([...atOnce(this.#ranges(text, () => text.length)), ...this.#signRanges(text)]);
    return ranges.length === 0 ? null : marked(text, ranges);
  }

  /** At most 255 octets of HTML around the first match; null without a match. */
  preview(given: string): string | null {
    return atOnce(this.#previewing(given.toWellFormed()));
  }

  /** As `preview`, but gives others a turn while it examines a long text. */
  async previewInTurns(given: string): Promise<string | null> {
    const previewing = this.#previewing(given.toWellFormed());
    for (let step = previewing.next(); ; step = previewing.next()) {
      if (step.done) return step.value;
      await new Promise(setImmediate);
    }
  }

  /** For HTML with a long text, a preview of what surrounds a possible match; null when that is not conclusive. */
  previewNear(html: string): string | null {
    const lower = html.toLowerCase();
    // If lower case changed the length, positions would no longer correspond.
    if (lower.length !== html.length) return null;
    let at = this.#mayStart(lower, 0);
    for (let looks = 0; at >= 0 && looks < maxHtmlPlaces; looks++) {
      const near = htmlNear(lower, html, at);
      const text = htmlToText(near.html);
      // Where the HTML is cut, a word may be cut too.
      const found = this.preview(near.isCut ? inside(text) : text);
      if (found !== null) return found;
      at = this.#mayStart(lower, at + htmlAround);
    }
    return null;
  }

  #signRanges(text: string): Range[] {
    const found: Range[] = [];
    for (const signs of this.#signs) {
      for (let at = text.indexOf(signs); at >= 0; at = text.indexOf(signs, at + signs.length)) {
        found.push({ start: at, end: at + signs.length });
      }
    }
    return found;
  }

  *#previewing(text: string): Generator<undefined, string | null> {
    const ranges = yield* this.#ranges(text, (from) => shownEnd(text, from));
    return ranges.length === 0 ? null : excerpt(text, ranges);
  }

  /** Where the first word of a phrase, or a part of a word that looks like it, occurs in lower-case text. */
  #mayStart(lower: string, from: number): number {
    let first = -1;
    for (const word of this.#first) {
      const at = lower.indexOf(word, from);
      if (at >= 0 && (first < 0 || at < first)) first = at;
    }
    return first;
  }

  /**
   * The matches in order, merged where they touch, up to the limit that `until` derives from the end of the first one.
   */
  *#ranges(text: string, until: Until): Generator<undefined, Range[]> {
    if (isPlain(text)) return yield* this.#plainRanges(text.toLowerCase(), until);
    /** The latest pieces and their words, enough to hold the beginning of a phrase that continues in the next piece. */
    const pieces: { start: number; count: number }[] = [];
    let latest: string[] = [];
    let looks = 0;
    for (let start = 0; start < text.length; ) {
      const end = pieceEnd(text, start + pieceLength);
      const found = words(text.slice(start, end));
      pieces.push({ start, count: found.length });
      const all = [...latest, ...found];
      if (this.#matches(all, latest.length)) return this.#placedRanges(text, pieces[0]!.start, until);
      let count = all.length;
      while (count - pieces[0]!.count >= this.#longest - 1 && pieces.length > 1) count -= pieces.shift()!.count;
      latest = all.slice(all.length - count);
      start = end;
      if (++looks % turn === 0) yield;
    }
    return [];
  }

  /** As `#ranges`, for plain text in lower case. */
  *#plainRanges(lower: string, until: Until): Generator<undefined, Range[]> {
    const found: { phrase: PlainPhrase; match: PlainMatch }[] = [];
    let first: PlainMatch | undefined;
    for (const phrase of this.#plain) {
      const match = yield* phrase.next(lower, 0);
      if (!match) continue;
      found.push({ phrase, match });
      if (!first || match.last < first.last) first = match;
    }
    if (!first) return [];
    const end = until(first.end);
    const ranges: Range[] = [];
    for (const { phrase, match } of found) {
      let next: PlainMatch | undefined = match;
      while (next && next.start <= end) {
        ranges.push(next);
        next = yield* phrase.next(lower, next.start + 1);
      }
    }
    return joined(ranges);
  }

  /** True when a phrase ends at `from` or a later word. */
  #matches(found: readonly string[], from: number): boolean {
    for (let at = from; at < found.length; at++) {
      const word = found[at]!;
      if (this.#open.length === 0 && !this.#closed.has(word)) continue;
      if (this.#endingWith(word).some((phrase) => isThere(phrase, found, at))) return true;
    }
    return false;
  }

  #placedRanges(text: string, from: number, until: Until): Range[] {
    const ranges: Range[] = [];
    const placed: PlacedWord[] = [];
    const found: string[] = [];
    let end = text.length;
    for (const one of placedWords(text, from)) {
      placed.push(one);
      found.push(one.word);
      // No phrase that ends here or later begins before that word.
      if (placed[Math.max(0, placed.length - this.#longest)]!.from > end) break;
      const at = found.length - 1;
      for (const phrase of this.#endingWith(one.word)) {
        if (!isThere(phrase, found, at)) continue;
        const last = phrase.at(-1)!;
        const { start } = placed[at - phrase.length + 1]!;
        if (start > end) continue;
        ranges.push({ start, end: last.open ? one.endOf(last.word.length) : one.end });
        if (ranges.length === 1) end = until(ranges[0]!.end);
      }
    }
    return joined(ranges);
  }

  #endingWith(word: string): readonly Phrase[] {
    const closed = this.#closed.get(word) ?? none;
    if (this.#open.length === 0) return closed;
    const opened = this.#open.filter((phrase) => word.startsWith(phrase.at(-1)!.word));
    return closed === none ? opened : [...closed, ...opened];
  }
}

const none: readonly Phrase[] = [];

/** True when the words up to `end` are those of the phrase. */
function isThere(phrase: Phrase, found: readonly string[], end: number): boolean {
  const start = end - phrase.length + 1;
  return (
    start >= 0 &&
    phrase.every(({ word, open }, nth) => {
      const there = found[start + nth]!;
      return open ? there.startsWith(word) : there === word;
    })
  );
}

const apart = /[\t-\r\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e\u00a0\u3000-\u3002\uff0c]/g;

/** The first position from `from` on that cuts no word. */
function pieceEnd(text: string, from: number): number {
  if (from >= text.length) return text.length;
  apart.lastIndex = from;
  return apart.exec(text)?.index ?? text.length;
}

function atOnce<T>(steps: Generator<undefined, T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

const hidden = [
  ["<style", "</style"],
  ["<script", "</script"],
  ["<title", "</title"],
  ["<!--", "-->"],
] as const;

/** The HTML around a position, starting at a tag, unless it belongs to an element that is never shown. */
function htmlNear(lower: string, html: string, at: number): { html: string; isCut: boolean } {
  const tag = html.indexOf("<", Math.max(0, at - htmlAround));
  let start = tag >= 0 && tag < at ? tag : Math.max(0, at - htmlAround);
  for (const [opening, closing] of hidden) {
    const opened = lower.lastIndexOf(opening, start);
    if (opened < 0) continue;
    const closed = lower.indexOf(closing, opened);
    if (closed < 0 || closed > start) start = opened;
  }
  const end = at + htmlAround;
  return { html: html.slice(start, end), isCut: start > 0 || end < html.length };
}

const lastBlank = /[^\S\ufeff][\S\ufeff]*$/;

/** Without the text before the first and after the last white space. */
function inside(text: string): string {
  return text.slice(Math.max(0, text.search(blank)), lastBlank.exec(text)?.index ?? 0);
}

function joined(ranges: Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of ranges.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push({ start: range.start, end: range.end });
  }
  return merged;
}
