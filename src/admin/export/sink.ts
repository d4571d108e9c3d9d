import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, opendir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { isMemberName, manifestName, parseManifest } from "./manifest.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar.ts";

type Pieces = AsyncIterable<Uint8Array>;

/** Where the members of an archive go, one after the other. */
export interface Sink {
  /**
   * What is there from now on is no whole archive. `account` is the address of the account. Throws, and changes nothing, where
   * there is anything else than an archive of it.
   */
  begin(account: string): Promise<void>;
  /** Whether an earlier run wrote this member, whose name says its content. */
  has(name: string, size: number): Promise<boolean>;
  /** Throws when `pieces` are not of this size; the member is not there then. */
  add(name: string, size: number, pieces: Pieces): Promise<void>;
  /** Removes what earlier runs left that belongs to none of these. */
  tidy(kept: ReadonlySet<string>, alsoKept: () => AsyncIterable<string>): Promise<void>;
  /** All is durable on return. */
  finish(): Promise<void>;
}

/** The file that says whose archive a folder will have, until the manifest does. */
const begunName = ".begun";

/** Files in a folder. What a killed run wrote stays, and is not written again. */
export class FolderSink implements Sink {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async begin(account: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#refuseOthers(account);
    await writeFile(join(this.#folder, begunName), account, { mode: 0o600, flush: true });
    for (const name of ["objects", "messages"]) await mkdir(join(this.#folder, name), { recursive: true, mode: 0o700 });
    await rm(join(this.#folder, manifestName), { force: true });
  }

  async #refuseOthers(account: string): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => name !== begunName);
    // A run that was killed as it began has left the file alone, perhaps without its content.
    if (names.length === 0) return;
    const read = (name: string) => readFile(join(this.#folder, name), "utf8").catch(() => "");
    const begun = await read(begunName);
    const finished = ownerIn(await read(manifestName));
    const owners = [begun, finished].filter((owner) => owner !== "");
    if (owners.length > 0 && owners.every((owner) => owner === account)) return;
    const other = owners.find((owner) => owner !== account);
    const found = other === undefined ? "has other files" : `has an archive of ${other}`;
    throw new Error(`${this.#folder} ${found}, and stays as it is: name an empty folder, or an archive of ${account}`);
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
    // What no export writes was put there by somebody else.
    for (const name of strays) if (!isMemberName(name)) strays.delete(name);
    for (const name of kept) strays.delete(name);
    for await (const name of alsoKept()) strays.delete(name);
    for (const name of strays) await rm(join(this.#folder, name));
  }

  async finish(): Promise<void> {
    for (const name of ["objects", "messages", "."]) {
      const handle = await open(join(this.#folder, name));
      await handle.sync().finally(() => handle.close());
    }
    await rm(join(this.#folder, begunName), { force: true });
  }
}

/** Whose archive a manifest is of; empty for what is no manifest. */
function ownerIn(text: string): string {
  try {
    return parseManifest(text).account.address;
  } catch {
    return "";
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

/** The file that says that a folder is ours to remove. */
const oursName = ".posthorn";

/** Runs work with an empty folder, which is removed afterwards. */
export async function withFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await makeFolder(folder);
  try {
    return await work();
  } finally {
    await removeFolder(folder);
  }
}

/** Makes an empty folder; what a killed run left in it goes first. Throws where it has files of others. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const names = await readdir(folder);
  if (names.length > 0 && !names.includes(oursName)) {
    throw new Error(`${folder} is needed for the work, has files of others and stays as it is: move it away`);
  }
  await empty(folder);
  await writeFile(join(folder, oursName), "", { mode: 0o600 });
}

/** Removes a folder of `makeFolder`. */
export async function removeFolder(folder: string): Promise<void> {
  await empty(folder);
  await rm(folder, { recursive: true, force: true });
}

/** The mark stays, so that whatever a kill leaves is known as ours. */
async function empty(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) if (name !== oursName) await rm(join(folder, name), { recursive: true, force: true });
}
