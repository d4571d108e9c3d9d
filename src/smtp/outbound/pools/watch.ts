import type { Log } from "../../../base/log.ts";
import type { Database } from "../../../store/core/database.ts";
import { endRest, prolongRest } from "../../../store/queues/source-addresses.ts";
import { type HealthOptions, healthOf } from "./health.ts";
import type { PooledAddress } from "./pools-file.ts";
import type { Sources } from "./sources.ts";

export interface WatchOptions extends HealthOptions {
  addresses: readonly PooledAddress[];
  sources: Sources;
  database: Database;
  clock: { now(): Date };
  log: Log;
}

const hourMs = 3_600_000;
const everyMs = hourMs;
/** A listed address rests as long as the checks find it, or until they fail twice. */
const listedMs = 2 * everyMs;
const listed = "listed by ";

/** Looks at the addresses in DNS: warns of their reverse names, and lets those rest that a list has, for as long as it has them. */
export class PoolWatch {
  readonly #options: WatchOptions;
  readonly #told = new Map<string, string | undefined>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(): void {
    void this.check();
    this.#timer = setInterval(() => void this.check(), everyMs).unref();
  }

  check(): Promise<void> {
    this.#running = this.#running.then(() => this.#check());
    return this.#running;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #check(): Promise<void> {
    for (const one of this.#options.addresses) {
      await this.#checkOne(one).catch((error: unknown) =>
        this.#options.log.warn({ source: one.address, err: error }, "an address that mail leaves from was not checked"),
      );
    }
  }

  async #checkOne(one: PooledAddress): Promise<void> {
    const { sources, database, clock, log } = this.#options;
    const { address } = one;
    const { reverse, listedBy } = await healthOf(one, this.#options);
    if (reverse !== this.#told.get(address)) {
      this.#told.set(address, reverse);
      if (reverse !== undefined)
        log.warn({ source: address, why: reverse }, "reverse DNS does not name an address that mail leaves from");
    }
    const now = clock.now();
    if (listedBy.length === 0) return endRest(database, { address, now, prefix: listed });
    const until = new Date(now.getTime() + listedMs);
    if (!(await sources.rest(address, listed + listedBy.join(" and "), listedMs))) {
      await prolongRest(database, { address, until, prefix: listed });
    }
  }
}
