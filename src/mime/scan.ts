import { view } from "./view.ts";

/** RFC 5322 §2.2: one header field by its octets in the message, with the lines that continue it. */
export interface FieldPlace {
  /** As written. */
  name: string;
  /** The start of its first line. */
  start: number;
  /** Where the text after the colon starts. */
  value: number;
  /** After the field's last line break. */
  end: number;
}

export interface ScanOptions {
  /** Where the header begins. (Default: 0.) */
  start?: number;
  /**
   * Whether other fields will stand in front, such as the trace fields of an incoming message: then a first line that
   * is not a field is skipped like any other. (Default: false, and such a line begins the body.)
   */
  isContinued?: boolean;
  /** Tells whether the header ends before a line, given the line's start and its line feed. */
  stop?: (line: number, end: number) => boolean;
}

const NUL = 0x00;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/**
 * RFC 5322 §2.1: reports the fields of a header block one by one, and returns its end: after the line break of its last
 * line, before the empty line. Everything that shows, judges, signs or removes fields uses this one reading. Skips
 * lines that are not fields, with the lines that continue them. Ignores a UTF-8 byte order mark before a name, and NUL
 * anywhere. A block whose first line is not a field is empty.
 */
export function scanHeader(
  message: Uint8Array,
  take: (field: FieldPlace) => void,
  { start = 0, isContinued = false, stop }: ScanOptions = {},
): number {
  const bytes = view(message);
  let field: FieldPlace | undefined;
  let line = start;
  while (line < bytes.length) {
    const first = bytes[line]!;
    if (first === LF || (first === CR && bytes[line + 1] === LF)) break;
    const end = lineEnd(bytes, line);
    if (stop?.(line, end)) break;
    const next = Math.min(end + 1, bytes.length);
    if (isFolded(bytes, line) && (line > start || isContinued)) {
      if (field) field.end = next;
    } else {
      if (field) take(field);
      field = fieldAt(bytes, line, end);
      if (field) field.end = next;
      else if (line === start && !isContinued && !isMboxLine(bytes, line)) return start;
    }
    line = next;
  }
  if (field) take(field);
  return line;
}

/** RFC 8621 §4.1.2.1: the text after the colon, up to the final line break. Octets that are not UTF-8 become U+FFFD. */
export function valueAt(message: Uint8Array, { value, end }: FieldPlace): string {
  const decoded = view(message).toString("utf8", value, end);
  const text = decoded.includes("\0") ? decoded.replaceAll("\0", "") : decoded;
  if (!text.endsWith("\n")) return text;
  return text.slice(0, text.endsWith("\r\n") ? -2 : -1);
}

/** The next line feed, or the end. */
function lineEnd(bytes: Buffer, start: number): number {
  // Searches the first octets by hand: a native search costs more for short lines, and there may be very many.
  const near = Math.min(bytes.length, start + 100);
  for (let at = start; at < near; at++) if (bytes[at] === LF) return at;
  const found = bytes.indexOf(LF, near);
  return found === -1 ? bytes.length : found;
}

/** RFC 5322 §2.2.3 */
function isFolded(bytes: Buffer, line: number): boolean {
  const first = bytes[skipNul(bytes, line)];
  return first === SPACE || first === TAB;
}

/** RFC 5322 §2.2, with the obsolete blanks before the colon (§4.5). */
function fieldAt(bytes: Buffer, line: number, end: number): FieldPlace | undefined {
  let at = skipNul(bytes, line);
  if (hasMark(bytes, at)) at = skipNul(bytes, at + 3);
  const start = at;
  while (at < end && isNameOctet(bytes[at]!)) at++;
  const nameEnd = at;
  while (at < end && isBlank(bytes[at]!)) at++;
  if (at >= end || bytes[at] !== COLON || nameEnd === start) return undefined;
  const written = bytes.toString("latin1", start, nameEnd);
  const name = written.includes("\0") ? written.replaceAll("\0", "") : written;
  return { name, start: line, value: at + 1, end };
}

const isNameOctet = (octet: number): boolean => (octet > SPACE && octet < 0x7f && octet !== COLON) || octet === NUL;
const isBlank = (octet: number): boolean => octet === SPACE || octet === TAB || octet === NUL;

function skipNul(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === NUL) at++;
  return at;
}

/** The UTF-8 byte order mark that some editors put in front of a saved message. */
const hasMark = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;

/** The "From " line of an mbox, tolerated at the start. */
function isMboxLine(bytes: Buffer, start: number): boolean {
  const at = bytes[start] === 0x3e ? start + 1 : start;
  return bytes[at] === 0x46 && bytes.toString("latin1", at, at + 5) === "From ";
}
