import type { Log } from "../base/log.ts";
import { judgeAccount } from "../mail/standing/hold.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import type { Store } from "../store/core/store.ts";
import { sweepIntervalMs } from "../store/upkeep/held-objects.ts";
import { Sweeper } from "../store/upkeep/sweeps.ts";

/** Runs the sweeps periodically; returns a function that stops them. */
export function startWorker(options: {
  store: Store;
  objects: ObjectStore;
  log: Log;
  mailLogForMs: number;
  keepDeletedForMs: number;
  /** Further steps of a sweep, by name. */
  more: Record<string, () => Promise<unknown>>;
}): () => Promise<void> {
  const { log } = options;
  const sweeper = new Sweeper({ ...options, judge: judgeAccount });
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
  return async () => {
    clearTimeout(first);
    clearInterval(timer);
    await running;
  };
}
