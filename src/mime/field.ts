import { view } from "./transfer.ts";

/** RFC 8621 §4.1.3: `value` is the Raw form, what follows the colon up to the final line break. */
export interface HeaderField {
  name: string;
  value: string;
}

const LF = 0x0a;
const CR = 0x0d;
const MARK = 0xfeff;

/** RFC 5322 §2.2, and the obsolete blanks before the colon. */
function isFieldStart(bytes: Uint8Array, start: number, end: number): boolean {
  start = hasMark(bytes, start) ? start + 3 : start;
  let at = start;
  while (at < end && bytes[at]! > 0x20 && bytes[at]! < 0x7f && bytes[at] !== 0x3a) at++;
  if (at === start) return false;
  while (at < end && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
  return at < end && bytes[at] === 0x3a;
}

/** The UTF-8 byte order mark that some editors put in front of a saved message. */
const hasMark = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;

/** The "From " line of an mbox, tolerated in front. */
function isMboxLine(bytes: Uint8Array, start: number): boolean {
  const at = bytes[start] === 0x3e ? start + 1 : start;
  return bytes[at] === 0x46 && view(bytes).toString("latin1", at, at + 5) === "From ";
}

/** As `headerEnd`, but also ending before a line that `stop` accepts. */
export function scanHeader(message: Uint8Array, start: number, stop: (line: number, end: number) => boolean): number {
  const length = message.length;
  for (let line = start; line < length; ) {
    const first = message[line];
    if (first === LF || (first === CR && message[line + 1] === LF)) return line;
    let end = line;
    while (end < length && message[end] !== LF) end++;
    if (stop(line, end)) return line;
    if (line === start && !isFieldStart(message, line, end) && !isMboxLine(message, line)) return start;
    line = end + 1;
  }
  return length;
}

/**
 * RFC 5322 §2.1: where the header block starting at `start` ends: after the line break of its last line, before the
 * empty line. A block whose first line is no header field is empty: the body starts at once.
 */
export function headerEnd(message: Uint8Array, start = 0): number {
  return scanHeader(message, start, () => false);
}

const fieldStart = /\ufeff?[\x21-\x39\x3b-\x7e]+[ \t]*:/y;

/**
 * RFC 8621 §4.1.2.1: the fields of a header block (or of a whole message) in order, in Raw form. Lines that are no
 * field are skipped; NUL is dropped and what is not UTF-8 becomes U+FFFD. There may be very many: nothing is made of
 * those whose name is not to be kept.
 */
export function parseHeader(bytes: Uint8Array, keep?: (name: string) => boolean): HeaderField[] {
  const decoded = view(bytes.subarray(0, headerEnd(bytes))).toString("utf8");
  const text = decoded.includes("\0") ? decoded.replaceAll("\0", "") : decoded;
  const fields: HeaderField[] = [];
  let start = 0;
  for (let at = 0; at < text.length; ) {
    const lf = text.indexOf("\n", at);
    at = lf === -1 ? text.length : lf + 1;
    const follows = text.charCodeAt(at);
    if (follows === 0x20 || follows === 0x09) continue;
    let end = lf === -1 ? at : lf;
    if (lf > start && text.charCodeAt(lf - 1) === CR) end--;
    fieldStart.lastIndex = start;
    if (fieldStart.test(text) && fieldStart.lastIndex <= end) {
      const { lastIndex } = fieldStart;
      const name = text.slice(text.charCodeAt(start) === MARK ? start + 1 : start, lastIndex - 1).trimEnd();
      if (!keep || keep(name)) fields.push({ name, value: text.slice(lastIndex, end) });
    }
    start = at;
  }
  return fields;
}

/** RFC 5322 §2.2.3: the line breaks go, the white space after them stays. */
export function unfold(raw: string): string {
  return raw.includes("\n") ? raw.replace(/\r?\n/g, "") : raw;
}

/** The last field of that name, or undefined. */
export function lastField(fields: HeaderField[], name: string): HeaderField | undefined {
  const wanted = name.toLowerCase();
  return fields.findLast((field) => field.name.length === wanted.length && field.name.toLowerCase() === wanted);
}
