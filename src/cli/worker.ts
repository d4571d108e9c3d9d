import type { Log } from "../base/log.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import type { Store } from "../store/core/store.ts";
import { sweepIntervalMs } from "../store/upkeep/held-objects.ts";
import { Sweeper, settleSearch } from "../store/upkeep/sweeps.ts";

const searchIntervalMs = 10_000;

/** Runs the sweeps periodically; returns a function that stops them. */
export function startWorker(options: { store: Store; objects: ObjectStore; log: Log }): () => Promise<void> {
  const { log } = options;
  const sweeper = new Sweeper(options);
  let running = Promise.resolve();
  const sweep = () => {
    running = running
      .then(() => sweeper.run())
      .then(
        () => {},
        (error: Error) => log.error({ reason: error.message }, "sweep failed"),
      );
  };
  // Delayed past the start's own work, and by chance, so that machines do not sweep in step.
  const first = setTimeout(sweep, 30_000 + Math.random() * 30_000).unref();
  const timer = setInterval(sweep, sweepIntervalMs).unref();
  let settling: Promise<void> | undefined;
  const settle = () => {
    settling ??= settleSearch(options.store.database)
      .catch((error: Error) => log.warn({ reason: error.message }, "settling the search index failed"))
      .finally(() => {
        settling = undefined;
      });
  };
  const searchTimer = setInterval(settle, searchIntervalMs).unref();
  return async () => {
    clearTimeout(first);
    clearInterval(timer);
    clearInterval(searchTimer);
    await Promise.all([running, settling]);
  };
}
