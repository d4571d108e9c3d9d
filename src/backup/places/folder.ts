import { link, mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Random } from "../../base/clock.ts";
import type { Place, PlacedFile } from "./place.ts";

/** Ends the names of files that are not whole yet. */
const draft = ".part";

/** A backup in a folder. */
export class FolderPlace implements Place {
  readonly name: string;
  readonly #random: Random;
  /** Folders with entries that are not known to be durable. */
  readonly #unsettled = new Set<string>();

  constructor(folder: string, random: Random) {
    this.name = folder;
    this.#random = random;
  }

  async put(name: string, bytes: Uint8Array, { isNew = false } = {}): Promise<boolean> {
    const path = join(this.name, name);
    await this.#makeFolder(dirname(path));
    const own = `${path}.${this.#random(6).toString("hex")}${draft}`;
    try {
      const file = await open(own, "wx", 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      if (!isNew) await rename(own, path);
      // Unlike a rename, it fails if the file is there.
      else if (!(await linked(own, path))) return false;
    } finally {
      await rm(own, { force: true });
    }
    this.#unsettled.add(dirname(path));
    return true;
  }

  async get(name: string): Promise<Buffer | undefined> {
    return readFile(join(this.name, name)).catch(unlessMissing);
  }

  async size(name: string): Promise<number | undefined> {
    return (await stat(join(this.name, name)).catch(unlessMissing))?.size;
  }

  async *list(prefix: string): AsyncIterable<PlacedFile> {
    const entries = await readdir(join(this.name, prefix), { withFileTypes: true }).catch(unlessMissing);
    for (const entry of (entries ?? []).sort((one, other) => (one.name < other.name ? -1 : 1))) {
      const name = prefix + entry.name;
      if (entry.isDirectory()) yield* this.list(`${name}/`);
      else if (!name.endsWith(draft)) {
        const size = await this.size(name);
        if (size !== undefined) yield { name, size };
      }
    }
  }

  async remove(name: string): Promise<void> {
    const path = join(this.name, name);
    await rm(path, { force: true });
    // Fails while others are in it.
    for (let folder = dirname(path); folder !== this.name; folder = dirname(folder)) {
      if (
        !(await rmdir(folder).then(
          () => true,
          () => false,
        ))
      )
        break;
      this.#unsettled.delete(folder);
    }
  }

  async settle(): Promise<void> {
    for (const folder of this.#unsettled) await syncFolder(folder);
    this.#unsettled.clear();
  }

  async #makeFolder(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    for (let parent = dirname(folder); ; parent = dirname(parent)) {
      this.#unsettled.add(parent);
      if (parent === dirname(first) || parent === dirname(parent)) return;
    }
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(unlessMissing);
  if (!handle) return;
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
