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

/** Bytes that are still coming in, hashed on the way: in memory while few, then in a temporary file. */
export class Spool {
  readonly #objects: ObjectStore;
  readonly #maxBytes: number;
  readonly #today: () => string;
  readonly #hash: Hash = createHash("sha256");
  #chunks: Uint8Array[] = [];
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
    this.#hash.update(chunk);
    if (!this.#file && this.#size <= inMemory) {
      this.#chunks.push(Buffer.from(chunk));
      return;
    }
    if (!this.#file) {
      this.#path = await this.#objects.temporaryPath();
      this.#file = await open(this.#path, "wx", 0o600);
      for (const held of this.#chunks) await this.#append(held);
      this.#chunks = [];
    }
    await this.#append(chunk);
  }

  /** Durable on return. No bytes can be written after it. */
  async finish(): Promise<StoredBlob> {
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
    await this.#close();
    if (this.#path) await rm(this.#path, { force: true });
    this.#path = undefined;
  }

  /** All that was spooled, before or after `finish`. */
  async bytes(): Promise<Buffer> {
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
