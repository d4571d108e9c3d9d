/** A stretch of a text that matches. */
export interface Range {
  start: number;
  end: number;
}

const open = "<mark>";
const close = "</mark>";
const dots = "…";
/** RFC 8621 §5 */
const maxPreview = 255;
/** Octets of context before the first match. */
const maxBefore = 60;
/** How many characters after the first match are examined. */
const maxAfter = 4 * maxPreview;

const isLowSurrogate = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const escaped = (text: string) => text.replace(/[&<>]/g, (char) => entities[char]!);

/** Zero-width characters and control characters. */
const invisible = /\u034f|[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/;
const space = /\s/;
/** As `space`, except the byte order mark, which separates no words. */
export const blank = /[^\S\ufeff]/;

/** The whole text as HTML, with the ranges marked. */
export function marked(text: string, ranges: readonly Range[]): string {
  let html = "";
  let at = 0;
  for (const { start, end } of ranges) {
    html += `${escaped(text.slice(at, start))}${open}${escaped(text.slice(start, end))}${close}`;
    at = end;
  }
  return html + escaped(text.slice(at));
}

/** A character as shown in a preview; white space and invisible characters become one blank at most. */
function shown(char: string, afterBlank: boolean): string {
  const form = forms[char.charCodeAt(0)] ?? formOf(char);
  return form === " " && afterBlank ? "" : form;
}

function formOf(char: string): string {
  if (invisible.test(char)) return "";
  return space.test(char) ? " " : (entities[char] ?? char);
}

/** Precomputed for ASCII, in which most mail is written. */
const forms = Array.from({ length: 0x80 }, (_, code) => formOf(String.fromCharCode(code)));

/** RFC 8621 §5: at most 255 octets of HTML around the first of the ranges, with all of them marked. */
export function excerpt(text: string, ranges: readonly Range[]): string {
  const from = contextStart(text, ranges[0]!.start);
  const out = new Excerpt(from > 0);
  let at = from;
  for (const { start, end } of ranges) {
    if (!out.add(text.slice(at, start), false) || !out.add(text.slice(start, end), true)) return out.cut();
    at = end;
  }
  // Far more than fits.
  return out.add(text.slice(at, at + maxAfter), false) ? out.html : out.cut();
}

/** Where the shown part of the text ends if it begins at `from`. */
export function shownEnd(text: string, from: number): number {
  let at = from;
  let octets = 0;
  let afterBlank = false;
  for (const char of text.slice(from, from + maxAfter)) {
    const piece = shown(char, afterBlank);
    if (piece !== "") afterBlank = piece === " ";
    octets += octetsOf(piece);
    if (octets > maxPreview) break;
    at += char.length;
  }
  return at;
}

/** Where the context before the match begins: a few words earlier. */
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
  const found = blank.exec(text.slice(at, match));
  return found ? at + found.index + 1 : at;
}

/** The octets of one character or one entity. */
const octetsOf = (piece: string) => (piece.length === 1 && piece.charCodeAt(0) < 0x80 ? 1 : Buffer.byteLength(piece));

/** HTML that grows to at most 255 octets. */
class Excerpt {
  html: string;
  #octets: number;
  #afterBlank = true;

  constructor(isCut: boolean) {
    this.html = isCut ? dots : "";
    this.#octets = Buffer.byteLength(this.html);
  }

  /** Returns false if not everything fitted. */
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

  /** Replaces what was left out by dots. */
  cut(): string {
    return `${this.html.trimEnd()}${dots}`;
  }
}
