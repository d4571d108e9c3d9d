import { isIP } from "node:net";
import type { Clock } from "../../../base/clock.ts";
import type { Events } from "../../../base/events.ts";
import type { Log } from "../../../base/log.ts";
import type { Database } from "../../../store/core/database.ts";
import {
  countRefused,
  dayOf,
  findSources,
  renewSources,
  reserveFrom,
  restSource,
  type SourceRow,
} from "../../../store/queues/source-addresses.ts";
import type { Answer } from "../reply.ts";
import { blames } from "./blame.ts";
import { plannedFor } from "./plan.ts";
import type { PoolClass, PooledAddress, Source } from "./pools-file.ts";

export interface SourcesOptions {
  addresses: readonly PooledAddress[];
  database: Database;
  clock: Clock;
  log: Log;
  events: Events;
}

/** A mail that wants to leave. */
export interface Leaving {
  pool: PoolClass;
  provider: string;
  /** Of the servers' addresses: 4 and 6. */
  families: readonly number[];
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** How soon this process knows that an address rests. */
const refreshMs = 10_000;
const renewMs = hourMs;
/** A process books messages in blocks, so that few statements do. */
const maxBlock = 100;
const blocksADay = 20;
const noPlan = 2 ** 31 - 1;
/** An address rests when so many messages of a day, and such a share, were refused for it. */
const resting = { refused: 5, share: 0.05 };
const firstRestMs = 6 * hourMs;
const maxRestMs = 4 * dayMs;

/** What goes where when the own pool has sent all that is planned for today. Nothing comes into the pool of personal mail. */
const overflow: Record<PoolClass, readonly PoolClass[]> = {
  personal: ["personal", "bulk"],
  bulk: ["bulk", "suspicious"],
  suspicious: ["suspicious"],
};

/** Messages that this process may still send in the day. */
interface Booked {
  day: string;
  left: number;
  isExhausted: boolean;
  booking: Promise<void> | undefined;
}

/** Chooses the address that each mail leaves from, by pools and plans that all processes share. */
export class Sources {
  readonly #options: SourcesOptions;
  readonly #booked = new Map<string, Booked>();
  readonly #turns = new Map<PoolClass, number>();
  #rows = new Map<string, SourceRow>();
  #refreshAt = 0;
  #renewAt = 0;
  #refreshing: Promise<void> | undefined;

  constructor(options: SourcesOptions) {
    this.#options = options;
  }

  /**
   * An address to leave from; or, if all that may be used have sent what is planned or rest, when to ask again. Personal mail
   * waits for no plan: the address that has been in use for longest takes it.
   */
  async choose(leaving: Leaving): Promise<Source | Date> {
    await this.#refresh();
    const now = this.#now();
    const usable = this.#usableFor(leaving);
    const awake = usable.filter((one) => !this.#restsAt(one, now));
    for (const pool of overflow[leaving.pool]) {
      const chosen = await this.#firstOf(
        awake.filter((one) => one.pool === pool),
        pool,
        leaving.provider,
      );
      if (chosen) return chosen;
    }
    // With no pool of its kind, mail leaves from any.
    const isHomeless = !usable.some(({ pool }) => overflow[leaving.pool].includes(pool));
    if (isHomeless) {
      const chosen = await this.#firstOf(awake, leaving.pool, leaving.provider);
      if (chosen) return chosen;
    }
    const oldest = awake.toSorted((one, other) => this.#since(one) - this.#since(other))[0];
    if (leaving.pool === "personal" && oldest) {
      await this.#book(oldest, leaving.provider, noPlan);
      return oldest;
    }
    return this.#askAgain(usable, now);
  }

  /** Tells what servers answered to a mail that left from the address. */
  async noted(source: Source, provider: string, answers: readonly Answer[]): Promise<void> {
    const blame = answers.find((answer) => blames(answer, source.address));
    if (!blame) return;
    const { database, log } = this.#options;
    const now = this.#now();
    log.warn(
      { source: source.address, provider, reply: blame.smtpReply },
      "mail was refused for the address it left from",
    );
    const { messages, refused } = await countRefused(database, { address: source.address, provider, count: 1, now });
    if (refused < resting.refused || refused < messages * resting.share) return;
    await this.rest(
      source.address,
      `${refused} of ${messages} messages refused today: ${blame.smtpReply}`.slice(0, 500),
    );
  }

  /** Lets an address rest, by default twice as long as the last time of late; false if it does already. */
  async rest(address: string, reason: string, forMs?: number): Promise<boolean> {
    const { database, log, events } = this.#options;
    const now = this.#now();
    const rests = this.#rows.get(address)?.rests ?? 0;
    const until = new Date(now.getTime() + (forMs ?? Math.min(firstRestMs * 2 ** rests, maxRestMs)));
    this.#refreshAt = 0;
    if (!(await restSource(database, { address, now, until, reason }))) return false;
    events.sourceRests({ address });
    log.warn({ source: address, until, reason }, "an address that mail leaves from rests");
    return true;
  }

  #usableFor({ families }: Leaving): PooledAddress[] {
    return this.#options.addresses.filter(({ address }) => families.includes(isIP(address)));
  }

  /** The first that may send one more today; they take turns. */
  async #firstOf(
    addresses: readonly PooledAddress[],
    pool: PoolClass,
    provider: string,
  ): Promise<PooledAddress | undefined> {
    const turn = this.#turns.get(pool) ?? 0;
    this.#turns.set(pool, turn + 1);
    for (let at = 0; at < addresses.length; at++) {
      const one = addresses[(turn + at) % addresses.length]!;
      if (await this.#book(one, provider)) return one;
    }
    return undefined;
  }

  async #book(one: PooledAddress, provider: string, planned = this.#plannedFor(one)): Promise<boolean> {
    const day = dayOf(this.#now());
    const key = `${one.address} ${provider}`;
    let booked = this.#booked.get(key);
    if (booked?.day !== day) {
      booked = { day, left: 0, isExhausted: false, booking: undefined };
      this.#booked.set(key, booked);
    }
    const block = Math.min(Math.max(Math.floor(planned / blocksADay), 1), maxBlock);
    while (booked.left === 0) {
      if (booked.isExhausted && planned < noPlan) return false;
      booked.booking ??= this.#reserve(booked, { address: one.address, provider, planned }, block).finally(() => {
        booked.booking = undefined;
      });
      await booked.booking;
    }
    booked.left--;
    return true;
  }

  async #reserve(
    booked: Booked,
    wanted: { address: string; provider: string; planned: number },
    block: number,
  ): Promise<void> {
    const { database } = this.#options;
    const now = this.#now();
    const planned = Math.min(wanted.planned, noPlan);
    for (const count of new Set([block, 1])) {
      if (!(await reserveFrom(database, { ...wanted, planned, count, now }))) continue;
      booked.left += count;
      return;
    }
    booked.isExhausted = true;
  }

  #plannedFor({ address, weeks }: PooledAddress): number {
    const row = this.#rows.get(address);
    const now = this.#now();
    return plannedFor({ since: row?.since ?? now, weeks, rests: row?.rests ?? 0 }, now);
  }

  #restsAt({ address }: PooledAddress, now: Date): boolean {
    const until = this.#rows.get(address)?.restsUntil;
    return until != null && until > now;
  }

  #since({ address }: PooledAddress): number {
    return this.#rows.get(address)?.since.getTime() ?? Number.POSITIVE_INFINITY;
  }

  /** When the day or the first rest ends, within an hour, since the file or a list may have changed by then. */
  #askAgain(usable: readonly PooledAddress[], now: Date): Date {
    const dayEnds = (Math.floor(now.getTime() / dayMs) + 1) * dayMs;
    const restsEnd = usable.flatMap(({ address }) => this.#rows.get(address)?.restsUntil?.getTime() ?? []);
    const later = restsEnd.filter((end) => end > now.getTime());
    const first = Math.min(dayEnds, ...later, now.getTime() + hourMs);
    return new Date(Math.max(first, now.getTime() + minuteMs));
  }

  async #refresh(): Promise<void> {
    const now = this.#now().getTime();
    if (now < this.#refreshAt) return;
    this.#refreshing ??= this.#read(now).finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async #read(now: number): Promise<void> {
    const { database, addresses } = this.#options;
    const names = addresses.map(({ address }) => address);
    if (now >= this.#renewAt) {
      await renewSources(database, names, this.#now());
      this.#renewAt = now + renewMs;
    }
    this.#rows = new Map((await findSources(database, names)).map((row) => [row.address, row]));
    this.#refreshAt = now + refreshMs;
  }

  #now(): Date {
    return this.#options.clock.now();
  }
}
