import type { Log } from "../base/log.ts";
import { pauseFor, retry } from "../base/retry.ts";
import type { Batch, BusEvent, Carrier, ChangeEvent, Watched } from "./carrier.ts";
import { mergeStates, older } from "./states.ts";

/** Events that occur within this time are sent as one message. */
const gatherMs = 2;
const firstPauseMs = 50;
const maxPauseMs = 5_000;
/** The most accounts that wait while a carrier is down; changes of others are found by comparing states. */
const maxAccounts = 10_000;
const maxRevoked = 10_000;

/** Events that wait for a carrier, merged by account. One batch is sent at a time, and retried after a failure. */
export class Outbox {
  readonly #carrier: Carrier;
  readonly #log: Log;
  #changes = new Map<number, ChangeEvent>();
  #revoked = new Set<string>();
  #queued = false;
  #watched = new Set<Watched>();
  #sending: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(carrier: Carrier, log: Log) {
    this.#carrier = carrier;
    this.#log = log;
  }

  add(event: BusEvent): void {
    if ("credential" in event) this.#addRevoked(event.credential);
    else if ("queued" in event) this.#queued = true;
    else if ("watched" in event) this.#watched.add(event.watched);
    else this.#addChange(event);
    this.#sending ??= this.#sendAll();
  }

  /** Makes one last attempt to send what waits. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#sending;
    await this.#send().catch((error: unknown) => this.#notTold(error));
  }

  #addChange({ accountId, changed, committedAt }: ChangeEvent): void {
    const waiting = this.#changes.get(accountId);
    if (waiting) {
      mergeStates(waiting.changed, changed);
      waiting.committedAt = older(waiting.committedAt, committedAt);
    } else if (this.#changes.size < maxAccounts) {
      this.#changes.set(accountId, { accountId, changed: { ...changed }, committedAt });
    }
  }

  #addRevoked(login: string): void {
    if (this.#revoked.size < maxRevoked) this.#revoked.add(login);
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#closing;
    const onFailure = (error: unknown) => this.#notTold(error);
    try {
      do {
        await pauseFor(gatherMs, signal);
        if (signal.aborted) return;
        await retry(() => this.#send(), { firstPauseMs, maxPauseMs, signal, onFailure });
      } while (this.#isWaiting);
    } catch {
      // The outbox is closing.
    } finally {
      this.#sending = undefined;
    }
  }

  get #isWaiting(): boolean {
    return this.#changes.size > 0 || this.#revoked.size > 0 || this.#queued || this.#watched.size > 0;
  }

  #notTold(error: unknown): void {
    this.#log.warn({ reason: (error as Error).message }, "changes not sent to other processes");
  }

  async #send(): Promise<void> {
    if (!this.#isWaiting) return;
    const batch: Batch = {
      changes: [...this.#changes.values()],
      revoked: [...this.#revoked],
      queued: this.#queued,
      watched: [...this.#watched],
    };
    this.#changes = new Map();
    this.#revoked = new Set();
    this.#queued = false;
    this.#watched = new Set();
    try {
      await this.#carrier.send(batch);
    } catch (error) {
      for (const change of batch.changes) this.#addChange(change);
      for (const login of batch.revoked) this.#addRevoked(login);
      this.#queued ||= batch.queued;
      for (const one of batch.watched) this.#watched.add(one);
      throw error;
    }
  }
}
