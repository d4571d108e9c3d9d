import { Base64Decoder, base64Size, decodeBase64 } from "./base64.ts";
import type { TransferDecoder } from "./transfer-decoder.ts";

/** How far into the bytes the first line of a file is looked for. */
const within = 4096;
const firstLine = /(?:^|\n)begin(-base64)?[ \t]+[0-7]{3,4}[ \t][^\n]*\n/;
/** A line holds 63 bytes at most, in 84 characters after their count. */
const longestLine = 128;
/** Of the bytes that a line counts, how many may have been blanks at its end: else a few lines would be megabytes. */
const mostMissing = 3;
const LF = 0x0a;
const nothing = Buffer.alloc(0);

/** Where the lines of the first file begin, and whether they are in base64 (then "=" ends them); undefined without one. */
function fileStart(bytes: Buffer): { start: number; isBase64: boolean } | undefined {
  const found = firstLine.exec(bytes.toString("latin1", 0, within));
  return found ? { start: found.index + found[0].length, isBase64: found[1] !== undefined } : undefined;
}

/** "end", and blanks after it. */
function isLastLine(bytes: Buffer, at: number, end: number): boolean {
  return bytes[at] === 0x65 && bytes.toString("latin1", at, Math.min(at + 5, end)).trimEnd() === "end";
}

/** The value of a character; of one that is missing, since blanks at a line's end get lost, that of a blank. */
const value = (byte: number): number => (byte === 0x0d ? 0 : (byte - 0x20) & 0x3f);

/** Writes the bytes of the line [at, end) to `out` when given, and tells how many they are. */
function decodeLine(bytes: Buffer, at: number, end: number, out: Buffer | undefined, start: number): number {
  const first = bytes[at]!;
  if (at === end || first < 0x20 || first > 0x60) return 0;
  const count = Math.min(value(first), Math.floor(((end - at - 1) * 3) / 4) + mostMissing);
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

/** Whole lines from `at` on: how many bytes they give, how far they were read, whether the file ended. */
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

/** POSIX uuencode, as Content-Transfer-Encoding: x-uuencode has it: the bytes of the first file; without one, all as it is. */
export function decodeUu(bytes: Buffer): Buffer {
  const file = fileStart(bytes);
  if (!file) return bytes;
  const { start, isBase64 } = file;
  if (isBase64) return decodeBase64(bytes.subarray(start));
  const out = Buffer.allocUnsafe(decodeLines(bytes, start, true).size);
  decodeLines(bytes, start, true, out);
  return out;
}

/** How many bytes `decodeUu` would give. */
export function uuSize(bytes: Buffer): number {
  const file = fileStart(bytes);
  if (!file) return bytes.length;
  const { start, isBase64 } = file;
  return isBase64 ? base64Size(bytes.subarray(start)) : decodeLines(bytes, start, true).size;
}

export class UuDecoder implements TransferDecoder {
  #state: "before" | "file" | "after" | "plain" = "before";
  /** What was read and not decided: the start, or a line whose end is to come. */
  #waiting: Buffer = nothing;
  /** Reads the file where it is in base64. */
  #base64: Base64Decoder | undefined;

  push(bytes: Uint8Array): Buffer {
    if (this.#base64) return this.#base64.push(bytes);
    const piece = Buffer.from(bytes);
    if (this.#state === "plain") return piece;
    if (this.#state === "after") return nothing;
    const all = this.#waiting.length > 0 ? Buffer.concat([this.#waiting, piece]) : piece;
    if (this.#state === "file") return this.#lines(all, 0, false);
    this.#waiting = all;
    return all.length < within ? nothing : this.#begin();
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
    this.#waiting = Buffer.from(bytes.subarray(read, read + longestLine));
    return out;
  }
}
