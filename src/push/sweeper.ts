import type { Log } from "../base/log.ts";
import { AccountMissing, Unreachable } from "../store/core/errors.ts";
import { readAccountMark } from "../store/core/listen.ts";
import type { Store } from "../store/core/store.ts";
import type { ChangeEvent } from "./carrier.ts";
import { statesOf } from "./states.ts";

export interface SweeperOptions {
  store: Store;
  log: Log;
  intervalMs: number;
  /** The accounts with subscribers in this process. */
  accounts: () => number[];
  found: (event: ChangeEvent) => void;
}

/** How many accounts are compared at once. */
const maxAtOnce = 4;

/** Finds changes whose events were lost, by comparing the modseqs of subscribed accounts. */
export class Sweeper {
  readonly #options: SweeperOptions;
  /** Account → its mark when last compared. Events do not advance it: an event does not prove that earlier ones arrived. */
  readonly #marks = new Map<number, string>();
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #again = false;
  #stopped = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.run(), this.#options.intervalMs).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Compares one account. */
  compare(accountId: number): void {
    if (this.#stopped) return;
    this.#compare(accountId).catch((error: unknown) => this.#notCompared(error));
  }

  /** Compares all subscribed accounts once; if a pass is under way, another one follows it. */
  run(): void {
    this.#again = true;
    if (this.#running || this.#stopped) return;
    this.#running = true;
    void this.#passes().finally(() => {
      this.#running = false;
    });
  }

  async #passes(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      const accounts = new Set(this.#options.accounts());
      for (const accountId of this.#marks.keys()) if (!accounts.has(accountId)) this.#marks.delete(accountId);
      const queue = accounts.values();
      try {
        await Promise.all(Array.from({ length: maxAtOnce }, () => this.#compareEach(queue)));
      } catch (error) {
        this.#notCompared(error);
        return;
      }
    }
  }

  #notCompared(error: unknown): void {
    this.#options.log.warn({ reason: (error as Error).message }, "states not compared");
  }

  async #compareEach(queue: Iterable<number>): Promise<void> {
    for (const accountId of queue) {
      if (this.#stopped) return;
      await this.#compare(accountId);
    }
  }

  async #compare(accountId: number): Promise<void> {
    const reader = this.#options.store.reader(accountId, "server");
    try {
      const mark = await readAccountMark(reader, accountId);
      if (mark === undefined || mark === this.#marks.get(accountId)) return;
      // The states are read after the mark, so they include every change that the mark stands for.
      const standing = await reader.standing();
      this.#marks.set(accountId, mark);
      this.#options.found({ accountId, changed: statesOf(standing) });
    } catch (error) {
      if (!(error instanceof AccountMissing || error instanceof Unreachable)) throw error;
    }
  }
}
