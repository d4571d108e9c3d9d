import type { Readable } from "node:stream";

/** The full name of an object: the UTC day on which it was written, and the hash of its content. */
export interface ObjectKey {
  /** YYYY-MM-DD */
  day: string;
  sha256: Buffer;
}

/** A durable object, as it is listed too. */
export interface StoredBlob extends ObjectKey {
  size: number;
}

/** Where bodies are kept: files, or any S3. Objects never change, so putting one twice is harmless. */
export interface ObjectStore {
  /** Durable on return. */
  put(key: ObjectKey, bytes: Uint8Array): Promise<void>;
  /** Like `put`, from a file created at a `temporaryPath`; the file is consumed. */
  putFile(key: ObjectKey, path: string): Promise<void>;
  /** A new path for bytes that are still arriving. */
  temporaryPath(): Promise<string>;
  /** Bytes [start, end), or fewer if the object is shorter; undefined when there is no such object. */
  read(key: ObjectKey, start?: number, end?: number): Promise<Buffer | undefined>;
  stream(key: ObjectKey, start: number, end: number): Readable;
  exists(key: ObjectKey): Promise<boolean>;
  /** Undefined when there is no such object. */
  size(key: ObjectKey): Promise<number | undefined>;
  /** Oldest first. */
  days(): Promise<string[]>;
  /** Those of a day, or all; in any order. */
  list(day?: string): AsyncIterable<StoredBlob>;
  /** True when there was such an object. */
  remove(key: ObjectKey): Promise<boolean>;
  /** Marks the objects as those of an installation unless they are marked. Returns the installation whose they are. */
  claim(installation: string): Promise<string>;
  /** Why objects cannot be written, in a word or two; undefined when they can. */
  check(): Promise<string | undefined>;
  /** Removes what interrupted writes left behind. */
  tidy(): Promise<void>;
}
