import { createReadStream } from "node:fs";
import {
  type FileHandle,
  link,
  mkdir,
  open,
  opendir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { Clock, Random } from "../../../base/clock.ts";
import { type ObjectKey, type ObjectStore, objectName, parseObjectName, type StoredBlob } from "./object-store.ts";
import { TemporaryFiles } from "./temporary.ts";

const dayName = /^\d{4}-\d{2}-\d{2}$/;
/** The file that names the installation. */
const mark = "installation";

export interface DiskOptions {
  /** The folder that holds the day folders. */
  folder: string;
  clock: Clock;
  random: Random;
}

/** An object of more octets is not written again. */
const maxRewritten = 65_536;

/** Objects as files `<folder>/<day>/<hash>`, each on its own: a temporary file, fsync, rename, fsync of the folder. */
export class DiskObjects implements ObjectStore {
  readonly #folder: string;
  readonly #temporary: TemporaryFiles;
  readonly #syncs = new FolderSyncs();
  /** Folders whose directory entries are known to be durable. */
  readonly #made = new Map<string, Promise<void>>();

  constructor({ folder, clock, random }: DiskOptions) {
    this.#folder = folder;
    this.#temporary = new TemporaryFiles(join(folder, "tmp"), clock, random);
  }

  put(key: ObjectKey, bytes: Uint8Array): Promise<void> {
    return this.#inFolders(() => this.#write(key, bytes));
  }

  async putTogether(blob: StoredBlob, bytes: Uint8Array): Promise<StoredBlob> {
    await this.put(blob, bytes);
    return blob;
  }

  async #write(key: ObjectKey, bytes: Uint8Array): Promise<void> {
    await this.#makeFolder(this.#dayFolder(key.day));
    // Most are new, and to write a small one once more costs little.
    if (bytes.length > maxRewritten && (await this.#has(key, bytes.length))) return;
    await this.#makeFolder(this.#temporary.folder);
    const path = this.#temporary.name();
    try {
      await this.#writeNew(path, bytes);
      await this.#settle(key, path);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  async #writeNew(path: string, bytes: Uint8Array): Promise<void> {
    const file = await open(path, "wx", 0o600);
    try {
      await writeAll(file, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  putFile(key: ObjectKey, path: string): Promise<void> {
    return this.#inFolders(() => this.#take(key, path));
  }

  async #take(key: ObjectKey, path: string): Promise<void> {
    await this.#makeFolder(this.#dayFolder(key.day));
    const file = await open(path, "r+");
    try {
      if (await this.#has(key, (await file.stat()).size)) {
        await rm(path, { force: true });
        return;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#settle(key, path);
  }

  temporaryPath(): Promise<string> {
    return this.#inFolders(async () => {
      await this.#makeFolder(this.#temporary.folder);
      return this.#temporary.path();
    });
  }

  async read(key: ObjectKey, start = 0, end = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    const file = await openExisting(this.#path(key));
    if (!file) return undefined;
    try {
      const { size } = await file.stat();
      const from = Math.min(start, size);
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(end, size) - from));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, from + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  }

  stream(key: ObjectKey, start: number, end: number): Readable {
    return createReadStream(this.#path(key), { start, end: Math.max(start, end - 1), highWaterMark: 256 * 1024 });
  }

  async exists(key: ObjectKey): Promise<boolean> {
    return (await this.size(key)) !== undefined;
  }

  size(key: ObjectKey): Promise<number | undefined> {
    return sizeOf(this.#path(key));
  }

  async days(): Promise<string[]> {
    try {
      return (await readdir(this.#folder)).filter((name) => dayName.test(name)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async *list(day?: string): AsyncIterable<StoredBlob> {
    for (const name of day === undefined ? await this.days() : [day]) yield* this.#listDay(name);
  }

  async *#listDay(day: string): AsyncIterable<StoredBlob> {
    let folder: Awaited<ReturnType<typeof opendir>>;
    try {
      folder = await opendir(this.#dayFolder(day));
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    for await (const { name } of folder) {
      const key = parseObjectName(`${day}/${name}`);
      const size = key && (await sizeOf(join(this.#dayFolder(day), name)));
      if (key && size !== undefined) yield { ...key, size };
    }
  }

  remove(keys: readonly ObjectKey[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.#remove(key)));
  }

  async #remove(key: ObjectKey): Promise<boolean> {
    const found = await this.exists(key);
    await rm(this.#path(key), { force: true });
    return found;
  }

  async claim(installation: string): Promise<string> {
    const path = join(this.#folder, mark);
    const claimed = await readFile(path, "utf8").catch(unlessMissing);
    if (claimed !== undefined) return claimed.trim();
    const draft = await this.temporaryPath();
    await this.#writeNew(draft, Buffer.from(`${installation}\n`));
    try {
      // Unlike a rename, it fails if another process was first.
      await link(draft, path);
      await this.#syncs.sync(this.#folder);
      return installation;
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
      return (await readFile(path, "utf8")).trim();
    } finally {
      await rm(draft, { force: true });
    }
  }

  async check(): Promise<string | undefined> {
    try {
      const path = await this.temporaryPath();
      await writeFile(path, "probe", { flag: "wx", mode: 0o600 });
      await rm(path);
      return undefined;
    } catch (error) {
      const { code } = error as { code?: string };
      return code === "EROFS" || code === "EACCES" ? "read-only" : code === "ENOSPC" ? "full" : "can't be written";
    }
  }

  tidy(): Promise<void> {
    return this.#temporary.tidy();
  }

  #dayFolder(day: string): string {
    return join(this.#folder, day);
  }

  #path(key: ObjectKey): string {
    return join(this.#folder, objectName(key));
  }

  /** An object that exists is complete, since only a rename names it, but its name may not be durable yet. */
  async #has(key: ObjectKey, size: number): Promise<boolean> {
    const path = this.#path(key);
    if ((await sizeOf(path)) !== size) return false;
    await this.#syncs.sync(dirname(path));
    return true;
  }

  async #settle(key: ObjectKey, path: string): Promise<void> {
    const final = this.#path(key);
    await rename(path, final);
    await this.#syncs.sync(dirname(final));
  }

  /** Runs `work`; if somebody deleted a folder that was created before, creates it again and retries once. */
  async #inFolders<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#made.clear();
      return work();
    }
  }

  /** Creates a folder and its parents, and fsyncs the parent of each new one; once per folder and process. */
  #makeFolder(folder: string): Promise<void> {
    let made = this.#made.get(folder);
    if (!made) {
      made = this.#makeDurably(folder);
      made.catch(() => this.#made.delete(folder));
      this.#made.set(folder, made);
    }
    return made;
  }

  async #makeDurably(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    const top = dirname(first ?? folder);
    for (let parent = dirname(folder); ; parent = dirname(parent)) {
      await this.#syncs.sync(parent);
      if (parent === top || parent === dirname(parent)) return;
    }
  }
}

/** Runs one fsync per folder at a time; calls that arrive meanwhile share the next one. */
class FolderSyncs {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  sync(folder: string): Promise<void> {
    const running = this.#running.get(folder);
    if (!running) return this.#start(folder);
    let next = this.#next.get(folder);
    if (!next) {
      next = running
        .catch(() => {})
        .then(() => {
          this.#next.delete(folder);
          return this.#start(folder);
        });
      this.#next.set(folder, next);
    }
    return next;
  }

  #start(folder: string): Promise<void> {
    const run = syncFolder(folder).finally(() => {
      if (this.#running.get(folder) === run) this.#running.delete(folder);
    });
    this.#running.set(folder, run);
    return run;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written)).bytesWritten;
  }
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path, { throwIfNoEntry: false }))?.size;
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

function isMissing(error: unknown): boolean {
  return (error as { code?: string }).code === "ENOENT";
}
