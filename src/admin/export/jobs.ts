import { readdir, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../../base/log.ts";
import { version } from "../../base/version.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Store } from "../../store/core/store.ts";
import { accountName } from "../../store/directory/account-name.ts";
import { mainAddress } from "../../store/directory/logins.ts";
import {
  dropDataExports,
  expireDataExports,
  expiredDataExports,
  failDataExport,
  findDataExports,
  finishDataExport,
  giveBackDataExport,
  type Lease,
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
const tickMs = 2_000;
/** For the first minute, progress is noted as it is made. */
const earlyTicks = 30;
/** Afterwards, and to keep the lease, every 30 s. */
const ticksBetween = 15;
const maxAttempts = 3;
/** Objects are written in minutes; the messages after them take longer, and leave the folder as it is. */
const abandonedMs = 24 * 3_600_000;
/** As many as one look for work takes up, one after the other. */
const atOnce = 20;
/** What an archive leaves free for mail that comes in meanwhile. */
const bytesLeftFree = 500_000_000;

interface Progress {
  done: number;
  total: number;
  /** Its user has removed it, or another process has taken it. */
  isGone: boolean;
}

export interface ExportJobsOptions {
  store: Store;
  blobs: Blobs;
  objects: Source["objects"];
  log: Log;
  /** For the objects of an export that is under way. */
  folder: string;
  /** How many bytes are free on the disk of a folder. (Default: asks the system) */
  freeBytes?: (folder: string) => Promise<number>;
}

/** The disk can't take the archive. */
class NoDiskRoom extends Error {}

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

  /** Whether the account waits for an export that nobody has begun. */
  async isAsked(userId: number): Promise<boolean> {
    const rows = await findDataExports(this.#options.store.reader(userId, "server"));
    return rows.some(({ state }) => state === "waiting");
  }

  /** Does what waits, and removes what has expired. */
  async run(): Promise<void> {
    const { store, log } = this.#options;
    const now = store.clock.now();
    await this.#tidy();
    for (const { userId, id } of await expiredDataExports(store.database, log, { now, limit: atOnce })) {
      await store.write(userId, "server", async (tx) => {
        await expireDataExports(tx, [id]);
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
    const leased = await store.write(userId, "server", async (tx) => {
      const lease = await leaseDataExport(tx, id, until());
      if (!lease || lease.attempts <= maxAttempts) return lease;
      // Those before it were killed: an error would have ended it.
      await failDataExport(tx, lease, "failed");
      log.error({ account: userId }, "an export was given up, since the processes that made it were killed");
      return undefined;
    });
    if (!leased) return;
    const at: Progress = { done: 0, total: 0, isGone: false };
    const timer = this.#noteProgress(userId, leased, at, until);
    try {
      await this.#export(userId, leased, at);
    } catch (error) {
      if (at.isGone) return;
      if (this.#isStopping) return await store.write(userId, "server", (tx) => giveBackDataExport(tx, leased));
      log.error({ account: userId, reason: (error as Error).message }, "an export failed");
      const hasRoom = !(error instanceof NoDiskRoom);
      if (hasRoom && leased.attempts < maxAttempts) return;
      await store.write(userId, "server", (tx) => failDataExport(tx, leased, hasRoom ? "failed" : "noRoom"));
    } finally {
      clearInterval(timer);
    }
  }

  #noteProgress(userId: number, leased: Lease, at: Progress, until: () => Date): NodeJS.Timeout {
    const { store, log } = this.#options;
    let ticks = 0;
    // What an earlier attempt noted is no longer so.
    let noted = { done: -1, total: -1 };
    const note = async () => {
      const { done, total } = at;
      const isNew = done !== noted.done || total !== noted.total;
      const isDue = ++ticks % ticksBetween === 0;
      if (!isDue && !(isNew && ticks <= earlyTicks)) return;
      const progress = { done, total, until: until(), isNew };
      at.isGone = !(await store.write(userId, "server", (tx) => noteProgress(tx, leased, progress)));
      noted = { done, total };
    };
    return setInterval(() => {
      note().catch((error: Error) => log.warn({ reason: error.message }, "the progress of an export was not noted"));
    }, tickMs);
  }

  async #export(userId: number, leased: Lease, at: Progress): Promise<void> {
    const { store, blobs, objects, folder, log } = this.#options;
    const address = (await mainAddress(store.database, userId)) ?? "";
    const [row] = await store.database.run(accountName, { accountId: userId });
    const spool = blobs.spool(Number.MAX_SAFE_INTEGER);
    try {
      const sink = new TarSink(store.clock.now(), async (piece) => {
        if (this.#isStopping || at.isGone) throw new Error("broken off");
        await spool.write(piece);
      });
      const owner = { accountId: userId, address, name: row?.name ?? address };
      const { missing } = await writeArchive({ store, blobs, objects }, owner, {
        sink,
        // Of this attempt alone: one that lost its lease may not have noticed yet.
        workFolder: join(folder, `export-${userId}-${leased.id}-${leased.attempts}`),
        program: `posthorn ${version}`,
        tell: (_, progress) => Object.assign(at, progress),
        weigh: (bytes) => this.#checkRoom(bytes),
      });
      const blob = await spool.finish();
      const isDone = await store.write(userId, "server", async (tx) => {
        const expiresAt = new Date(tx.now.getTime() + keptForMs);
        const isOurs = await finishDataExport(tx, leased, { ...blob, expiresAt });
        if (isOurs) await blobs.reference(tx, blob);
        return isOurs;
      });
      if (isDone && missing.length > 0) {
        log.warn(
          { account: userId, missing: missing.length },
          "an export lacks messages whose bodies could not be read",
        );
      }
    } finally {
      await spool.abort();
    }
  }

  /** Throws NoDiskRoom unless there is room for an archive where bodies arrive. */
  async #checkRoom(bytes: number): Promise<void> {
    const { blobs, freeBytes = freeOn } = this.#options;
    const free = await freeBytes(dirname(await blobs.objects.temporaryPath()));
    if (free >= bytes + bytesLeftFree) return;
    throw new NoDiskRoom(`the archive has ${bytes} bytes, and ${free} are free, of which ${bytesLeftFree} are kept`);
  }
}

async function freeOn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
