import type { Log } from "../base/log.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import type { Store } from "../store/core/store.ts";
import { sweepIntervalMs } from "../store/upkeep/held-objects.ts";
import { Sweeper, settleSearch } from "../store/upkeep/sweeps.ts";

const searchInterval = 10_000;

/** Runs the sweeps from time to time; the function stops them. */
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
  // Not together with all else that happens at a start, nor in step with other machines.
  const first = setTimeout(sweep, 30_000 + Math.random() * 30_000).unref();
  const timer = setInterval(sweep, sweepIntervalMs).unref();
  let settling: Promise<void> | undefined;
  const settle = () => {
    settling ??= settleSearch(options.store.database)
      .catch((error: Error) => log.warn({ reason: error.message }, "search index not settled"))
      .finally(() => {
        settling = undefined;
      });
  };
  const searchTimer = setInterval(settle, searchInterval).unref();
  return async () => {
    clearTimeout(first);
    clearInterval(timer);
    clearInterval(searchTimer);
    await Promise.all([running, settling]);
  };
}
