import type { Log } from "../base/log.ts";
import { pauseFor, retry } from "../base/retry.ts";
import type { Batch, BusEvent, Carrier } from "./carrier.ts";
import { mergeStates, type States } from "./states.ts";

/** Events that come within this time go as one message, in ms. */
const gather = 2;
const firstPause = 50;
const longestPause = 5_000;
/** While a carrier is down, no more accounts than these wait for it: the others are found by comparing. */
const maxAccounts = 10_000;
const maxRevoked = 10_000;

/** What waits for a carrier: merged per account, one batch under way at a time, tried again after a failure. */
export class Outbox {
  readonly #carrier: Carrier;
  readonly #log: Log;
  #changes = new Map<number, States>();
  #revoked = new Set<string>();
  #sending: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(carrier: Carrier, log: Log) {
    this.#carrier = carrier;
    this.#log = log;
  }

  add(event: BusEvent): void {
    if ("credential" in event) this.#addRevoked(event.credential);
    else this.#addChange(event.accountId, event.changed);
    this.#sending ??= this.#sendAll();
  }

  /** Sends what waits, but tries no more than once. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#sending;
    await this.#send().catch((error: unknown) => this.#notTold(error));
  }

  #addChange(accountId: number, changed: States): void {
    const waiting = this.#changes.get(accountId);
    if (waiting) mergeStates(waiting, changed);
    else if (this.#changes.size < maxAccounts) this.#changes.set(accountId, { ...changed });
  }

  #addRevoked(login: string): void {
    if (this.#revoked.size < maxRevoked) this.#revoked.add(login);
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#closing;
    const onFailure = (error: unknown) => this.#notTold(error);
    try {
      do {
        await pauseFor(gather, signal);
        if (signal.aborted) return;
        await retry(() => this.#send(), { firstPause, longestPause, signal, onFailure });
      } while (this.#changes.size > 0 || this.#revoked.size > 0);
    } catch {
      // It is being closed.
    } finally {
      this.#sending = undefined;
    }
  }

  #notTold(error: unknown): void {
    this.#log.warn({ reason: (error as Error).message }, "changes not told to other processes");
  }

  async #send(): Promise<void> {
    const batch: Batch = {
      changes: [...this.#changes].map(([accountId, changed]) => ({ accountId, changed })),
      revoked: [...this.#revoked],
    };
    if (batch.changes.length === 0 && batch.revoked.length === 0) return;
    this.#changes = new Map();
    this.#revoked = new Set();
    try {
      await this.#carrier.send(batch);
    } catch (error) {
      for (const { accountId, changed } of batch.changes) this.#addChange(accountId, changed);
      for (const login of batch.revoked) this.#addRevoked(login);
      throw error;
    }
  }
}
