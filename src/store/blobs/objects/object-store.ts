import type { Readable } from "node:stream";

/** The full name of an object: the UTC day on which it was written, the hash of its content, and its pack. */
export interface ObjectKey {
  /** YYYY-MM-DD */
  day: string;
  sha256: Buffer;
  /**
   * Of a body that was written together with others: the id of the pack (16 bytes), which belongs to the name, and where
   * in the pack it began then (4 bytes, may be left out). The body may since have become an object of its own.
   */
  pack?: Buffer | null | undefined;
  /** In bytes, where it is known. */
  size?: number;
}

/** A durable object, as it is listed too. */
export interface StoredBlob extends ObjectKey {
  size: number;
}

/** Where bodies are kept: files, or any S3. Objects never change, so putting one twice is harmless. */
export interface ObjectStore {
  /** Durable on return. */
  put(key: ObjectKey, bytes: Uint8Array): Promise<void>;
  /**
   * Like `put`, but a small body may wait for a moment to be written together with others. Returns the blob with its
   * pack. `bytes` must not change meanwhile.
   */
  putTogether(blob: StoredBlob, bytes: Uint8Array): Promise<StoredBlob>;
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
  /** Those of a day, or all; in any order. Throws DamagedPack at its end if there are packs that can't be listed. */
  list(day?: string): AsyncIterable<StoredBlob>;
  /** For each key, true when there was such an object. Those of one pack take as long as one of them. */
  remove(keys: readonly ObjectKey[]): Promise<boolean[]>;
  /** Marks the objects as those of an installation unless they are marked. Returns the installation whose they are. */
  claim(installation: string): Promise<string>;
  /** Why objects cannot be written, in a word or two; undefined when they can. */
  check(): Promise<string | undefined>;
  /** Removes what interrupted writes left behind. */
  tidy(): Promise<void>;
}

const packIdBytes = 16;
const named = /^(\d{4}-\d{2}-\d{2})\/([0-9a-f]{64})(?:-([0-9a-f]{32}))?$/;

/** The pack's part of the name; null for an object that was never in a pack. */
export const packIdOf = ({ pack }: Pick<ObjectKey, "pack">): Buffer | null => pack?.subarray(0, packIdBytes) ?? null;

/** `<day>/<hash>`, and the pack's id after a dash. */
export function objectName(key: ObjectKey): string {
  const pack = packIdOf(key);
  return `${key.day}/${key.sha256.toString("hex")}${pack ? `-${pack.toString("hex")}` : ""}`;
}

/** Undefined for any text that `objectName` would not write. */
export function parseObjectName(text: string): ObjectKey | undefined {
  const [, day, hash, pack] = named.exec(text) ?? [];
  if (day === undefined || hash === undefined) return undefined;
  return { day, sha256: Buffer.from(hash, "hex"), pack: pack === undefined ? null : Buffer.from(pack, "hex") };
}
