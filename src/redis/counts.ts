import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { OwnCounts } from "../base/own-counts.ts";
import type { RateLimit, SharedCounts, Throttle } from "../base/shared-counts.ts";
import type { RedisLink } from "./link.ts";
import { RedisPlaceLimit } from "./place-limit.ts";
import { RedisRateLimit } from "./rate-limit.ts";
import { RedisThrottle } from "./throttle.ts";
import { RedisTurns } from "./turns.ts";

/** Counts in Redis, with this process's own counts for the time that Redis is away. */
export class RedisCounts implements SharedCounts {
  readonly #link: RedisLink;
  readonly #clock: Clock;
  readonly #own: OwnCounts;
  readonly #id = randomBytes(9).toString("base64url");
  readonly #placeLimits: RedisPlaceLimit[] = [];

  constructor({ link, clock }: { link: RedisLink; clock: Clock }) {
    this.#link = link;
    this.#clock = clock;
    this.#own = new OwnCounts({ clock });
  }

  throttle(name: string, { free }: { free: number }): Throttle {
    return new RedisThrottle({ ...this.#common("throttle", name), free, own: this.#own.throttle(name, { free }) });
  }

  rateLimit(name: string, options: { max: number; windowMs: number }): RateLimit {
    return new RedisRateLimit({ ...this.#common("rate", name), ...options });
  }

  placeLimit(name: string, { max }: { max: number }): RedisPlaceLimit {
    const places = new RedisPlaceLimit({ ...this.#common("places", name), id: this.#id, max });
    this.#placeLimits.push(places);
    return places;
  }

  turns(name: string): RedisTurns {
    const { link, keyOf } = this.#common("turns", name);
    return new RedisTurns({ link, keyOf, own: this.#own.turns(name) });
  }

  async close(): Promise<void> {
    await Promise.all(this.#placeLimits.map((places) => places.close()));
  }

  /** Logins and addresses are hashed: they may have any length, and need not be readable in Redis. */
  #common(kind: string, name: string) {
    const start = `${this.#link.prefix}${kind}:${name}:`;
    const keyOf = (key: string) => start + createHash("sha256").update(key).digest("base64url").slice(0, 22);
    return { link: this.#link, clock: this.#clock, keyOf };
  }
}
