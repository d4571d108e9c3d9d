import type { Clock } from "../base/clock.ts";
import { failuresRememberedMs, maxThrottleMs, type OwnThrottle } from "../base/own-counts.ts";
import type { Throttle } from "../base/shared-counts.ts";
import type { RedisLink } from "./link.ts";

/** A hash for each key: `count`, when it is blocked `until`, and when it last failed (`at`), in ms. */
const failScript = `
local now = tonumber(ARGV[1])
local known = redis.call('HMGET', KEYS[1], 'count', 'until', 'at')
if ARGV[2] == 'attempt' and known[2] and tonumber(known[2]) > now then return 0 end
local count = 1
if known[1] and tonumber(known[3]) + ${failuresRememberedMs} > now then count = tonumber(known[1]) + 1 end
local wait = 0
if count >= tonumber(ARGV[3]) then wait = math.min(${maxThrottleMs}, 1000 * 2 ^ (count - tonumber(ARGV[3]))) end
redis.call('HSET', KEYS[1], 'count', count, 'until', string.format('%.0f', now + wait), 'at', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ${failuresRememberedMs})
return 1`;

const withdrawScript = `
local count = tonumber(redis.call('HGET', KEYS[1], 'count') or '0')
if count <= 1 then return redis.call('DEL', KEYS[1]) end
return redis.call('HSET', KEYS[1], 'count', count - 1, 'until', 0)`;

export interface RedisThrottleOptions {
  link: RedisLink;
  clock: Clock;
  /** Where its counts are. */
  keyOf: (key: string) => string;
  free: number;
  /** Counts along, and decides while Redis is away. */
  own: OwnThrottle;
}

/** A throttle that counts in Redis. */
export class RedisThrottle implements Throttle {
  readonly #options: RedisThrottleOptions;

  constructor(options: RedisThrottleOptions) {
    this.#options = options;
  }

  async isBlocked(key: string): Promise<boolean> {
    const { link, keyOf, own } = this.#options;
    const until = await link.ask("counts", keyOf(key), (client, name) => client.hget(name, "until"));
    return until === undefined ? own.isBlocked(key) : Number(until ?? 0) > this.#now;
  }

  async attempt(key: string): Promise<boolean> {
    const isFree = this.#options.own.attempt(key);
    const answer = await this.#fail(key, "attempt");
    return answer === undefined ? isFree : answer === 1;
  }

  fail(key: string): void {
    this.#options.own.fail(key);
    void this.#fail(key, "failure");
  }

  withdraw(key: string): void {
    const { link, keyOf, own } = this.#options;
    own.withdraw(key);
    void link.ask("counts", keyOf(key), (client, name) => client.eval(withdrawScript, 1, name));
  }

  forgive(key: string): void {
    const { link, keyOf, own } = this.#options;
    own.forgive(key);
    void link.ask("counts", keyOf(key), (client, name) => client.del(name));
  }

  #fail(key: string, what: "attempt" | "failure"): Promise<unknown> {
    const { link, keyOf, free } = this.#options;
    return link.ask("counts", keyOf(key), (client, name) => client.eval(failScript, 1, name, this.#now, what, free));
  }

  get #now(): number {
    return this.#options.clock.now().getTime();
  }
}
