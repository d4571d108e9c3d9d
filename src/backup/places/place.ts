/** A file of a backup as it is listed. */
export interface PlacedFile {
  name: string;
  /** In bytes. */
  size: number;
}

/** Where a backup is kept: a folder, or below a prefix of a bucket. Names are paths such as "bodies/2026-12-01/…". */
export interface Place {
  /** For people. */
  readonly name: string;
  /** Whole or not at all; durable after `settle`. With `isNew` false is returned, and nothing written, if it exists. */
  put(name: string, bytes: Uint8Array, options?: { isNew?: boolean }): Promise<boolean>;
  /** Undefined when there is no such file. */
  get(name: string): Promise<Buffer | undefined>;
  /** In bytes; undefined when there is no such file. */
  size(name: string): Promise<number | undefined>;
  /** All whose names begin with the prefix, which ends in a slash, in order of their names. */
  list(prefix: string): AsyncIterable<PlacedFile>;
  remove(name: string): Promise<void>;
  /** Resolves when all that was put is durable. */
  settle(): Promise<void>;
}
