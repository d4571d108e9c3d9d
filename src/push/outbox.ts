import type { Log } from "../base/log.ts";
import type { Batch, BusEvent, Carrier } from "./carrier.ts";
import { mergeStates, type States } from "./states.ts";

/** Events that come within this time go as one message, in ms. */
const gather = 2;
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
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #pause = 0;

  constructor(carrier: Carrier, log: Log) {
    this.#carrier = carrier;
    this.#log = log;
  }

  add(event: BusEvent): void {
    if ("credential" in event) this.#addRevoked(event.credential);
    else this.#addChange(event.accountId, event.changed);
    this.#schedule();
  }

  /** Sends what waits, but tries no more than once. */
  async close(): Promise<void> {
    await this.#sending;
    clearTimeout(this.#timer);
    await this.#flush();
    clearTimeout(this.#timer);
  }

  #addChange(accountId: number, changed: States): void {
    const waiting = this.#changes.get(accountId);
    if (waiting) mergeStates(waiting, changed);
    else if (this.#changes.size < maxAccounts) this.#changes.set(accountId, { ...changed });
  }

  #addRevoked(login: string): void {
    if (this.#revoked.size < maxRevoked) this.#revoked.add(login);
  }

  #schedule(): void {
    if (this.#sending || this.#timer) return;
    this.#timer = setTimeout(() => void this.#flush(), Math.max(gather, this.#pause)).unref();
  }

  #flush(): Promise<void> {
    this.#timer = undefined;
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
      if (this.#changes.size > 0 || this.#revoked.size > 0) this.#schedule();
    });
    return this.#sending;
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
      this.#pause = 0;
    } catch (error) {
      this.#pause = Math.min(Math.max(this.#pause * 2, 50), longestPause);
      this.#log.warn({ reason: (error as Error).message, pause: this.#pause }, "changes not told to other processes");
      for (const { accountId, changed } of batch.changes) this.#addChange(accountId, changed);
      for (const login of batch.revoked) this.#addRevoked(login);
    }
  }
}
