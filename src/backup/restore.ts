import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { prepareLayout } from "../postgres/layout.ts";
import { clearOwner, recordedOwner, recordOwner } from "../postgres/owner-record.ts";
import { draftIn, installDraft } from "../postgres/recovery.ts";
import { type Amount, each } from "../store/blobs/objects/move.ts";
import { type ObjectStore, objectName, type StoredBlob } from "../store/blobs/objects/object-store.ts";
import type { Store } from "../store/core/store.ts";
import { namedBodies, settleRestored } from "../store/upkeep/restored.ts";
import { BackupError, DamagedBackup } from "./backup-error.ts";
import { restoreBody } from "./bodies.ts";
import { type Chain, chainTo } from "./chain.ts";
import { recoverDatabase } from "./recovered.ts";
import type { Repository } from "./repository.ts";

export interface RestoreOptions {
  repository: Repository;
  objects: ObjectStore;
  /** Where the embedded database will be. */
  dataFolder: string;
  /** (Default: the newest moment) */
  to: Date | undefined;
  /** Leaves out bodies that are damaged, instead of ending there. */
  skipsDamaged: boolean;
  clock: Clock;
  log: Log;
  who: string;
  tell: (text: string) => void;
}

export interface Restored {
  /** The moment of the database. */
  moment: string;
  restored: Amount;
  /** Were there already. */
  present: Amount;
  /** Bodies that the database names, and that are not there: by their names, and why. */
  missing: string[];
}

/** What a restore to this moment reads. Throws BackupError if no backup leads to it, or if there is a database. */
export async function planRestore({
  repository,
  dataFolder,
  to,
}: Pick<RestoreOptions, "repository" | "dataFolder" | "to">): Promise<Chain> {
  const pg = join(dataFolder, "pg");
  if (existsSync(pg) && readdirSync(pg).length > 0) {
    throw new BackupError(
      `there is a database in ${dataFolder}: stop the server and move the folder away, or name another with --data`,
    );
  }
  return chainTo(await repository.backups(), to);
}

/**
 * Restores the database to a moment, and the bodies that it names. The database is made in a folder of its own, and takes
 * its place last: so after a kill the same call goes on, and before its end no server starts.
 */
export async function restoreInstallation(options: RestoreOptions): Promise<Restored> {
  const { repository, dataFolder, clock, log, who, tell } = options;
  const chain = await planRestore(options);
  const moment = (chain.to ?? new Date(chain.logs.at(-1)!.until)).toISOString();
  const settle = (store: Store) => settleRestored(store, { who, what: { act: "backup.restore", moment } });
  // Makes the folder itself, in which a server's user must be able to enter the draft.
  prepareLayout(dataFolder);
  return alone(dataFolder, async () => {
    const folder = draftIn(dataFolder);
    const { store, close } = await recoverDatabase({ repository, chain, folder, clock, log, tell, settle });
    const bodies = await restoreBodies({ ...options, store }).finally(close);
    installDraft(dataFolder);
    return { moment, ...bodies };
  });
}

/** Puts the bodies in their place that a database names which was restored by its own tools, and makes it fit to serve. */
export async function restoreBeside(
  options: Omit<RestoreOptions, "dataFolder" | "to"> & { store: Store },
): Promise<Restored> {
  const { store, who, clock } = options;
  const moment = clock.now().toISOString();
  await settleRestored(store, { who, what: { act: "backup.restore", moment } });
  return { moment, ...(await restoreBodies(options)) };
}

async function alone<T>(dataFolder: string, work: () => Promise<T>): Promise<T> {
  const owner = recordedOwner(dataFolder);
  if (owner) throw new BackupError(`${dataFolder} is in use by another posthorn (pid ${owner.pid})`);
  recordOwner(dataFolder, false);
  try {
    return await work();
  } finally {
    clearOwner(dataFolder);
  }
}

type OfBodies = Pick<RestoreOptions, "repository" | "objects" | "skipsDamaged" | "tell"> & { store: Store };

async function restoreBodies({ repository, objects, skipsDamaged, store, tell }: OfBodies) {
  const result: Omit<Restored, "moment"> = {
    restored: { objects: 0, bytes: 0 },
    present: { objects: 0, bytes: 0 },
    missing: [],
  };
  const add = (amount: Amount, { size }: StoredBlob) => {
    amount.objects++;
    amount.bytes += size;
    tell(`bodies: ${result.restored.objects} restored, ${result.present.objects} were there`);
  };
  await each(namedBodies(store), async (object) => {
    if ((await objects.size(object)) === object.size) return add(result.present, object);
    try {
      if (await restoreBody(repository, object, objects)) add(result.restored, object);
      else result.missing.push(`${objectName(object)} is in no backup`);
    } catch (error) {
      if (!skipsDamaged || !(error instanceof DamagedBackup)) throw error;
      result.missing.push(`${objectName(object)}: ${error.message}`);
    }
  });
  return result;
}
