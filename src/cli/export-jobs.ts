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
  let isQueued = false;
  let isStopped = false;
  const look = () => {
    if (isQueued || isStopped) return;
    isQueued = true;
    running = running
      .then(() => {
        // What is asked for from now on, this look may miss.
        isQueued = false;
        return jobs.run();
      })
      .catch((error: Error) => log.error({ reason: error.message }, "exports were not looked for"));
  };
  const lookIfAsked = async (accountId: number) => {
    if (!isQueued && !isStopped && (await jobs.isAsked(accountId))) look();
  };
  // One that this process was asked for begins at once. Its progress, too, is a change of a DataExport.
  const tell = store.onCommit;
  store.onCommit = (change) => {
    tell(change);
    if (!change.changed.DataExport) return;
    lookIfAsked(change.accountId).catch((error: Error) => log.warn({ reason: error.message }, "an export waits"));
  };
  const timer = setInterval(look, lookMs).unref();
  return async () => {
    isStopped = true;
    clearInterval(timer);
    jobs.stop();
    await running;
  };
}
