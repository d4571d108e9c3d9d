import { mailIdOf } from "../../base/mail-log.ts";
import { retry } from "../../base/retry.ts";
import { Slots } from "../../base/slots.ts";
import { traced } from "../../base/traces.ts";
import type { AcceptedRecipient, Authentication } from "../../store/core/db.ts";
import { CommitError } from "../../store/core/errors.ts";
import { isRetryable } from "../../store/core/loss.ts";
import { isStorageTrouble } from "../../store/core/storage-trouble.ts";
import { type IncomingMessage, IncomingRows, type Lease } from "../../store/queues/incoming.ts";
import { addToQuarantine } from "../../store/queues/quarantine.ts";
import { dueIncoming, incomingLeaseHolders } from "../../store/queues/queue-sweeps.ts";
import { Arrival, NotSettled } from "../feedback/returned.ts";
import type { Peer } from "../scan/rspamd.ts";
import type { IncomingOptions } from "./arriving.ts";
import { deliverTo } from "./deliver-to.ts";
import { type Addressed, expand } from "./expand.ts";
import { prepare } from "./preparer.ts";

/** An accepted message, with its trace header in front. */
export interface Accepted {
  /** From `newId`, so that the trace header can carry it. */
  id: number;
  message: Buffer;
  /** "" for the null sender. */
  mailFrom: string;
  recipients: readonly Addressed[];
  /** Why the message is filed to Junk. (Default: it goes to the inbox.) */
  junkReason?: string | null;
  /** What was found about who sent it. (Default: nothing) */
  authentication?: Authentication | null;
  /** Who sent it by SMTP. */
  peer?: Peer;
  /** RFC 8689: it, and what answers it, goes on over verified TLS alone. (Default: it need not) */
  requiresTls?: boolean;
}

const leaseMs = 5 * 60_000;
const firstPauseMs = 5_000;
const maxPauseMs = 10 * 60_000;
const maxConcurrent = 24;
/** Of the messages waiting for their turn, how many keep their bytes in memory. */
const maxKeptWaiting = 32;
/** While so many wait for their turn here, who sends more waits for one to be delivered, but no longer than that. */
const maxBehind = 100;
const maxHeldBackMs = 2_000;
const sweepEveryMs = 15_000;
const maxPerSweep = 100;
/** So often an attempt may fail by the message itself, or end its process, before the message is set aside. */
const maxFailures = 12;
const usualMaxWaiting = 100_000;
const countEveryMs = 5_000;

/**
 * Delivers incoming mail to accounts. `accept` makes a message durable, then this process delivers it. The sweep
 * retries, for as long as it takes, what a dead process left or an account could not take.
 */
export class Incoming {
  readonly #options: IncomingOptions;
  readonly #rows: IncomingRows;
  readonly #slots = new Slots(maxConcurrent);
  readonly #active = new Set<Promise<void>>();
  /** Messages whose lease this process knowingly holds. */
  readonly #held = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  readonly #closing = new AbortController();
  #isFull = false;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#rows = new IncomingRows(options.store.database);
  }

  newId(): Promise<number> {
    return this.#rows.newId();
  }

  /** Whether as much mail waits as may. Known to within some seconds; the question itself waits for nothing. */
  isFull(): boolean {
    const now = performance.now();
    if (now - this.#countedAt >= countEveryMs) {
      this.#countedAt = now;
      this.#rows.areAtLeast(this.#options.maxWaiting ?? usualMaxWaiting).then(
        (isFull) => {
          this.#isFull = isFull;
        },
        () => {},
      );
    }
    return this.#isFull;
  }

  /**
   * The message is durable on return and delivered soon after, or in quarantine. Accepting the same id again does
   * nothing. Returns the accounts that get it. Throws ScannerAway, and OthersFirst while the id is in use for other recipients
   * alone.
   */
  async accept(accepted: Accepted): Promise<number[]> {
    const { events, store } = this.#options;
    const told = { sizeOctets: accepted.message.length, recipients: accepted.recipients.length };
    try {
      const recipients = await expand(store.database, accepted.recipients);
      await this.#take(accepted, recipients);
      events.mailTaken(told);
      return recipients.map(({ userId }) => userId);
    } catch (error) {
      events.mailNotStored(told);
      throw error;
    }
  }

  /** After a message was accepted: resolves when more should come. */
  keptUp(): Promise<void> {
    return this.#slots.room(maxBehind, maxHeldBackMs);
  }

  async #take(accepted: Accepted, recipients: readonly AcceptedRecipient[]): Promise<void> {
    const { id, message, mailFrom, junkReason = null, authentication = null } = accepted;
    const { blobs, clock, scanners } = this.#options;
    const { virus, unscanned, spam } = await scanners.onArrival(accepted);
    const blob = await (virus === undefined ? blobs.putTogether(message) : blobs.put(message));
    const row: IncomingMessage = {
      id,
      createdAt: clock.now(),
      blob,
      mailFrom,
      recipients: recipients.map((recipient) => ({
        ...recipient,
        ...(accepted.requiresTls && { requiresTls: true }),
        done: false,
      })),
      attempts: 0,
      failures: 0,
      junkReason,
      authentication,
      unscanned,
      spam,
    };
    if (virus !== undefined) return this.#quarantine(row, virus);
    const isHeld = this.#held.has(id);
    this.#held.add(id);
    let isNew = false;
    try {
      isNew = await this.#rows.insert(row, this.#lease(leaseMs));
    } finally {
      if (!isNew && !isHeld) this.#held.delete(id);
    }
    // What was there before is somebody's work already, or the sweep's.
    if (!isNew) return;
    this.#begin(row, this.#slots.waiting < maxKeptWaiting ? message : undefined);
  }

  async #quarantine(row: IncomingMessage, virus: string): Promise<void> {
    await addToQuarantine(this.#options.store.database, row, virus);
    this.#options.events.virusFound();
    this.#options.log.warn({ incoming: row.id, virus, from: row.mailFrom }, "an infected message was quarantined");
  }

  /** Starts the sweep, which runs every few seconds. */
  start(): void {
    this.#timer = setInterval(() => void this.sweep(), sweepEveryMs);
    this.#timer.unref();
    void this.sweep();
  }

  /**
   * Takes over messages whose holder is gone or whose next attempt is due. Resolves when they are delivered or put off.
   */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, "sweep of incoming mail failed"))
      .finally(() => {
        this.#sweeping = undefined;
      });
    return this.#sweeping;
  }

  /** Resolves when every message accepted here is delivered or put off. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#timer);
    await this.#sweeping;
    await this.idle();
  }

  /** Resolves when no delivery is under way. */
  async idle(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active);
  }

  async #sweep(): Promise<void> {
    const { store, clock, holder, log } = this.#options;
    // Our own name is included for leases that we hold unknowingly, as when the database's answer was lost.
    const others = await incomingLeaseHolders(store.database);
    const gone = [holder.name, ...others.filter((name) => holder.isGone(name))];
    while (!this.#closing.signal.aborted) {
      const now = clock.now();
      const found = await dueIncoming(store.database, now, gone, maxPerSweep + this.#held.size);
      const ids = found.filter((id) => !this.#held.has(id));
      for (const id of ids) this.#held.add(id);
      const rows = await this.#rows.claim(ids, this.#lease(leaseMs), now, gone).catch((error: unknown) => {
        for (const id of ids) this.#held.delete(id);
        throw error;
      });
      const claimed = new Set(rows.map((row) => row.id));
      for (const id of ids) if (!claimed.has(id)) this.#held.delete(id);
      if (rows.length === 0) return;
      log.info({ messages: rows.length }, "incoming mail resumed");
      for (const row of rows) {
        if (row.failures >= maxFailures) await this.#setAside(row, row.failures, new Error(deadly));
        else this.#begin(row);
      }
      await this.idle();
    }
  }

  #lease(forMs: number): Lease {
    const { clock, holder } = this.#options;
    return { holder: holder.name, until: new Date(clock.now().getTime() + forMs) };
  }

  #begin(row: IncomingMessage, message?: Buffer): void {
    const about = () => ({ recipients: row.recipients.length });
    const delivered = traced("deliver", about, () => this.#slots.run(() => this.#persist(row, message)));
    const work = delivered.finally(() => {
      this.#held.delete(row.id);
      this.#active.delete(work);
    });
    this.#active.add(work);
  }

  /** Tries until the row is removed or put off, also while the database is away. */
  async #persist(row: IncomingMessage, message?: Buffer): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    const onFailure = (error: unknown) =>
      this.#options.log.warn({ id: mailIdOf(row.id), reason: reasonOf(error) }, "delivery interrupted");
    // What `close` interrupts is left to the sweep.
    await retry(() => this.#deliver(row, message), {
      firstPauseMs: 500,
      maxPauseMs: 30_000,
      signal,
      onFailure,
    }).catch(() => {});
  }

  async #deliver(row: IncomingMessage, message?: Buffer): Promise<void> {
    let trouble: unknown;
    try {
      const { blobs, scanners } = this.#options;
      const bytes = message ?? (await blobs.readObject(row.blob));
      const virus = row.unscanned ? await scanners.findVirus(bytes) : undefined;
      if (virus !== undefined) {
        await this.#quarantine(row, virus);
        return await this.#rows.remove(row.id);
      }
      const prepared = await prepare(bytes, { isScanned: scanners.junkScore !== undefined });
      const { mailFrom, createdAt: at, blob } = row;
      const arrival = new Arrival({ message: bytes, summary: prepared.summary, mailFrom, at, blob });
      const waiting = row.recipients.filter((recipient) => !recipient.done);
      const outcomes = await Promise.allSettled(
        waiting.map((one) => deliverTo(one, { row, prepared, arrival }, this.#options)),
      );
      trouble = outcomes.find((outcome) => outcome.status === "rejected")?.reason;
    } catch (error) {
      trouble = error;
    }
    if (row.recipients.every((recipient) => recipient.done)) return this.#rows.remove(row.id);
    const failures = row.failures + (isPassing(trouble) ? 0 : 1);
    if (failures >= maxFailures) return this.#setAside(row, failures, trouble);
    const { mailLog } = this.#options;
    const lease = this.#lease(Math.min(firstPauseMs * 2 ** row.attempts, maxPauseMs));
    const reason = reasonOf(trouble);
    const step = { id: row.id, attempts: row.attempts + 1, reason, next: lease.until };
    mailLog.tell("delivery put off", step, "warn");
    await this.#rows.postpone({ ...row, failures }, lease, reason);
    row.attempts++;
    row.failures = failures;
  }

  /** Leaves a message to the operator: other mail must not wait for it, or the process end by it again. */
  async #setAside(row: IncomingMessage, failures: number, trouble: unknown): Promise<void> {
    const { clock, events, holder, mailLog } = this.#options;
    const reason = reasonOf(trouble);
    await this.#rows.setAside({ ...row, failures }, holder.name, reason, clock.now());
    this.#held.delete(row.id);
    const to = row.recipients.filter(({ done }) => !done).map(({ address }) => address);
    mailLog.tell("delivery set aside", { id: row.id, from: row.mailFrom, to, failures, reason }, "warn");
    events.mailInTrouble({ error: "set-aside" });
  }
}

const deadly = "the process that delivered it ended, again and again";

/** Passes by itself, whatever the message. */
const isPassing = (error: unknown) =>
  isRetryable(error) || isStorageTrouble(error) || error instanceof CommitError || error instanceof NotSettled;

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
