import { randomBytes } from "node:crypto";
import type { Database } from "../core/database.ts";
import { keepSetting } from "../core/settings.ts";
import type { ObjectStore } from "./objects/object-store.ts";

/** The database and the bodies belong to two installations. The message tells the operator what to do. */
export class StrangeBodies extends Error {
  constructor(bodies: string, database: string) {
    super(
      `the message bodies belong to installation ${bodies}, but the database to ${database}: the sweeps would remove ` +
        `bodies of the other one, so choose the right folder or database. If they do belong together, as after the ` +
        `restore of a backup, remove the file or object "installation" beside the bodies`,
    );
  }
}

/**
 * Gives the database and the bodies of a new installation the same id. Throws StrangeBodies when the ids differ: a worker
 * removes the bodies that its database does not refer to.
 */
export async function checkInstallation(database: Database, objects: Pick<ObjectStore, "claim">): Promise<void> {
  const ours = await keepSetting(database, "installation", async () => randomBytes(8).toString("hex"));
  const theirs = await objects.claim(ours);
  if (theirs !== ours) throw new StrangeBodies(theirs, ours);
}
