import { describe, isDescriptive } from "./describe.ts";
import { readHeader } from "./field.ts";
import type { Part } from "./structure.ts";
import { decodedSize } from "./transfer.ts";
import { view } from "./view.ts";

export { headerEnd } from "./field.ts";

/** Deeper multiparts, and parts beyond this number, stay opaque: no genuine mail has them. */
const maxDepth = 100;
const maxParts = 20_000;

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;
const dashLine = Buffer.from("\n--");

const hash = (value: number, byte: number): number => (Math.imul(value, 31) + byte) | 0;

/** A multipart whose end has not been seen yet. */
interface Open {
  part: Part;
  boundary: string;
  /** The level that this boundary had before: an outer multipart may use the same boundary. */
  shadowed: number | undefined;
  sawDelimiter: boolean;
}

interface Delimiter {
  start: number;
  /** Where the next line starts. */
  end: number;
  level: number;
  closing: boolean;
}

/** RFC 2046 §5.1.1, in one pass over the bytes with a stack of open multiparts. */
class Walker {
  readonly #bytes: Buffer;
  readonly #open: Open[] = [];
  /** Boundary → level in the stack. A map, so that a line costs the same at any depth. */
  readonly #levels = new Map<string, number>();
  readonly #hashes = new Set<number>();
  #longest = 0;
  #leaves = 0;
  #parts = 0;
  /** Parts that end before the next delimiter. */
  #ending: Part[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = view(bytes);
  }

  walk(): Part {
    const root = this.#part(0, false);
    let from = root.body.start;
    for (;;) {
      const delimiter = this.#nextDelimiter(from);
      const end = delimiter === undefined ? this.#bytes.length : this.#contentEnd(from, delimiter.start);
      for (const part of this.#ending) this.#finish(part, end);
      this.#ending = [];
      this.#closeAbove(delimiter?.level ?? -1, end);
      if (delimiter === undefined) return root;
      from = this.#delimiter(delimiter);
    }
  }

  /** The line break before a delimiter belongs to the delimiter. */
  #contentEnd(from: number, line: number): number {
    let end = line;
    if (end > from && this.#bytes[end - 1] === LF) end--;
    if (end > from && this.#bytes[end - 1] === CR) end--;
    return end;
  }

  #finish(part: Part, end: number): void {
    part.body.end = Math.max(end, part.body.start);
    const encoding = part.parts === null ? part.encoding : "binary";
    part.size = decodedSize(this.#bytes.subarray(part.body.start, part.body.end), encoding);
  }

  #closeAbove(level: number, end: number): void {
    while (this.#open.length > level + 1) {
      const { part, sawDelimiter } = this.#pop();
      if (!sawDelimiter) this.#opaque(part);
      this.#finish(part, end);
    }
  }

  /** A multipart that turns out to have no part is read as text. */
  #opaque(part: Part): void {
    part.parts = null;
    part.type = "text/plain";
    part.charset ??= "us-ascii";
    part.partId = String(++this.#leaves);
  }

  #pop(): Open {
    const open = this.#open.pop()!;
    if (open.shadowed === undefined) this.#levels.delete(open.boundary);
    else this.#levels.set(open.boundary, open.shadowed);
    return open;
  }

  /** Begins what follows a delimiter line, and returns where to look for the next. */
  #delimiter({ level, closing, end }: Delimiter): number {
    const open = this.#open[level]!;
    open.sawDelimiter = true;
    if (closing) {
      this.#pop();
      this.#ending = [open.part];
      return end;
    }
    if (this.#parts >= maxParts) {
      this.#pop();
      const { part } = describe([{ name: "Content-Type", value: "application/octet-stream" }], false);
      part.header = { start: end, end };
      part.body = { start: end, end };
      part.partId = String(++this.#leaves);
      open.part.parts!.push(part);
      this.#ending = [part, open.part];
      return end;
    }
    const part = this.#part(end, open.part.type === "multipart/digest");
    open.part.parts!.push(part);
    return part.body.start;
  }

  /** Reads the header at `start`. Opens a multipart; any other part ends at the next delimiter. */
  #part(start: number, inDigest: boolean): Part {
    const stop = (line: number, lineEnd: number): boolean => this.#match(line, lineEnd) !== undefined;
    const { fields, end } = readHeader(this.#bytes, isDescriptive, { start, stop });
    const { part, boundary } = describe(fields, inDigest);
    let body = end;
    if (this.#bytes[body] === CR && this.#bytes[body + 1] === LF) body += 2;
    else if (this.#bytes[body] === LF) body++;
    part.header = { start, end };
    part.body = { start: body, end: body };
    this.#parts++;
    if (boundary !== null && this.#open.length < maxDepth) {
      part.parts = [];
      this.#open.push({ part, boundary, shadowed: this.#levels.get(boundary), sawDelimiter: false });
      this.#levels.set(boundary, this.#open.length - 1);
      this.#longest = Math.max(this.#longest, boundary.length);
      this.#hashes.add(Buffer.from(boundary, "latin1").reduce(hash, 0));
    } else {
      part.partId = String(++this.#leaves);
      if (boundary !== null) part.type = "application/octet-stream";
      this.#ending = [part];
    }
    return part;
  }

  /** The next line, from the line start `from` on, that begins with two dashes. */
  #nextDashLine(from: number): number {
    const bytes = this.#bytes;
    if (bytes[from] === DASH && bytes[from + 1] === DASH) return from;
    // Searches the first octets by hand: a native search costs more for short lines, and there may be very many.
    const near = Math.min(bytes.length, from + 256);
    let at = from;
    while (at < near) {
      if (bytes[at++] === LF && bytes[at] === DASH && bytes[at + 1] === DASH) return at;
    }
    const hit = bytes.indexOf(dashLine, at);
    return hit === -1 ? -1 : hit + 1;
  }

  #nextDelimiter(from: number): Delimiter | undefined {
    const bytes = this.#bytes;
    if (this.#levels.size === 0) return undefined;
    for (let line = this.#nextDashLine(from); line !== -1; ) {
      let end = line;
      while (end < bytes.length && bytes[end] !== LF) end++;
      const found = this.#match(line, end);
      if (found !== undefined) return found;
      if (end + 1 >= bytes.length) return undefined;
      line = this.#nextDashLine(end + 1);
    }
    return undefined;
  }

  /** A cheap check that rejects most lines before a string is made of them. */
  #mayMatch(start: number, end: number): boolean {
    let value = 0;
    for (let at = start; at < end; at++) {
      if (at === end - 2 && this.#hashes.has(value)) return true;
      value = hash(value, this.#bytes[at]!);
    }
    return this.#hashes.has(value);
  }

  /**
   * RFC 2046 §5.1.1: the line must be the delimiter, followed by nothing but blanks, since one boundary may begin with
   * another.
   */
  #match(line: number, end: number): Delimiter | undefined {
    const bytes = this.#bytes;
    if (bytes[line] !== DASH || bytes[line + 1] !== DASH) return undefined;
    let last = end;
    while (last > line && (bytes[last - 1] === CR || bytes[last - 1] === 0x20 || bytes[last - 1] === 0x09)) last--;
    const length = last - line - 2;
    if (length < 1 || length > this.#longest + 2) return undefined;
    if (!this.#mayMatch(line + 2, last)) return undefined;
    const text = bytes.toString("latin1", line + 2, last);
    const next = Math.min(end + 1, bytes.length);
    const level = this.#levels.get(text);
    if (level !== undefined) return { start: line, end: next, level, closing: false };
    if (!text.endsWith("--")) return undefined;
    const closed = this.#levels.get(text.slice(0, -2));
    return closed === undefined ? undefined : { start: line, end: next, level: closed, closing: true };
  }
}

/** RFC 2045, RFC 2046: the MIME tree of a message. Never throws; message/* is a leaf. */
export function walk(message: Uint8Array): Part {
  return new Walker(message).walk();
}
