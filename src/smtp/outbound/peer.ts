import type { Clock, Random } from "../../base/clock.ts";
import { pauseFor } from "../../base/retry.ts";
import type { PlaceLimit, SharedTurns } from "../../base/shared-counts.ts";
import { thisSpan } from "../../base/traces.ts";
import { FairQueue, type Place } from "./fair-queue.ts";
import { Pace } from "./pace.ts";

/** How soon a process looks again while others have all places of a destination. */
const lookAgainMs = 250;
/** A mail that would wait longer for its turn gives up its place in memory, for mail to elsewhere. */
const maxWaitMs = 30_000;
const maxPutOffMs = 30 * 60_000;
/** So many wait however slow the destination is, unless its transactions take so long that others need the room in memory. */
const alwaysWaiting = 5;

export interface PeerOptions {
  key: string;
  maxAtOnce: number;
  /** Counts the transactions with it in all processes. */
  places: PlaceLimit | undefined;
  /** The pauses between mails to it, of all processes. (Default: those of this one alone) */
  turns?: SharedTurns | undefined;
  /** Whether its last transaction took long. */
  isSlow(): boolean;
  clock: Clock;
  random: Random;
}

interface Job {
  run(): Promise<void>;
  /** It must come back at this time. */
  putOff(until: Date): void;
}

/** One destination: the servers that some domains share, the mail that waits for them, and the pace that they bear. */
export class Peer {
  readonly pace: Pace;
  readonly #options: PeerOptions;
  readonly #queue = new FairQueue<Job>();
  readonly #closing = new AbortController();
  #lanes = 0;
  /** How long a mail takes, on average. */
  #serviceMs = 500;
  /** When the last mail that was put off comes back. */
  #horizon = 0;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.pace = new Pace(options, options);
  }

  /** Whether nobody would miss it. */
  get isIdle(): boolean {
    return this.#lanes === 0 && this.#queue.size === 0 && this.pace.isUsual;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Runs the work when its turn comes. Resolves with a time instead if that is far away: the mail must come back then. */
  inTurn<T>(place: Place, work: () => Promise<T>): Promise<T | Date> {
    const until = this.#tooManyUntil();
    if (until) return Promise.resolve(until);
    const within = thisSpan();
    return new Promise((resolve, reject) => {
      const run = async () => {
        const begun = performance.now();
        await within(work).then(resolve, reject);
        this.#serviceMs += (performance.now() - begun - this.#serviceMs) / 8;
      };
      this.#queue.add(place, { run, putOff: resolve });
      if (this.#lanes < this.pace.atOnce) void this.#lane();
    });
  }

  /** Mail that waits must come back later; what is under way goes on. */
  close(): void {
    this.#closing.abort();
    const now = this.#options.clock.now();
    for (let job = this.#queue.next(); job; job = this.#queue.next()) job.putOff(now);
  }

  /** One of the transactions that may run at once: it takes mail after mail, so that they can share a connection. */
  async #lane(): Promise<void> {
    const { key, places } = this.#options;
    this.#lanes++;
    let hasPlace = places === undefined;
    try {
      while (this.#queue.size > 0 && this.#lanes <= this.pace.atOnce) {
        // A process that has no place of the destination gets one at once: none waits for ever.
        hasPlace ||= await places!.take(key);
        if (!hasPlace) {
          await pauseFor(lookAgainMs, this.#closing.signal);
          continue;
        }
        await this.#pause();
        await this.#queue.next()?.run();
      }
    } finally {
      if (hasPlace) places?.leave(key);
      this.#lanes--;
    }
    if (this.#queue.size > 0 && this.#lanes < this.pace.atOnce) void this.#lane();
  }

  /** Waits until the next mail may begin: by what this process was told, and then by what the others have booked. */
  async #pause(): Promise<void> {
    const { key, turns } = this.#options;
    const wait = this.pace.book();
    if (wait > 0) await pauseFor(wait, this.#closing.signal);
    const { intervalMs } = this.pace;
    const more = turns && intervalMs > 0 ? await turns.book(key, intervalMs) : 0;
    if (more > 0) await pauseFor(more, this.#closing.signal);
  }

  /** Mail that is put off comes back at the pace at which it can go. */
  #tooManyUntil(): Date | undefined {
    const { isSlow } = this.#options;
    if (this.#queue.size < (isSlow() ? 1 : alwaysWaiting)) return undefined;
    const now = this.#options.clock.now().getTime();
    const eachMs = Math.max(this.#serviceMs / this.pace.atOnce, this.pace.intervalMs);
    const waitMs = this.#queue.size * eachMs;
    if (waitMs <= maxWaitMs) return undefined;
    this.#horizon = Math.min(Math.max(this.#horizon, now + waitMs) + eachMs, now + maxPutOffMs);
    return new Date(this.#horizon);
  }
}
