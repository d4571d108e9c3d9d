import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import type { ObjectStore } from "./objects/object-store.ts";

/** More bytes arrived than allowed. */
export class TooLarge extends Error {
  readonly limit: number;

  constructor(limit: number) {
    super(`more than ${limit} bytes`);
    this.limit = limit;
  }
}

/** The memory that piles share. */
export class Room {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Returns false and takes nothing if there is not enough left. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** Each pile may hold this much in memory beside the shared room. */
const maxOwnBytes = 1024 * 1024;
/** Incoming pieces are joined into blocks of this size. */
const blockSize = 64 * 1024;

/** Bytes that are still arriving: in memory while they are few or there is room, then in a temporary file. */
export class Pile {
  protected readonly objects: ObjectStore;
  readonly #maxBytes: number;
  readonly #room: Room;
  /** How many bytes it has taken from the room. */
  #taken = 0;
  #chunks: Uint8Array[] = [];
  /** The block being filled; `#filled` is how far. */
  #block: Buffer | undefined;
  #filled = 0;
  #path: string | undefined;
  #file: FileHandle | undefined;
  #size = 0;

  constructor(objects: ObjectStore, maxBytes: number, room: Room) {
    this.objects = objects;
    this.#maxBytes = maxBytes;
    this.#room = room;
  }

  get size(): number {
    return this.#size;
  }

  /** Throws TooLarge. Await it before the next write. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#size + chunk.length > this.#maxBytes) throw new TooLarge(this.#maxBytes);
    this.#size += chunk.length;
    for (let at = 0; at < chunk.length; ) {
      this.#block ??= Buffer.allocUnsafe(blockSize);
      const piece = chunk.subarray(at, at + blockSize - this.#filled);
      this.#block.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === blockSize) await this.endBlock();
    }
  }

  /** Everything written so far. Throws after `abort`. */
  async bytes(): Promise<Buffer> {
    await this.endBlock();
    if (this.#path) return readFile(this.#path);
    if (this.#chunks.length === 0 && this.#size > 0) throw new Error("the bytes are gone");
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  /** Frees its memory and deletes its file. */
  async abort(): Promise<void> {
    this.#chunks = [];
    this.#block = undefined;
    this.#giveBack();
    await this.#close();
    if (this.#path) await rm(this.#path, { force: true });
    this.#path = undefined;
  }

  /** Passes the file on to `take`; false when there is no file. */
  protected async moveFile(take: (path: string) => Promise<void>): Promise<boolean> {
    await this.#close();
    if (!this.#path) return false;
    await take(this.#path);
    this.#path = undefined;
    return true;
  }

  /** Called once with each block, in order. */
  protected passing(_block: Uint8Array): void {}

  protected async endBlock(): Promise<void> {
    if (!this.#block) return;
    const block = this.#block.subarray(0, this.#filled);
    this.#block = undefined;
    this.#filled = 0;
    this.passing(block);
    if (!this.#file && (this.#size <= maxOwnBytes || this.#takeRoom(block.length))) {
      this.#chunks.push(block);
      return;
    }
    if (!this.#file) {
      this.#path = await this.objects.temporaryPath();
      this.#file = await open(this.#path, "wx", 0o600);
      for (const held of this.#chunks) await this.#append(held);
      this.#chunks = [];
      this.#giveBack();
    }
    await this.#append(block);
  }

  #takeRoom(bytes: number): boolean {
    const isThere = this.#room.take(bytes);
    if (isThere) this.#taken += bytes;
    return isThere;
  }

  #giveBack(): void {
    this.#room.give(this.#taken);
    this.#taken = 0;
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
