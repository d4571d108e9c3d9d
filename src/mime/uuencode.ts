/** Undoes a transfer encoding of bytes that come in pieces. */
export interface TransferDecoder {
  /** What is certain whatever follows. */
  push(bytes: Uint8Array): Buffer;
  /** The rest. */
  end(): Buffer;
}

/** How far into the bytes the first line of a file is looked for. */
const within = 4096;
const firstLine = /(?:^|\n)begin[ \t]+[0-7]{3,4}[ \t][^\n]*\n/;
/** A line holds 63 bytes at most, in 84 characters after their count. */
const longestLine = 128;
const LF = 0x0a;
const nothing = Buffer.alloc(0);

/**
 * POSIX uuencode, as Content-Transfer-Encoding: x-uuencode has it: the bytes of the first file. What has none is given
 * as it is.
 */
export class UuDecoder implements TransferDecoder {
  #state: "before" | "file" | "after" | "plain" = "before";
  /** What was read and not decided: the start, or a line whose end is to come. */
  #waiting: Buffer = nothing;

  push(bytes: Uint8Array): Buffer {
    const piece = Buffer.from(bytes);
    if (this.#state === "plain") return piece;
    if (this.#state === "after") return nothing;
    if (this.#state === "file") return this.#lines(piece, false);
    this.#waiting = Buffer.concat([this.#waiting, piece]);
    return this.#waiting.length < within ? nothing : this.#begin(false);
  }

  end(): Buffer {
    if (this.#state === "before") return this.#begin(true);
    return this.#state === "file" ? this.#lines(nothing, true) : nothing;
  }

  #begin(isLast: boolean): Buffer {
    const all = this.#waiting;
    this.#waiting = nothing;
    const found = firstLine.exec(all.toString("latin1", 0, within));
    this.#state = found ? "file" : "plain";
    return found ? this.#lines(all.subarray(found.index + found[0].length), isLast) : all;
  }

  #lines(piece: Buffer, isLast: boolean): Buffer {
    const bytes = this.#waiting.length > 0 ? Buffer.concat([this.#waiting, piece]) : piece;
    const out = Buffer.allocUnsafe(2 * bytes.length + mostMissing);
    let size = 0;
    let at = 0;
    while (at < bytes.length && this.#state === "file") {
      const end = bytes.indexOf(LF, at);
      if (end === -1 && !isLast) break;
      const line = bytes.subarray(at, end === -1 ? bytes.length : end);
      if (line.toString("latin1", 0, 5).trimEnd() === "end") this.#state = "after";
      else size += decodeLine(line, out, size);
      at = end === -1 ? bytes.length : end + 1;
    }
    // Of a line without an end, no more is kept than may count.
    this.#waiting = this.#state === "file" ? Buffer.from(bytes.subarray(at, at + longestLine)) : nothing;
    return out.subarray(0, size);
  }
}

/** The value of a character; of one that is missing, since blanks at a line's end get lost, that of a blank. */
const value = (byte: number | undefined): number => (byte === undefined || byte === 0x0d ? 0 : (byte - 0x20) & 0x3f);

/** Of the bytes that a line counts, how many may have been blanks at its end: else a few lines would be megabytes. */
const mostMissing = 3;

/** Writes the bytes of a line to `out`, and tells how many they are. */
function decodeLine(line: Buffer, out: Buffer, start: number): number {
  const first = line[0];
  if (first === undefined || first < 0x20 || first > 0x60) return 0;
  const count = Math.min(value(first), Math.floor(((line.length - 1) * 3) / 4) + mostMissing);
  for (let at = 0, from = 1; at < count; at += 3, from += 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map((next) => value(line[from + next])) as [number, number, number, number];
    const three = [(a << 2) | (b >> 4), (b << 4) | (c >> 2), (c << 6) | d];
    for (let byte = 0; byte < 3 && at + byte < count; byte++) out[start + at + byte] = three[byte]! & 0xff;
  }
  return count;
}

/** All at once. */
export function decodeUu(bytes: Uint8Array): Buffer {
  const decoder = new UuDecoder();
  return Buffer.concat([decoder.push(bytes), decoder.end()]);
}
