import { traced } from "../../base/traces.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import { leaseDeliveries } from "../../store/queues/deliveries.ts";
import { claimDue, type DueSubmission, hastenHints, keyOf, nextDue } from "../../store/queues/due.ts";
import { type Carried, carry, type Means } from "./carry.ts";
import { destinationsOf } from "./destinations.ts";
import { Domains } from "./domains.ts";
import { Held } from "./held.ts";
import type { MailOutOptions } from "./options.ts";
import { Recorder } from "./recorder.ts";
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
const maxClaimed = 50;
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
  readonly #means: Means;
  readonly #active = new Set<Promise<void>>();
  readonly #held = new Held(() => this.wake());
  #timer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #sweeping = Promise.resolve();
  #looking: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: MailOutOptions) {
    this.#options = options;
    const gate = new ScanGate(options, async () => {
      const now = options.clock.now();
      await hastenHints(options.store.database, now, after(now, unscannedPauseMs));
      this.wake();
    });
    this.#means = { options, gate, sender: new Sender(options), recorder: new Recorder(options) };
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
    await sweepQueue(this.#options, (due) => this.#held.has(due)).catch((error: unknown) =>
      this.#options.log.warn({ err: error }, "sweep of the mail queue failed"),
    );
    this.wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#again = false;
    clearInterval(this.#sweeper);
    clearTimeout(this.#timer);
    this.#means.gate.close();
    this.#means.sender.close();
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
        if ((await this.#claim(false)) + (await this.#claim(true)) === 0) break;
      }
      const next = await nextDue(store.database);
      if (next) sleep = Math.min(Math.max(next.getTime() - clock.now().getTime(), 20), maxSleepMs);
    } catch (error) {
      log.warn({ err: error }, "mail queue could not be read");
    }
    if (this.#closed) return;
    // What is due and not claimed waits until there is room for it.
    this.#timer = setTimeout(() => this.wake(), this.#held.isShort ? maxSleepMs : sleep);
    this.#timer.unref();
  }

  /** Claims what is due of a kind and begins it; returns how much. */
  async #claim(isBulk: boolean): Promise<number> {
    const { store, clock } = this.#options;
    const { room, full } = this.#held.free(isBulk);
    const limit = Math.min(room, maxClaimed);
    if (limit <= 0 || this.#closed) return 0;
    const now = clock.now();
    const claimed = await claimDue(store.database, { now, until: after(now, leaseMs), limit, bulk: isBulk, full });
    for (const [userId, some] of Map.groupBy(claimed, (due) => due.userId)) this.#begin(userId, some, isBulk);
    return claimed.length;
  }

  /** Begins attempts of one account, which share the statements of their lease. */
  #begin(userId: number, claimed: readonly DueSubmission[], isBulk: boolean): void {
    let leasing: Promise<Map<number, Carried>> | undefined;
    for (const due of claimed) {
      this.#held.add(due, isBulk);
      const attempt = traced(
        "attempt",
        () => ({ cause: keyOf(due) }),
        async () => {
          leasing ??= this.#lease(userId, claimed);
          let notBefore: Date | undefined;
          try {
            const carried = (await leasing).get(due.submissionId);
            const isUnscanned = carried !== undefined && (await carry(carried, this.#means));
            // The scanner may be back already.
            const mustWait = isUnscanned && this.#means.gate.isShut;
            if (mustWait) notBefore = after(this.#options.clock.now(), unscannedPauseMs);
          } finally {
            await this.#means.recorder.settleHint({ ...due, notBefore });
          }
        },
      );
      const work = attempt
        .catch((error: unknown) => {
          if (error instanceof AccountMissing) return;
          const about = { account: due.userId, submission: due.submissionId };
          this.#options.log.error({ ...about, err: error }, "attempt failed");
        })
        .finally(() => {
          this.#active.delete(work);
          this.#held.remove(due, isBulk);
        });
      this.#active.add(work);
    }
  }

  async #lease(userId: number, claimed: readonly DueSubmission[]): Promise<Map<number, Carried>> {
    const { store, clock, holder, incoming } = this.#options;
    const { database } = store;
    const submissions = await Promise.all(
      claimed.map(async ({ submissionId }) => ({ submissionId, incomingId: await incoming.newId() })),
    );
    const now = clock.now();
    const lease = { holder: holder.name, until: after(now, leaseMs), now };
    const leased = await leaseDeliveries(database, userId, submissions, lease);
    const destinations = await destinationsOf(leased, database);
    const domains = new Domains(database);
    return new Map(
      leased.map((one, at) => [one.submissionId, { leased: one, destinations: destinations[at]!, domains }]),
    );
  }
}

const after = (date: Date, milliseconds: number) => new Date(date.getTime() + milliseconds);
