import type { Log } from "../base/log.ts";
import { checkInstallation, StrangeBodies } from "../store/blobs/installation.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import type { Store } from "../store/core/store.ts";

/** Refuses to start on the bodies of another database; if they can't be read now, the readiness says so. */
export async function checkBodies({ database }: Store, objects: ObjectStore, log: Log): Promise<void> {
  try {
    await checkInstallation(database, objects);
  } catch (error) {
    if (error instanceof StrangeBodies) throw error;
    log.warn({ reason: (error as Error).message }, "whether the bodies are those of the database could not be checked");
  }
}
