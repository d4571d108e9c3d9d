import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../base/log.ts";
import { version } from "../../base/version.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Store } from "../../store/core/store.ts";
import { accountName } from "../../store/directory/account-name.ts";
import { mainAddress } from "../../store/directory/logins.ts";
import {
  dropDataExports,
  endDataExports,
  expiredDataExports,
  findDataExports,
  finishDataExport,
  leaseDataExport,
  noteProgress,
  openDataExports,
} from "../../store/mail/data-exports.ts";
import { writeArchive } from "./archive.ts";
import { TarSink } from "./sink.ts";
import type { Source } from "./source.ts";

/** How long an archive can be downloaded. */
const keptForMs = 7 * 24 * 3_600_000;
/** A process that says nothing for so long has died: another begins anew. */
const leaseMs = 120_000;
const tellEveryMs = 2_000;
const maxAttempts = 3;
/** Objects are written in minutes; the messages after them take longer, and leave the folder as it is. */
const abandonedMs = 24 * 3_600_000;
/** As many as one look for work takes up, one after the other. */
const atOnce = 20;

interface Progress {
  done: number;
  total: number;
  /** Its user has removed it. */
  isGone: boolean;
}

export interface ExportJobsOptions {
  store: Store;
  blobs: Blobs;
  objects: Source["objects"];
  log: Log;
  /** For the objects of an export that is under way. */
  folder: string;
}

/** Works on the exports that users ask for. Any number of processes may. */
export class ExportJobs {
  readonly #options: ExportJobsOptions;
  #isStopping = false;

  constructor(options: ExportJobsOptions) {
    this.#options = options;
  }

  /** What runs is broken off, and taken up again by another process. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Does what waits, and removes what has expired. */
  async run(): Promise<void> {
    const { store, log } = this.#options;
    const now = store.clock.now();
    await this.#tidy();
    for (const { userId, id } of await expiredDataExports(store.database, log, { now, limit: atOnce })) {
      await store.write(userId, "server", async (tx) => {
        await endDataExports(tx, [id], "expired");
        await dropDataExports(tx, new Date(now.getTime() - 2 * keptForMs));
      });
    }
    for (const { userId, id } of await openDataExports(store.database, log, { now, limit: atOnce })) {
      if (!this.#isStopping) await this.#work(userId, id);
    }
  }

  /** Removes what exports left that were killed and then not begun again. */
  async #tidy(): Promise<void> {
    const { folder } = this.#options;
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      const path = join(folder, name);
      const { mtimeMs = Date.now() } = (await stat(path).catch(() => undefined)) ?? {};
      if (Date.now() - mtimeMs > abandonedMs) await rm(path, { recursive: true, force: true });
    }
  }

  async #work(userId: number, id: number): Promise<void> {
    const { store, log } = this.#options;
    const until = () => new Date(store.clock.now().getTime() + leaseMs);
    const attempts = await store.write(userId, "server", async (tx) => {
      if (!(await leaseDataExport(tx, id, until()))) return undefined;
      return (await findDataExports(tx)).find((row) => row.id === id)?.attempts;
    });
    if (attempts === undefined) return;
    const at: Progress = { done: 0, total: 0, isGone: false };
    const note = async () => {
      const { done, total } = at;
      at.isGone = !(await store.write(userId, "server", (tx) => noteProgress(tx, id, { done, total, until: until() })));
    };
    const timer = setInterval(() => {
      note().catch((error: Error) => log.warn({ reason: error.message }, "the progress of an export was not noted"));
    }, tellEveryMs);
    try {
      await this.#export(userId, id, at);
    } catch (error) {
      if (this.#isStopping || at.isGone) return;
      log.error({ account: userId, reason: (error as Error).message }, "an export failed");
      if (attempts >= maxAttempts) await store.write(userId, "server", (tx) => endDataExports(tx, [id], "failed"));
    } finally {
      clearInterval(timer);
    }
  }

  async #export(userId: number, id: number, at: Progress): Promise<void> {
    const { store, blobs, objects, folder } = this.#options;
    const address = (await mainAddress(store.database, userId)) ?? "";
    const [row] = await store.database.run(accountName, { accountId: userId });
    const spool = blobs.spool(Number.MAX_SAFE_INTEGER);
    try {
      const sink = new TarSink(store.clock.now(), async (piece) => {
        if (this.#isStopping || at.isGone) throw new Error("broken off");
        await spool.write(piece);
      });
      const owner = { accountId: userId, address, name: row?.name ?? address };
      await writeArchive({ store, blobs, objects }, owner, {
        sink,
        workFolder: join(folder, `export-${userId}-${id}`),
        program: `posthorn ${version}`,
        tell: (_, progress) => Object.assign(at, progress),
      });
      const blob = await spool.finish();
      await store.write(userId, "server", async (tx) => {
        const expiresAt = new Date(tx.now.getTime() + keptForMs);
        if (await finishDataExport(tx, id, { ...blob, expiresAt })) await blobs.reference(tx, blob);
      });
    } finally {
      await spool.abort();
    }
  }
}
