import type { Log } from "../base/log.ts";
import type { Store } from "../store/core/store.ts";
import { SearchSettler } from "../store/upkeep/settle-search.ts";

const intervalMs = 10_000;

/** Settles the search index where this process has written to it; returns a function that stops that. */
export function startSettling(store: Store, log: Log): () => Promise<void> {
  const settler = new SearchSettler(store.database, log);
  const before = store.onCommit;
  store.onCommit = (change) => {
    before(change);
    settler.noticed(change);
  };
  let settling = Promise.resolve();
  const settle = () => {
    settling = settling
      .then(() => settler.settle())
      .catch((error: Error) => log.warn({ reason: error.message }, "search not settled"));
  };
  const timer = setInterval(settle, intervalMs).unref();
  return async () => {
    clearInterval(timer);
    await settling;
  };
}
