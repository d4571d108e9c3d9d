import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { lru } from "../../base/lru.ts";
import type { Database } from "../../store/core/database.ts";
import type { StateChange } from "../../store/core/store.ts";
import { hintNewer } from "../../store/queues/due.ts";

/**
 * Notifies the workers of what a commit has queued. Every process that writes submissions calls `noticed` after each
 * commit. The sweep restores lost hints.
 */
export class SubmissionHints {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Called when there is work to do. */
  readonly #wake: () => void;
  /** Accounts being looked at, and whether another commit came meanwhile. */
  readonly #running = new Map<number, boolean>();
  /** The newest submission of an account that was seen: what waits already has its hint, however much it is. */
  readonly #seen = lru<number, number>({ max: 20_000 });

  constructor(options: { database: Database; clock: Clock; log: Log; wake?: () => void }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#wake = options.wake ?? (() => {});
  }

  noticed(change: StateChange): void {
    if (change.changed.EmailSubmission === undefined) return;
    const { accountId } = change;
    if (this.#running.has(accountId)) this.#running.set(accountId, true);
    else void this.#hint(accountId);
  }

  async #hint(accountId: number): Promise<void> {
    do {
      this.#running.set(accountId, false);
      try {
        const since = { now: this.#clock.now(), after: this.#seen.get(accountId) ?? 0 };
        const { hinted, newest } = await hintNewer(this.#database, accountId, since);
        this.#seen.set(accountId, newest);
        if (hinted > 0) this.#wake();
      } catch (error) {
        this.#log.warn({ account: accountId, err: error }, "hint for queued mail not written, the sweep will find it");
      }
    } while (this.#running.get(accountId));
    this.#running.delete(accountId);
  }
}
