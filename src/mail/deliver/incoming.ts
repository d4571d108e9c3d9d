import type { Clock } from "../../base/clock.ts";
import type { Events } from "../../base/events.ts";
import type { Holder } from "../../base/holder.ts";
import type { Log } from "../../base/log.ts";
import { retry } from "../../base/retry.ts";
import { Slots } from "../../base/slots.ts";
import { traced } from "../../base/traces.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import type { Store } from "../../store/core/store.ts";
import { type IncomingMessage, type IncomingRecipient, IncomingRows, type Lease } from "../../store/queues/incoming.ts";
import { dueIncoming, incomingLeaseHolders } from "../../store/queues/queue-sweeps.ts";
import type { ReturnPaths } from "../feedback/return-path.ts";
import { Arrival, type Returned, returnedFor } from "../feedback/returned.ts";
import { checks } from "./checks/checks.ts";
import { type Decision, decide } from "./disposition.ts";
import type { Ingest } from "./ingest.ts";
import type { PreparedMessage } from "./prepare.ts";
import { prepare } from "./preparer.ts";

/** A message that has just been put into an account. */
export interface Delivered {
  accountId: number;
  /** The recipient's address in the envelope. */
  address: string;
  /** "" for the null sender. */
  mailFrom: string;
  arrivedAt: Date;
  prepared: PreparedMessage;
  decision: Decision;
}

export interface IncomingOptions {
  store: Store;
  blobs: Blobs;
  ingest: Ingest;
  returnPaths: ReturnPaths;
  clock: Clock;
  log: Log;
  events: Events;
  holder: Holder;
  /** Called for each message put into an account; again if it failed or if the process died meanwhile. */
  onDelivered?: (delivered: Delivered) => Promise<void>;
}

/** An accepted message, with its trace header in front. */
export interface Accepted {
  /** From `newId`, so that the trace header can carry it. */
  id: number;
  message: Buffer;
  /** "" for the null sender. */
  mailFrom: string;
  recipients: { address: string; userId: number }[];
  /** Why the message is filed to Junk. (Default: it goes to the inbox.) */
  junkReason?: string | null;
}

const leaseMs = 5 * 60_000;
const firstPauseMs = 5_000;
const maxPauseMs = 10 * 60_000;
const maxConcurrent = 24;
/** Of the messages waiting for their turn, how many keep their bytes in memory. */
const maxKeptWaiting = 32;
const sweepEveryMs = 15_000;
const maxPerSweep = 100;

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

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#rows = new IncomingRows(options.store.database);
  }

  newId(): Promise<number> {
    return this.#rows.newId();
  }

  /** The message is durable on return and delivered soon after. Accepting the same id again does nothing. */
  async accept(accepted: Accepted): Promise<void> {
    const { events } = this.#options;
    const told = { sizeOctets: accepted.message.length, recipients: accepted.recipients.length };
    try {
      await this.#take(accepted);
    } catch (error) {
      events.mailNotStored(told);
      throw error;
    }
    events.mailTaken(told);
  }

  async #take({ id, message, mailFrom, recipients, junkReason = null }: Accepted): Promise<void> {
    const { blobs, clock } = this.#options;
    const blob = await blobs.put(message);
    const perAccount = new Map(recipients.map((recipient) => [recipient.userId, recipient]));
    const row: IncomingMessage = {
      id,
      createdAt: clock.now(),
      blob,
      mailFrom,
      recipients: [...perAccount.values()].map(({ address, userId }) => ({ address, userId, done: false })),
      attempts: 0,
      junkReason,
    };
    this.#held.add(id);
    try {
      await this.#rows.insert(row, this.#lease(leaseMs));
    } catch (error) {
      this.#held.delete(id);
      throw error;
    }
    this.#begin(row, this.#slots.waiting < maxKeptWaiting ? message : undefined);
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
      for (const row of rows) this.#begin(row);
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
      this.#options.log.warn({ incoming: row.id, reason: reasonOf(error) }, "delivery interrupted");
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
      const bytes = message ?? (await this.#options.blobs.readObject(row.blob));
      const prepared = await prepare(bytes);
      const { mailFrom, createdAt: at, blob } = row;
      const arrival = new Arrival({ message: bytes, summary: prepared.summary, mailFrom, at, blob });
      const waiting = row.recipients.filter((recipient) => !recipient.done);
      const outcomes = await Promise.allSettled(waiting.map((one) => this.#deliverTo(one, row, prepared, arrival)));
      trouble = outcomes.find((outcome) => outcome.status === "rejected")?.reason;
    } catch (error) {
      trouble = error;
    }
    if (row.recipients.every((recipient) => recipient.done)) return this.#rows.remove(row.id);
    const { log } = this.#options;
    const pauseMs = Math.min(firstPauseMs * 2 ** row.attempts, maxPauseMs);
    const reason = reasonOf(trouble);
    log.warn({ incoming: row.id, attempts: row.attempts + 1, reason }, "delivery put off");
    await this.#rows.postpone(row, this.#lease(pauseMs), reason);
    row.attempts++;
  }

  async #deliverTo(
    recipient: IncomingRecipient,
    row: IncomingMessage,
    prepared: PreparedMessage,
    arrival: Arrival,
  ): Promise<void> {
    const { store, ingest, log, onDelivered, returnPaths } = this.#options;
    const accountId = recipient.userId;
    const { mailFrom, createdAt: arrivedAt, junkReason } = row;
    const message = { mailFrom, arrivedAt, prepared };
    try {
      const reader = store.reader(accountId, "server");
      const returned = await returnedFor(recipient.address, arrival, { reader, returnPaths });
      const applied = returned?.isBelieved ? [] : checks;
      const facts = { reader, junkReason };
      const decision = await decide(applied, message, { accountId, address: recipient.address }, facts, log);
      const { places, keywords, reasons } = decision;
      if (reasons.length > 0) recipient.reasons = reasons;
      await ingest.add(accountId, {
        blob: row.blob,
        prepared: about(prepared, returned),
        target: places,
        keywords,
        receivedAt: arrivedAt,
        incomingId: row.id,
        // What is taken for junk reports nothing.
        ...(returned && !isJunk(places) && { record: returned.record }),
      });
      if (reasons.length > 0) log.info({ incoming: row.id, account: accountId, places, reasons }, "disposition");
      await onDelivered?.({ accountId, address: recipient.address, ...message, decision });
    } catch (error) {
      if (!(error instanceof AccountMissing)) throw error;
      log.warn({ incoming: row.id, account: accountId }, "a recipient's account is gone");
    }
    recipient.done = true;
  }
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The message with the mail that it is about, whose thread it joins. */
function about(prepared: PreparedMessage, returned: Returned | undefined): PreparedMessage {
  if (returned?.submissionId === undefined) return prepared;
  return { ...prepared, threadKeys: { ...prepared.threadKeys, submissionId: returned.submissionId } };
}

const isJunk = (places: Decision["places"]) => places.some((place) => "role" in place && place.role === "junk");
