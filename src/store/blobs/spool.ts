import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import type { ObjectStore, StoredBlob } from "./objects/object-store.ts";

/** More bytes came than the spool was made for. */
export class TooLarge extends Error {
  readonly limit: number;

  constructor(limit: number) {
    super(`more than ${limit} bytes`);
    this.limit = limit;
  }
}

const inMemory = 1024 * 1024;
/** What comes in pieces is put together to blocks of this size. */
const blockSize = 64 * 1024;

/** Bytes that are still coming in, hashed on the way: in memory while few, then in a temporary file. */
export class Spool {
  readonly #objects: ObjectStore;
  readonly #maxBytes: number;
  readonly #today: () => string;
  readonly #hash: Hash = createHash("sha256");
  #chunks: Uint8Array[] = [];
  /** The block that is being filled, and how far. */
  #block: Buffer | undefined;
  #filled = 0;
  #path: string | undefined;
  #file: FileHandle | undefined;
  #stored: StoredBlob | undefined;
  #size = 0;

  constructor(objects: ObjectStore, maxBytes: number, today: () => string) {
    this.#objects = objects;
    this.#maxBytes = maxBytes;
    this.#today = today;
  }

  get size(): number {
    return this.#size;
  }

  /** Throws TooLarge; await it before the next. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#size + chunk.length > this.#maxBytes) throw new TooLarge(this.#maxBytes);
    this.#size += chunk.length;
    for (let at = 0; at < chunk.length; ) {
      this.#block ??= Buffer.allocUnsafe(blockSize);
      const piece = chunk.subarray(at, at + blockSize - this.#filled);
      this.#block.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === blockSize) await this.#endBlock();
    }
  }

  async #endBlock(): Promise<void> {
    if (!this.#block) return;
    const block = this.#block.subarray(0, this.#filled);
    this.#block = undefined;
    this.#filled = 0;
    this.#hash.update(block);
    if (!this.#file && this.#size <= inMemory) {
      this.#chunks.push(block);
      return;
    }
    if (!this.#file) {
      this.#path = await this.#objects.temporaryPath();
      this.#file = await open(this.#path, "wx", 0o600);
      for (const held of this.#chunks) await this.#append(held);
      this.#chunks = [];
    }
    await this.#append(block);
  }

  /** Durable on return. No bytes can be written after it. */
  async finish(): Promise<StoredBlob> {
    await this.#endBlock();
    this.#stored ??= { sha256: this.#hash.digest(), day: this.#today(), size: this.#size };
    const path = this.#path;
    if (path) {
      await this.#close();
      await this.#objects.putFile(this.#stored, path);
      this.#path = undefined;
    } else {
      await this.#objects.put(this.#stored, await this.bytes());
    }
    return this.#stored;
  }

  async abort(): Promise<void> {
    this.#chunks = [];
    this.#block = undefined;
    await this.#close();
    if (this.#path) await rm(this.#path, { force: true });
    this.#path = undefined;
  }

  /** All that was spooled, before or after `finish`. */
  async bytes(): Promise<Buffer> {
    await this.#endBlock();
    if (this.#path) return readFile(this.#path);
    if (this.#chunks.length === 0 && this.#size > 0) {
      const bytes = this.#stored && (await this.#objects.read(this.#stored));
      if (!bytes) throw new Error("the spool was aborted");
      return bytes;
    }
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  async #append(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.length; ) {
      written += (await this.#file!.write(chunk, written)).bytesWritten;
    }
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}
