import { traced } from "../../base/traces.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import { type LeasedSubmission, leaseDeliveries } from "../../store/queues/deliveries.ts";
import { claimDue, type DueSubmission, hastenHints, keyOf, nextDue, settleHint } from "../../store/queues/due.ts";
import { carry } from "./carry.ts";
import type { MailOutOptions } from "./options.ts";
import { ScanGate } from "./scan-gate.ts";
import { Sender } from "./send.ts";
import { sweepQueue } from "./sweep.ts";

export interface MailOut {
  /** Looks for work at once. */
  wake(): void;
  /** Restores lost hints and takes over the leases of processes that are gone. */
  sweep(): Promise<void>;
  /** Claims no more work and lets the attempts under way finish. */
  close(): Promise<void>;
  /** Resolves when no attempt is under way. */
  idle(): Promise<void>;
}

const leaseMs = 15 * 60_000;
const maxConcurrent = 100;
const maxSleepMs = 2_000;
/** Mail that waits for the virus scanner is looked at again after this time, and as soon as it is back. */
const unscannedPauseMs = 5 * 60_000;
/** On Citus a sweep asks every node, while what it finds is rare. */
const sweepEveryMs = 120_000;

/** The worker for outgoing mail: claims hints, leases recipients, attempts delivery and records the results. */
export function createMailOut(options: MailOutOptions): MailOut {
  const worker = new Worker(options);
  worker.start();
  return worker;
}

class Worker implements MailOut {
  readonly #options: MailOutOptions;
  readonly #sender: Sender;
  readonly #gate: ScanGate;
  readonly #active = new Set<Promise<void>>();
  /** Submissions being worked on, and how often each is worked on at once. */
  readonly #known = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #sweeping = Promise.resolve();
  #looking: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: MailOutOptions) {
    this.#options = options;
    this.#sender = new Sender(options);
    this.#gate = new ScanGate(options, async () => {
      const now = options.clock.now();
      await hastenHints(options.store.database, now, after(now, unscannedPauseMs));
      this.wake();
    });
  }

  start(): void {
    this.#sweeper = setInterval(() => void this.sweep(), sweepEveryMs);
    this.#sweeper.unref();
    void this.sweep();
  }

  wake(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#again) this.wake();
    });
  }

  sweep(): Promise<void> {
    this.#sweeping = this.#sweeping.then(() => this.#sweep());
    return this.#sweeping;
  }

  async #sweep(): Promise<void> {
    if (this.#closed) return;
    await sweepQueue(this.#options, (due) => this.#known.has(keyOf(due))).catch((error: unknown) =>
      this.#options.log.warn({ err: error }, "sweep of the mail queue failed"),
    );
    this.wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#again = false;
    clearInterval(this.#sweeper);
    clearTimeout(this.#timer);
    this.#gate.close();
    await this.idle();
  }

  async idle(): Promise<void> {
    await this.#sweeping;
    await this.#looking;
    while (this.#active.size > 0) await Promise.all(this.#active);
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    const { store, clock, log } = this.#options;
    let sleep = maxSleepMs;
    try {
      while (!this.#closed) {
        this.#again = false;
        const free = maxConcurrent - this.#active.size;
        const now = clock.now();
        const claimed = free > 0 ? await claimDue(store.database, now, after(now, leaseMs), free) : [];
        for (const due of claimed) this.#begin(due);
        if (claimed.length === 0) break;
      }
      const next = await nextDue(store.database);
      if (next) sleep = Math.min(Math.max(next.getTime() - clock.now().getTime(), 20), maxSleepMs);
    } catch (error) {
      log.warn({ err: error }, "mail queue could not be read");
    }
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.wake(), sleep);
    this.#timer.unref();
  }

  #begin(due: DueSubmission): void {
    const key = keyOf(due);
    this.#known.set(key, (this.#known.get(key) ?? 0) + 1);
    const work = traced(
      "attempt",
      () => ({ cause: key }),
      () => this.#process(due),
    )
      .catch((error: unknown) => {
        if (error instanceof AccountMissing) return;
        this.#options.log.error({ account: due.userId, submission: due.submissionId, err: error }, "attempt failed");
      })
      .finally(() => {
        this.#active.delete(work);
        const left = this.#known.get(key)! - 1;
        if (left > 0) this.#known.set(key, left);
        else this.#known.delete(key);
        if (this.#active.size === maxConcurrent - 1) this.wake();
      });
    this.#active.add(work);
  }

  async #process(due: DueSubmission): Promise<void> {
    const { store, clock } = this.#options;
    let notBefore: Date | undefined;
    try {
      const leased = await this.#lease(due);
      const isUnscanned = leased && (await carry(leased, this.#means));
      // The scanner may be back already.
      if (isUnscanned && this.#gate.isShut) notBefore = after(clock.now(), unscannedPauseMs);
    } finally {
      await settleHint(store.database, due, notBefore);
    }
  }

  get #means() {
    return { sender: this.#sender, gate: this.#gate, options: this.#options };
  }

  async #lease(due: DueSubmission): Promise<LeasedSubmission | undefined> {
    const { store, clock, holder, incoming } = this.#options;
    const now = clock.now();
    const incomingId = await incoming.newId();
    return leaseDeliveries(store.database, due, { holder: holder.name, until: after(now, leaseMs), now, incomingId });
  }
}

const after = (date: Date, milliseconds: number) => new Date(date.getTime() + milliseconds);
