import { type FileHandle, open } from "node:fs/promises";
import { asDate } from "../../mime/date.ts";
import { maxMessage } from "./stored-form.ts";

/** A message of an mbox file, as it stands there. */
export interface MboxMessage {
  /** The offset of its From_ line in the file. */
  at: number;
  /** That line, without "From " and line break. */
  from: string;
  /** What follows the line, without the empty line that parts it from the next; undefined if it is over `maxMessage`. */
  bytes: Buffer | undefined;
  /** Its Content-Length says where it ends, and there the next one begins. */
  isMeasured: boolean;
}

const pieceOctets = 1_000_000;
/** A From_ line is shorter. */
const maxLine = 1000;
const LF = 0x0a;
const separator = Buffer.from("\nFrom ");

/** The part of a file that is in memory. */
class Window {
  buffer: Buffer = Buffer.alloc(0);
  start = 0;
  isAtEnd = false;
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Reads on; a long message is read in growing pieces. */
  async more(): Promise<void> {
    const piece = Buffer.allocUnsafe(Math.max(pieceOctets, this.buffer.length));
    const { bytesRead } = await this.#file.read(piece, 0, piece.length, this.start + this.buffer.length);
    if (bytesRead === 0) this.isAtEnd = true;
    else this.buffer = Buffer.concat([this.buffer, piece.subarray(0, bytesRead)]);
  }

  drop(octets: number): void {
    this.buffer = this.buffer.subarray(octets);
    this.start += octets;
  }
}

/** Whether the file begins as an mbox file does. */
export async function isMbox(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(5), 0, 5, 0);
    return bytesRead === 5 && buffer.toString("latin1") === "From ";
  } finally {
    await file.close();
  }
}

/**
 * RFC 4155, and what programs make of it: the messages of an mbox file. `byLength`: a Content-Length that leads to the next
 * message, or the end, says where a message ends; so lines in it may begin with "From ".
 */
export async function* splitMbox(path: string, byLength: boolean): AsyncGenerator<MboxMessage> {
  const file = await open(path, "r");
  try {
    const window = new Window(file);
    await window.more();
    // Programs that write no date into the line quote all others that begin so.
    const isLax = !isDated(lineAt(window.buffer, 0));
    while (window.buffer.length > 0 || !window.isAtEnd) {
      const message = await next(window, byLength, isLax);
      if (!message) return;
      yield message;
    }
  } finally {
    await file.close();
  }
}

async function next(window: Window, byLength: boolean, isLax: boolean): Promise<MboxMessage | undefined> {
  while (window.buffer.indexOf(LF) === -1 && !window.isAtEnd) await window.more();
  if (window.buffer.length === 0) return undefined;
  const at = window.start;
  const from = lineAt(window.buffer, 0).slice("From ".length);
  const lineEnd = window.buffer.indexOf(LF);
  window.drop(lineEnd === -1 ? window.buffer.length : lineEnd + 1);
  const measured = byLength ? await measuredEnd(window) : undefined;
  if (measured) {
    const bytes = Buffer.from(window.buffer.subarray(0, measured.end));
    window.drop(measured.next);
    return { at, from, bytes, isMeasured: true };
  }
  let isTooLarge = false;
  for (let searched = 0; ; ) {
    // The message may be empty: then the separator's line break is that of the From_ line.
    const isAtOnce = searched === 0 && (await isSeparator(window, -1, isLax));
    const found = isAtOnce ? -1 : window.buffer.indexOf(separator, searched);
    if (found === -1 && !isAtOnce) {
      if (window.isAtEnd) {
        const bytes = isTooLarge ? undefined : Buffer.from(withoutEmptyLine(window.buffer));
        window.drop(window.buffer.length);
        return { at, from, bytes, isMeasured: false };
      }
      searched = Math.max(0, window.buffer.length - separator.length);
      if (window.buffer.length > maxMessage) {
        isTooLarge = true;
        window.drop(searched);
        searched = 0;
      }
      await window.more();
    } else if (isAtOnce || (await isSeparator(window, found, isLax))) {
      const bytes = isTooLarge ? undefined : Buffer.from(withoutEmptyLine(window.buffer.subarray(0, found + 1)));
      window.drop(found + 1);
      return { at, from, bytes, isMeasured: false };
    } else searched = found + 1;
  }
}

/** Where the message ends by its Content-Length, if the next one, or the end of the file, comes there. */
async function measuredEnd(window: Window): Promise<{ end: number; next: number } | undefined> {
  let header = headerLength(window.buffer);
  while (header === undefined && !window.isAtEnd && window.buffer.length < pieceOctets) {
    await window.more();
    header = headerLength(window.buffer);
  }
  if (header === undefined) return undefined;
  const length = /^content-length:[ \t]*(\d{1,9})[ \t]*\r?$/im.exec(window.buffer.toString("latin1", 0, header))?.[1];
  if (length === undefined || Number(length) > maxMessage) return undefined;
  const end = header + Number(length);
  while (window.buffer.length < end + 16 && !window.isAtEnd) await window.more();
  if (window.buffer.length < end) return undefined;
  const after = window.buffer.toString("latin1", end, end + 16);
  const gap = /^(?:\r?\n){0,2}/.exec(after)![0].length;
  const isEnd = window.isAtEnd && window.buffer.length === end + gap;
  const isNext = after.startsWith("From ", gap) && (gap > 0 || window.buffer[end - 1] === LF);
  return isEnd || isNext ? { end, next: end + gap } : undefined;
}

/** The octets of the header with its empty line. */
function headerLength(buffer: Buffer): number | undefined {
  const [plain, withReturn] = [buffer.indexOf("\n\n"), buffer.indexOf("\n\r\n")];
  if (withReturn !== -1 && (plain === -1 || withReturn < plain)) return withReturn + 3;
  return plain === -1 ? undefined : plain + 2;
}

/** Whether a From_ line follows the line break at `at`: it has a date, and an empty line before it or a field after it. */
async function isSeparator(window: Window, at: number, isLax: boolean): Promise<boolean> {
  while (window.buffer.length < at + 2 * maxLine && !window.isAtEnd) await window.more();
  const { buffer } = window;
  if (!buffer.subarray(at + 1, at + 6).equals(separator.subarray(1))) return false;
  const line = lineAt(buffer, at + 1);
  const isAfterEmpty = at < 1 || buffer[at - 1] === LF || (buffer[at - 1] === 0x0d && buffer[at - 2] === LF);
  if (isLax && isAfterEmpty && at >= 0) return true;
  if (!isDated(line)) return false;
  if (isAfterEmpty && at >= 0) return true;
  const end = buffer.indexOf(LF, at + 1);
  return end !== -1 && /^[!-9;-~]+:/.test(lineAt(buffer, end + 1));
}

function lineAt(buffer: Buffer, start: number): string {
  const end = buffer.subarray(start, start + maxLine).indexOf(LF);
  return buffer
    .toString("latin1", start, end === -1 ? Math.min(start + maxLine, buffer.length) : start + end)
    .replace(/\r$/, "");
}

const dated =
  /^From .*\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*\b\d{1,2}:\d{2}(?::\d{2})?\b.*\b(?:19|20)\d\d\b|^From .*\b(?:19|20)\d\d\b.*\b\d{1,2}:\d{2}(?::\d{2})?\b/i;

function isDated(line: string): boolean {
  return line.length < maxLine && dated.test(line);
}

function withoutEmptyLine(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== LF) return bytes;
  if (bytes.length === 1) return bytes.subarray(0, 0);
  if (bytes.at(-2) === LF) return bytes.subarray(0, -1);
  return bytes.at(-2) === 0x0d && bytes.at(-3) === LF ? bytes.subarray(0, -2) : bytes;
}

/** The date in a From_ line, in RFC 3339; Gmail puts the zone before the year. A line without a zone may mean any. */
export function dateInLine(from: string): { date: string | null; hasZone: boolean } {
  const text = /(?:^|\s)((?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*)$/i.exec(from)?.[1]?.trim() ?? "";
  const date = asDate(text.replace(/ ([+-]\d{4}) (\d{4})$/, " $2 $1"));
  return { date, hasZone: /[+-]\d{4}\b/.test(text) };
}
