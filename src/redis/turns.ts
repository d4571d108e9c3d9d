import type { SharedTurns } from "../base/shared-counts.ts";
import type { RedisLink } from "./link.ts";

/** By Redis's own clock, so that those of the servers need not agree. */
const bookScript = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local begin = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local after = begin + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%d', after), 'PX', after - now + 1000)
return begin - now`;

export interface RedisTurnsOptions {
  link: RedisLink;
  keyOf: (key: string) => string;
  /** For the time that Redis is away. */
  own: SharedTurns;
}

/** Turns that all servers book in Redis; while it is away, those of this process. */
export class RedisTurns implements SharedTurns {
  readonly #options: RedisTurnsOptions;

  constructor(options: RedisTurnsOptions) {
    this.#options = options;
  }

  async book(key: string, intervalMs: number): Promise<number> {
    const { link, keyOf, own } = this.#options;
    const wait = await link.ask("counts", keyOf(key), (client, name) =>
      client.eval(bookScript, 1, name, Math.ceil(intervalMs)),
    );
    return typeof wait === "number" ? wait : own.book(key, intervalMs);
  }
}
