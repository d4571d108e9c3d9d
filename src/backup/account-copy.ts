import { join } from "node:path";
import type { Clock, Random } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { removeDraft } from "../postgres/recovery.ts";
import { DiskObjects } from "../store/blobs/objects/disk.ts";
import { each } from "../store/blobs/objects/move.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import { migrate } from "../store/core/migrate.ts";
import type { Store } from "../store/core/store.ts";
import { bodiesOfAccount } from "../store/upkeep/restored.ts";
import { restoreBody } from "./bodies.ts";
import { chainTo } from "./chain.ts";
import { recoverDatabase } from "./recovered.ts";
import type { Repository } from "./repository.ts";

export interface CopyOptions {
  repository: Repository;
  /** Is made; what an earlier attempt left there is used. `removeCopy` removes it. */
  folder: string;
  /** (Default: the newest moment) */
  to: Date | undefined;
  clock: Clock;
  random: Random;
  log: Log;
  tell: (text: string) => void;
}

/** The installation as it was at a moment, beside the one that serves; of bodies it has those that were asked for. */
export interface InstallationCopy {
  store: Store;
  objects: ObjectStore;
  moment: string;
  /** Brings the bodies of an account; returns how many the backup lacks. Throws DamagedBackup. */
  fetchBodies(accountId: number): Promise<number>;
  close(): Promise<void>;
}

/** Brings up the database of a moment in a folder of its own. */
export async function openCopy(options: CopyOptions): Promise<InstallationCopy> {
  const { repository, folder, to, clock, random, log, tell } = options;
  const chain = chainTo(await repository.backups(), to);
  const database = join(folder, "data");
  // An older version may have made it.
  const settle = async (store: Store) => void (await migrate(store.database, log));
  const { store, close } = await recoverDatabase({ repository, chain, folder: database, clock, log, tell, settle });
  const objects = new DiskObjects({ folder: join(folder, "blobs"), clock, random });
  const fetchBodies = async (accountId: number) => {
    let [done, lacking] = [0, 0];
    await each(bodiesOfAccount(store, accountId), async (object) => {
      const isThere = (await objects.size(object)) === object.size;
      if (!isThere && !(await restoreBody(repository, object, objects))) lacking++;
      tell(`bodies: ${++done}`);
    });
    return lacking;
  };
  const moment = (chain.to ?? new Date(chain.logs.at(-1)!.until)).toISOString();
  return { store, objects, moment, fetchBodies, close };
}

/** Removes the copy, whether or not it was closed. */
export async function removeCopy(folder: string): Promise<void> {
  await removeDraft(join(folder, "data"));
  await removeDraft(folder);
}
