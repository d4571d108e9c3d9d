import { join } from "node:path";
import { ExportJobs } from "../admin/export/jobs.ts";
import type { Config } from "../config/schema.ts";
import { accountObjects } from "../jmap/account-objects.ts";
import type { Parts } from "./parts.ts";

/** How often exports are looked for that other processes have asked for; on Citus all nodes are asked. */
const lookMs = 60_000;

/** Works on the exports that users ask for; returns a function that stops that. */
export function startExports(config: Config, { store, blobs, surroundings }: Parts): () => Promise<void> {
  const { log } = surroundings;
  const folder = join(config.data, "exports");
  const jobs = new ExportJobs({ store, blobs, objects: accountObjects, log, folder });
  let running = Promise.resolve();
  const look = () => {
    running = running
      .then(() => jobs.run())
      .catch((error: Error) => log.error({ reason: error.message }, "exports were not looked for"));
  };
  // One that this process was asked for begins at once.
  const tell = store.onCommit;
  store.onCommit = (change) => {
    tell(change);
    if (change.changed.DataExport) look();
  };
  const timer = setInterval(look, lookMs).unref();
  return async () => {
    clearInterval(timer);
    jobs.stop();
    await running;
  };
}
