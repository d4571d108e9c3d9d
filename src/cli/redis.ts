import { readFile } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import type { Events } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import type { SharedCounts } from "../base/shared-counts.ts";
import type { Config } from "../config/schema.ts";
import type { Carrier } from "../push/carrier.ts";
import type { RedisPlace } from "../redis/connect.ts";
import type { BodyCache } from "../store/blobs/cache.ts";
import { Failure } from "./fail.ts";

/** What Redis does for a server. */
export interface RedisParts {
  carrier: Carrier;
  counts: SharedCounts;
  cache: BodyCache;
  readonly isUp: boolean;
  close(): Promise<void>;
}

/** No request waits for an event to be sent. */
const maxSendMs = 500;
/** An operator's command waits for its answer. */
const maxPatienceMs = 5_000;

interface Surroundings {
  clock: Clock;
  log: Log;
  events: Pick<Events, "redisAnswered">;
}

/** Connects to the configured Redis, in the background; undefined if there is none. */
export async function openRedis(config: Config, { clock, log, events }: Surroundings): Promise<RedisParts | undefined> {
  const place = await placeOf(config);
  if (!place) return undefined;
  // Loaded only where it is used: it takes a while.
  const [{ RedisLink }, { RedisCounts }, { RedisCarrier }, { createRedisCache }] = await Promise.all([
    import("../redis/link.ts"),
    import("../redis/counts.ts"),
    import("../push/redis.ts"),
    import("../store/blobs/redis-cache.ts"),
  ]);
  const common = { place, prefix: config.redisPrefix, log, events };
  const [bus, limits, bodies] = [
    new RedisLink({ ...common, name: "bus", maxWaitMs: maxSendMs }),
    new RedisLink({ ...common, name: "limits" }),
    // Nothing small waits behind a body.
    new RedisLink({ ...common, name: "bodies" }),
  ];
  const links = [bus, limits, bodies];
  return {
    carrier: new RedisCarrier({ link: bus, log }),
    counts: new RedisCounts({ link: limits, clock }),
    cache: createRedisCache({ link: bodies, clock, log }),
    get isUp() {
      return links.every(({ isUp }) => isUp);
    },
    close: async () => {
      for (const link of links) link.close();
    },
  };
}

/** Reaches the bodies in the configured Redis, patiently; undefined if there is none. */
export async function openSharedCache(config: Config, { log, events }: Omit<Surroundings, "clock">) {
  const place = await placeOf(config);
  if (!place) return undefined;
  const [{ RedisLink }, { forgetBodies }, { findInRedis }] = await Promise.all([
    import("../redis/link.ts"),
    import("../store/blobs/redis-cache.ts"),
    import("../redis/remains.ts"),
  ]);
  const link = new RedisLink({
    place,
    prefix: config.redisPrefix,
    log,
    events,
    name: "erasure",
    maxWaitMs: maxPatienceMs,
  });
  await link.connected(maxPatienceMs);
  return {
    forget: (hashes: readonly Buffer[]) => forgetBodies(link, hashes),
    find: (texts: readonly Buffer[]) => findInRedis(link, texts),
    close: () => link.close(),
  };
}

async function placeOf({ redis }: Config): Promise<RedisPlace | undefined> {
  if (!redis) return undefined;
  const { isTls, ca, ...place } = redis;
  if (!isTls) return place;
  if (ca === undefined) return { ...place, tls: {} };
  const pem = await readFile(ca, "utf8").catch((error: Error) => {
    throw new Failure(`the certificate authority of Redis cannot be read: ${error.message}`);
  });
  return { ...place, tls: { ca: pem } };
}
