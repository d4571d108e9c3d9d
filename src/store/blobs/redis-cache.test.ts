import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { afterwards } from "../../../test/support/afterwards.ts";
import { bodyCacheContract, bodyKey } from "../../../test/support/contracts/body-cache.ts";
import { keepEvents } from "../../../test/support/events.ts";
import { until } from "../../../test/support/ports.ts";
import { linkTo, startRedis, startRedisCluster, up } from "../../../test/support/redis.ts";
import { whyNoRedis } from "../../../test/support/redis-server.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Blobs } from "./blobs.ts";
import { DiskObjects } from "./objects/disk.ts";
import { createRedisCache } from "./redis-cache.ts";

const day = 86_400_000;
/** What is kept does not depend on how soon Redis answers. */
const patient = { maxWaitMs: 5_000 };
const common = { clock: systemClock, log: silentLog };

describe.skipIf(whyNoRedis)("the cache in one Redis", async () => {
  const server = whyNoRedis ? undefined! : await startRedis();
  bodyCacheContract(async () => createRedisCache({ link: await up(linkTo(server, patient)), ...common }));
});

describe.skipIf(whyNoRedis)("the cache in a Cluster", async () => {
  const servers = whyNoRedis ? [] : await startRedisCluster();
  bodyCacheContract(async () => createRedisCache({ link: await up(linkTo(servers, patient)), ...common }));
});

describe.skipIf(whyNoRedis)("a body in Redis", async () => {
  const server = whyNoRedis ? undefined! : await startRedis();
  const keys = () =>
    server
      .cli("keys", "*")
      .split("\n")
      .filter((key) => key !== "");
  const world = async () => {
    server.cli("flushall");
    const link = await up(linkTo(server, patient));
    return { link, cache: createRedisCache({ link, ...common }) };
  };

  test("stays until 16 days after its day; an older one is not kept", async () => {
    const { cache } = await world();
    const dated = (daysAgo: number) => new Date(Date.now() - daysAgo * day).toISOString().slice(0, 10);
    const [recent, old] = [Buffer.from("recent"), Buffer.from("old")];
    cache.set(bodyKey(old, dated(16)), old);
    cache.set(bodyKey(recent, dated(10)), recent);
    await until("it is kept", () => keys().length > 0);
    expect(keys()).toHaveLength(1);
    const left = Number(server.cli("pttl", keys()[0]!));
    expect(left).toBeLessThan(6 * day);
    expect(left).toBeGreaterThan(5 * day - 60_000);
    expect(await cache.get(bodyKey(old, dated(16)))).toBeUndefined();
  });

  test("that someone has changed is not given out, and goes", async () => {
    const { cache } = await world();
    const body = Buffer.from("as it was");
    cache.set(bodyKey(body), body);
    await until("it is kept", () => keys().length > 0);
    server.cli("set", keys()[0]!, "forged");
    expect(await cache.get(bodyKey(body))).toBeUndefined();
    await until("it is gone", () => keys().length === 0);
  });

  test("is read by other processes without the store, and from the store when Redis hangs", async () => {
    server.cli("flushall");
    const folder = await mkdtemp(join(tmpdir(), "redis-cache-"));
    afterwards(() => rm(folder, { recursive: true }));
    const { clock } = common;
    const objects = new DiskObjects({ folder, clock, random: randomBytes });
    const { events, told } = keepEvents();
    const newBlobs = async () => {
      const sharedCache = createRedisCache({ link: await up(linkTo(server, { prefix: "blobs:" })), ...common });
      return new Blobs({ objects, clock, cacheBytes: 1_000_000, sharedCache, events });
    };
    const sources = () => told.splice(0).map(([, event]) => (event as { from: string }).from);
    const [one, two] = [await newBlobs(), await newBlobs()];
    const blob = await one.put(Buffer.from("hello"));
    const elsewhere = await one.put(Buffer.from("another"));
    await until("both are kept", () => keys().length === 2);
    expect((await one.readObject(blob)).toString()).toBe("hello");
    expect((await two.readObject(blob, 1, 3)).toString()).toBe("el");
    expect((await two.readObject(blob)).toString()).toBe("hello");
    expect(sources()).toEqual(["memory", "redis", "memory"]);
    server.hang();
    try {
      const begin = performance.now();
      expect((await two.readObject(elsewhere)).toString()).toBe("another");
      expect(performance.now() - begin).toBeLessThan(1_000);
      expect(sources()).toEqual(["store"]);
    } finally {
      server.resume();
    }
  });
});
