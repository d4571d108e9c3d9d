import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { BaseFile } from "../postgres/base-files.ts";
import { BackupError } from "./backup-error.ts";

type Entries = AsyncIterable<{ file: BaseFile; content: AsyncIterable<Buffer> }>;

/** The files as one stream: for each the length of its head (4 bytes), the head as JSON, and the content. */
async function* framed(entries: Entries): AsyncGenerator<Buffer> {
  for await (const { file, content } of entries) {
    const head = Buffer.from(JSON.stringify(file));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(head.length);
    yield Buffer.concat([length, head]);
    yield* content;
  }
}

/** The same in pieces of one size, but for the last. */
export async function* inPieces(entries: Entries, size: number): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (let chunk of framed(entries)) {
    while (heldBytes + chunk.length >= size) {
      const rest = size - heldBytes;
      yield Buffer.concat([...held, chunk.subarray(0, rest)]);
      chunk = chunk.subarray(rest);
      held = [];
      heldBytes = 0;
    }
    held.push(chunk);
    heldBytes += chunk.length;
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}

/** Writes the files of such pieces below a folder. Throws BackupError if they end within a file. */
export async function unpack(pieces: AsyncIterable<Buffer>, folder: string): Promise<void> {
  const bytes = new Bytes(pieces);
  for (let length = await bytes.take(4, true); length; length = await bytes.take(4, true)) {
    const head = (await bytes.take(length.readUInt32BE()))!;
    const { path, size } = JSON.parse(head.toString()) as BaseFile;
    const there = join(folder, path);
    // Sealed by ourselves; but a path is never believed.
    if (path !== normalize(path) || !there.startsWith(`${folder}/`)) throw new BackupError(`the backup names ${path}`);
    if (path.endsWith("/")) await mkdir(there, { recursive: true, mode: 0o700 });
    else {
      await mkdir(dirname(there), { recursive: true, mode: 0o700 });
      await pipeline(Readable.from(bytes.next(size), { objectMode: false }), createWriteStream(there, { mode: 0o600 }));
    }
  }
}

/** Bytes that come in pieces, taken in other amounts. */
class Bytes {
  readonly #pieces: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(pieces: AsyncIterable<Buffer>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Undefined at the end, if there may be one here. */
  async take(length: number, mayEnd = false): Promise<Buffer | undefined> {
    const taken: Buffer[] = [];
    for await (const part of this.next(length, mayEnd)) taken.push(part);
    return taken.length === 0 ? undefined : Buffer.concat(taken);
  }

  async *next(length: number, mayEnd = false): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#pieces.next();
        if (done && mayEnd && left === length) return;
        if (done) throw new BackupError("the backup of the database ends within a file");
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }
}
