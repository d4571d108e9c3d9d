import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, opendir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { manifestName } from "./manifest.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar.ts";

type Pieces = AsyncIterable<Uint8Array>;

/** Where the members of an archive go, one after the other. */
export interface Sink {
  /** What is there from now on is no whole archive. */
  begin(): Promise<void>;
  /** Whether an earlier run wrote this member, whose name says its content. */
  has(name: string, size: number): Promise<boolean>;
  /** Throws when `pieces` are not of this size; the member is not there then. */
  add(name: string, size: number, pieces: Pieces): Promise<void>;
  /** Removes what earlier runs left that belongs to none of these. */
  tidy(kept: ReadonlySet<string>, alsoKept: () => AsyncIterable<string>): Promise<void>;
  /** All is durable on return. */
  finish(): Promise<void>;
}

/** Files in a folder. What a killed run wrote stays, and is not written again. */
export class FolderSink implements Sink {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async begin(): Promise<void> {
    for (const name of ["objects", "messages"]) await mkdir(join(this.#folder, name), { recursive: true, mode: 0o700 });
    await rm(join(this.#folder, manifestName), { force: true });
  }

  async has(name: string, size: number): Promise<boolean> {
    const found = await stat(join(this.#folder, name)).catch(() => undefined);
    return found?.isFile() === true && found.size === size;
  }

  async add(name: string, size: number, pieces: Pieces): Promise<void> {
    const path = join(this.#folder, name);
    const part = join(this.#folder, ".part");
    await pipeline(exactly(size, pieces), createWriteStream(part, { mode: 0o600, flush: true }));
    await rename(part, path);
  }

  async tidy(kept: ReadonlySet<string>, alsoKept: () => AsyncIterable<string>): Promise<void> {
    const strays = new Set<string>();
    for (const folder of ["objects", "messages"]) {
      for await (const { name } of await opendir(join(this.#folder, folder))) strays.add(`${folder}/${name}`);
    }
    for (const name of kept) strays.delete(name);
    for await (const name of alsoKept()) strays.delete(name);
    for (const name of strays) await rm(join(this.#folder, name));
  }

  async finish(): Promise<void> {
    for (const name of ["objects", "messages", "."]) {
      const handle = await open(join(this.#folder, name));
      await handle.sync().finally(() => handle.close());
    }
  }
}

/** A tar (POSIX ustar), handed on piece by piece. */
export class TarSink implements Sink {
  readonly #write: (piece: Uint8Array) => Promise<void>;
  readonly #at: Date;

  constructor(at: Date, write: (piece: Uint8Array) => Promise<void>) {
    this.#at = at;
    this.#write = write;
  }

  async begin(): Promise<void> {}

  async has(): Promise<boolean> {
    return false;
  }

  async add(name: string, size: number, pieces: Pieces): Promise<void> {
    await this.#write(tarHeader(name, size, this.#at));
    for await (const piece of exactly(size, pieces)) await this.#write(piece);
    await this.#write(tarPadding(size));
  }

  async tidy(): Promise<void> {}

  async finish(): Promise<void> {
    await this.#write(tarEnd);
  }
}

async function* exactly(size: number, pieces: Pieces): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const piece of pieces) {
    left -= piece.length;
    if (left < 0) break;
    yield piece;
  }
  if (left !== 0) throw new Error(`a member is not of its size, ${size} octets`);
}

/** A file that is written before its size is known. */
export interface Draft {
  path: string;
  bytes: number;
  sha256: string;
}

/** Writes lines to a file, and hashes them. */
export async function draft(path: string, lines: AsyncIterable<string> | Iterable<string>): Promise<Draft> {
  const hash = createHash("sha256");
  let bytes = 0;
  const counted = async function* () {
    for await (const line of lines) {
      const piece = Buffer.from(line);
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
  };
  await pipeline(counted, createWriteStream(path, { mode: 0o600 }));
  return { path, bytes, sha256: hash.digest("hex") };
}

export function addDraft(sink: Sink, name: string, { path, bytes }: Draft): Promise<void> {
  return sink.add(name, bytes, createReadStream(path));
}

/** Runs work with an empty folder, which is removed afterwards; what a killed run left in it goes first. */
export async function withFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return await work();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
