import { LRUCache } from "lru-cache";
import type { Clock } from "../base/clock.ts";

interface Failures {
  count: number;
  blockedUntil: number;
}

const maxWaitMs = 15 * 60_000;
const rememberedMs = 3600_000;

/** Slows down guessing: after `free` failures each further one doubles the wait, up to 15 minutes. Forgets after an hour. */
export class Throttle {
  readonly #failures: LRUCache<string, Failures>;
  readonly #free: number;
  readonly #clock: Clock;

  constructor({ free, clock, maxKeys = 20_000 }: { free: number; clock: Clock; maxKeys?: number }) {
    this.#free = free;
    this.#clock = clock;
    const perf = { now: () => clock.now().getTime() };
    this.#failures = new LRUCache({ max: maxKeys, ttl: rememberedMs, ttlResolution: 0, perf });
  }

  isBlocked(key: string): boolean {
    return (this.#failures.get(key)?.blockedUntil ?? 0) > this.#clock.now().getTime();
  }

  /** Counts a failure. Call it before the outcome is known where many guesses at once must not pass. */
  attempt(key: string): void {
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const wait = count < this.#free ? 0 : Math.min(maxWaitMs, 1000 * 2 ** (count - this.#free));
    this.#failures.set(key, { count, blockedUntil: this.#clock.now().getTime() + wait });
  }

  /** Takes back an attempt that had no outcome, such as when the database was unreachable. */
  withdraw(key: string): void {
    const known = this.#failures.get(key);
    if (!known || known.count <= 1) this.#failures.delete(key);
    else this.#failures.set(key, { count: known.count - 1, blockedUntil: 0 });
  }

  forgive(key: string): void {
    this.#failures.delete(key);
  }
}

/** The network of an address: the address itself for IPv4, the /64 for IPv6, since one customer holds a whole /64. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const [head = "", tail] = address.toLowerCase().split("%")[0]!.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: Math.max(0, zeros) }, () => "0"), ...right].slice(0, 4).join(":");
}
