import { access, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Random } from "../../../base/clock.ts";

const abandonedAfterMs = 24 * 3600_000;

/** Files for bytes that are still arriving. Those of a process that died are removed a day later. */
export class TemporaryFiles {
  readonly folder: string;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(folder: string, clock: Clock, random: Random) {
    this.folder = folder;
    this.#clock = clock;
    this.#random = random;
  }

  /** A path that nobody uses. */
  name(): string {
    return join(this.folder, this.#random(16).toString("hex"));
  }

  /** A path that nobody uses, for somebody who writes to it later. Throws ENOENT when there is no folder. */
  async path(): Promise<string> {
    await access(this.folder);
    return this.name();
  }

  async tidy(): Promise<void> {
    const names = await readdir(this.folder).catch(() => []);
    for (const name of names) {
      const path = join(this.folder, name);
      const modified = await stat(path).then(
        (found) => found.mtimeMs,
        () => undefined,
      );
      if (modified !== undefined && modified < this.#clock.now().getTime() - abandonedAfterMs) {
        await rm(path, { force: true });
      }
    }
  }
}
