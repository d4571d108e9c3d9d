import type { Clock } from "../base/clock.ts";
import { lru } from "../base/lru.ts";
import type { RateLimit } from "../base/shared-counts.ts";
import type { RedisLink } from "./link.ts";

const addScript = `
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return count`;

/** What is counted here is added in Redis so much later, and thus seen by others. */
const gatherMs = 20;
const maxKeys = 20_000;

interface Count {
  /** The count of all processes when last added, and what this one has counted since. */
  known: number;
  since: number;
  isGathering: boolean;
}

export interface RedisRateLimitOptions {
  link: RedisLink;
  clock: Clock;
  /** Where its counts are. */
  keyOf: (key: string) => string;
  max: number;
  windowMs: number;
}

/**
 * A rate limit that counts in Redis. Nobody waits for Redis: a process decides by what it last knew of the others, so that
 * together they may go beyond the limit by what happens within some milliseconds.
 */
export class RedisRateLimit implements RateLimit {
  readonly #options: RedisRateLimitOptions;
  readonly #counts = lru<string, Count>({ max: maxKeys });
  #window = 0;

  constructor(options: RedisRateLimitOptions) {
    this.#options = options;
  }

  count(key: string): boolean {
    const { clock, max, windowMs } = this.#options;
    const window = Math.floor(clock.now().getTime() / windowMs);
    if (window !== this.#window) this.#counts.clear();
    this.#window = window;
    let count = this.#counts.get(key);
    if (!count) {
      count = { known: 0, since: 0, isGathering: false };
      this.#counts.set(key, count);
    }
    if (count.known + count.since >= max) return false;
    count.since++;
    if (!count.isGathering) this.#gather(key, count);
    return true;
  }

  #gather(key: string, count: Count): void {
    count.isGathering = true;
    const window = this.#window;
    setTimeout(() => void this.#add(`${key} ${window}`, count), gatherMs).unref();
  }

  async #add(key: string, count: Count): Promise<void> {
    const { link, keyOf, windowMs } = this.#options;
    const added = count.since;
    const all = await link.ask("counts", keyOf(key), (client, name) =>
      client.eval(addScript, 1, name, added, 2 * windowMs),
    );
    // Not below what is known: Redis may have lost its counts.
    count.known = Math.max(Number(all ?? 0), count.known + added);
    count.since -= added;
    count.isGathering = false;
    if (count.since > 0) this.#gather(key, count);
  }
}
