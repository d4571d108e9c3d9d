import type { Readable } from "node:stream";

/** An object's whole name: written on its own UTC day only, and named by its content. */
export interface ObjectKey {
  /** YYYY-MM-DD */
  day: string;
  sha256: Buffer;
}

/** An object that is durable. */
export interface StoredBlob extends ObjectKey {
  size: number;
}

export interface ListedObject extends ObjectKey {
  size: number;
}

/** Where bodies are kept: files, or any S3. Objects never change; putting one twice is harmless. */
export interface ObjectStore {
  /** Durable on return. */
  put(key: ObjectKey, bytes: Uint8Array): Promise<void>;
  /** The same from a file made at a path of `temporaryPath`; the file is used up. */
  putFile(key: ObjectKey, path: string): Promise<void>;
  /** A fresh path for bytes that are still coming in. */
  temporaryPath(): Promise<string>;
  /** Bytes [start, end), or fewer where the object is shorter; undefined when there is no such object. */
  read(key: ObjectKey, start?: number, end?: number): Promise<Buffer | undefined>;
  stream(key: ObjectKey, start: number, end: number): Readable;
  exists(key: ObjectKey): Promise<boolean>;
  /** Undefined when there is no such object. */
  size(key: ObjectKey): Promise<number | undefined>;
  /** Oldest first. */
  days(): Promise<string[]>;
  list(day: string): AsyncIterable<ListedObject>;
  /** True when there was such an object. */
  remove(key: ObjectKey): Promise<boolean>;
  /** What keeps objects from being written, in a word or two; undefined when nothing does. */
  check(): Promise<string | undefined>;
  /** Removes what broken-off writes left behind. */
  tidy(): Promise<void>;
}
