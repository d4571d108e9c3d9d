import type { LRUCache } from "lru-cache";
import type { Clock } from "./clock.ts";
import { lru } from "./lru.ts";
import type { PlaceLimit, RateLimit, SharedCounts, SharedTurns, Throttle } from "./shared-counts.ts";

export interface OwnCountsOptions {
  clock: Clock;
  /** How many keys a throttle or rate limit remembers; the least recently used go first. (Default: 20 000) */
  maxKeys?: number;
}

/** Counts of this process alone: all answers are given at once. */
export class OwnCounts implements SharedCounts {
  readonly #clock: Clock;
  readonly #maxKeys: number;

  constructor({ clock, maxKeys = 20_000 }: OwnCountsOptions) {
    this.#clock = clock;
    this.#maxKeys = maxKeys;
  }

  throttle(_: string, { free }: { free: number }): OwnThrottle {
    return new OwnThrottle(this.#clock, this.#maxKeys, free);
  }

  rateLimit(_: string, options: { max: number; windowMs: number }): OwnRateLimit {
    return new OwnRateLimit(this.#clock, this.#maxKeys, options);
  }

  placeLimit(_: string, { max }: { max: number }): OwnPlaceLimit {
    return new OwnPlaceLimit(max);
  }

  turns(_: string): OwnTurns {
    return new OwnTurns(this.#clock, this.#maxKeys);
  }

  async close(): Promise<void> {}
}

/** The longest that a throttle blocks a key. */
export const maxThrottleMs = 15 * 60_000;
/** How long a throttle remembers failures. */
export const failuresRememberedMs = 3600_000;

interface Failures {
  count: number;
  blockedUntil: number;
}

export class OwnThrottle implements Throttle {
  readonly #failures: LRUCache<string, Failures>;
  readonly #free: number;
  readonly #clock: Clock;

  constructor(clock: Clock, maxKeys: number, free: number) {
    this.#free = free;
    this.#clock = clock;
    const perf = { now: () => clock.now().getTime() };
    this.#failures = lru({ max: maxKeys, ttl: failuresRememberedMs, ttlResolution: 0, perf });
  }

  isBlocked(key: string): boolean {
    return (this.#failures.get(key)?.blockedUntil ?? 0) > this.#clock.now().getTime();
  }

  attempt(key: string): boolean {
    if (this.isBlocked(key)) return false;
    this.fail(key);
    return true;
  }

  fail(key: string): void {
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const wait = count < this.#free ? 0 : Math.min(maxThrottleMs, 1000 * 2 ** (count - this.#free));
    this.#failures.set(key, { count, blockedUntil: this.#clock.now().getTime() + wait });
  }

  withdraw(key: string): void {
    const known = this.#failures.get(key);
    if (!known || known.count <= 1) this.#failures.delete(key);
    else this.#failures.set(key, { count: known.count - 1, blockedUntil: 0 });
  }

  forgive(key: string): void {
    this.#failures.delete(key);
  }
}

export class OwnRateLimit implements RateLimit {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #windowMs: number;
  readonly #counts: LRUCache<string, number>;
  #window = 0;

  constructor(clock: Clock, maxKeys: number, { max, windowMs }: { max: number; windowMs: number }) {
    this.#clock = clock;
    this.#max = max;
    this.#windowMs = windowMs;
    this.#counts = lru({ max: maxKeys });
  }

  count(key: string): boolean {
    const window = Math.floor(this.#clock.now().getTime() / this.#windowMs);
    if (window !== this.#window) this.#counts.clear();
    this.#window = window;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count <= this.#max;
  }
}

export class OwnTurns implements SharedTurns {
  readonly #clock: Clock;
  /** When the next turn of each key may begin. */
  readonly #next: LRUCache<string, number>;

  constructor(clock: Clock, maxKeys: number) {
    this.#clock = clock;
    this.#next = lru({ max: maxKeys });
  }

  book(key: string, intervalMs: number): number {
    const now = this.#clock.now().getTime();
    const begin = Math.max(now, this.#next.get(key) ?? 0);
    this.#next.set(key, begin + intervalMs);
    return begin - now;
  }
}

export class OwnPlaceLimit implements PlaceLimit {
  readonly max: number;
  readonly #taken = new Map<string, number>();

  constructor(max: number) {
    this.max = max;
  }

  take(key: string): boolean {
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= this.max) return false;
    this.#taken.set(key, taken + 1);
    return true;
  }

  leave(key: string): void {
    const left = (this.#taken.get(key) ?? 0) - 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }
}
