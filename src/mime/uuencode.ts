import { Base64Decoder, base64Size, decodeBase64 } from "./base64.ts";
import type { TransferDecoder } from "./transfer-decoder.ts";

/** How far into the bytes the first line of a file is searched for. */
const maxStart = 4096;
const firstLine = /(?:^|\n)begin(-base64)?[ \t]+[0-7]{3,4}[ \t][^\n]*\n/;
/** A line holds at most 63 bytes, in 84 characters after their count. */
const maxLineLength = 128;
/**
 * How many of the bytes that a line counts may have been blanks lost at its end. Without a limit, a few lines would
 * decode to megabytes.
 */
const maxMissing = 3;
const LF = 0x0a;
const nothing = Buffer.alloc(0);

/**
 * Where the lines of the first file begin, and whether they are in base64 (which "=" ends); undefined without a file.
 */
function fileStart(bytes: Buffer): { start: number; isBase64: boolean } | undefined {
  const found = firstLine.exec(bytes.toString("latin1", 0, maxStart));
  return found ? { start: found.index + found[0].length, isBase64: found[1] !== undefined } : undefined;
}

/** True for "end", possibly followed by blanks. */
function isLastLine(bytes: Buffer, at: number, end: number): boolean {
  return bytes[at] === 0x65 && bytes.toString("latin1", at, Math.min(at + 5, end)).trimEnd() === "end";
}

/** The value of a character. Blanks at a line's end get lost, so a missing character counts as a blank. */
const value = (byte: number): number => (byte === 0x0d ? 0 : (byte - 0x20) & 0x3f);

/** Writes the bytes of the line [at, end) to `out` if given, and returns their number. */
function decodeLine(bytes: Buffer, at: number, end: number, out: Buffer | undefined, start: number): number {
  const first = bytes[at]!;
  if (at === end || first < 0x20 || first > 0x60) return 0;
  const count = Math.min(value(first), Math.floor(((end - at - 1) * 3) / 4) + maxMissing);
  if (!out) return count;
  let bits = 0;
  let held = 0;
  for (let from = at + 1, to = start; to < start + count; from++) {
    bits = ((bits << 6) | (from < end ? value(bytes[from]!) : 0)) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out[to++] = bits >> held;
  }
  return count;
}

/** Decodes whole lines from `at` on: the number of bytes, how far it read, and whether the file ended. */
function decodeLines(
  bytes: Buffer,
  start: number,
  isLast: boolean,
  out?: Buffer,
): { size: number; read: number; isOver: boolean } {
  let size = 0;
  let at = start;
  while (at < bytes.length) {
    const lineEnd = bytes.indexOf(LF, at);
    if (lineEnd === -1 && !isLast) break;
    const end = lineEnd === -1 ? bytes.length : lineEnd;
    if (isLastLine(bytes, at, end)) return { size, read: bytes.length, isOver: true };
    size += decodeLine(bytes, at, end, out, size);
    at = lineEnd === -1 ? end : end + 1;
  }
  return { size, read: at, isOver: false };
}

/**
 * POSIX uuencode, for Content-Transfer-Encoding: x-uuencode: the bytes of the first file; without one, all bytes
 * unchanged.
 */
export function decodeUu(bytes: Buffer): Buffer {
  const file = fileStart(bytes);
  if (!file) return bytes;
  const { start, isBase64 } = file;
  if (isBase64) return decodeBase64(bytes.subarray(start));
  const out = Buffer.allocUnsafe(decodeLines(bytes, start, true).size);
  decodeLines(bytes, start, true, out);
  return out;
}

/** The number of bytes that `decodeUu` would return. */
export function uuSize(bytes: Buffer): number {
  const file = fileStart(bytes);
  if (!file) return bytes.length;
  const { start, isBase64 } = file;
  return isBase64 ? base64Size(bytes.subarray(start)) : decodeLines(bytes, start, true).size;
}

export class UuDecoder implements TransferDecoder {
  #state: "before" | "file" | "after" | "plain" = "before";
  /** Bytes read but not yet decided: the start, or a line whose end has not arrived. */
  #waiting: Buffer = nothing;
  /** Decodes the file if it is in base64. */
  #base64: Base64Decoder | undefined;

  push(bytes: Uint8Array): Buffer {
    if (this.#base64) return this.#base64.push(bytes);
    const piece = Buffer.from(bytes);
    if (this.#state === "plain") return piece;
    if (this.#state === "after") return nothing;
    const all = this.#waiting.length > 0 ? Buffer.concat([this.#waiting, piece]) : piece;
    if (this.#state === "file") return this.#lines(all, 0, false);
    this.#waiting = all;
    return all.length < maxStart ? nothing : this.#begin();
  }

  end(): Buffer {
    if (this.#state === "before") return Buffer.concat([this.#begin(), this.#rest()]);
    return this.#rest();
  }

  #rest(): Buffer {
    if (this.#base64) return this.#base64.end();
    return this.#state === "file" ? this.#lines(this.#waiting, 0, true) : nothing;
  }

  #begin(): Buffer {
    const all = this.#waiting;
    this.#waiting = nothing;
    const file = fileStart(all);
    this.#state = file ? "file" : "plain";
    if (!file) return all;
    if (!file.isBase64) return this.#lines(all, file.start, false);
    this.#base64 = new Base64Decoder();
    return this.#base64.push(all.subarray(file.start));
  }

  #lines(bytes: Buffer, start: number, isLast: boolean): Buffer {
    const { size, read, isOver } = decodeLines(bytes, start, isLast);
    const out = Buffer.allocUnsafe(size);
    decodeLines(bytes, start, isLast, out);
    if (isOver) this.#state = "after";
    // Of a line without an end, no more is kept than may count.
    this.#waiting = Buffer.from(bytes.subarray(read, read + maxLineLength));
    return out;
  }
}
