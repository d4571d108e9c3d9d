import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { countsBetweenProcessesContract, sharedCountsContract } from "../../test/support/contracts/shared-counts.ts";
import { until } from "../../test/support/ports.ts";
import { linkTo, slotsOf, startRedis, startRedisCluster, up } from "../../test/support/redis.ts";
import { type RedisServer, whyNoRedis } from "../../test/support/redis-server.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { RedisCounts } from "./counts.ts";
import type { RedisLink } from "./link.ts";
import { slotOf } from "./slot.ts";

const clock = systemClock;
/** The contracts are about answers, not about how soon they come. */
const patient = { prefix: "contract:", maxWaitMs: 5_000 };

describe.skipIf(whyNoRedis)("RedisCounts", () => {
  describe("in one Redis", async () => {
    const server = whyNoRedis ? undefined! : await startRedis();
    const make = async (clock: Clock) => new RedisCounts({ link: await up(linkTo(server, patient)), clock });
    sharedCountsContract(make);
    countsBetweenProcessesContract(make);
  });

  describe("in a Cluster", async () => {
    const servers = whyNoRedis ? [] : await startRedisCluster();
    const make = async (clock: Clock) => new RedisCounts({ link: await up(linkTo(servers, patient)), clock });
    sharedCountsContract(make);
    countsBetweenProcessesContract(make);
  });
});

describe.skipIf(whyNoRedis)("when Redis is away", async () => {
  const server = whyNoRedis ? undefined! : await startRedis();

  /** Counts of two processes, and their links. */
  async function two(maxWaitMs?: number): Promise<{ links: RedisLink[]; all: RedisCounts[] }> {
    const options = { prefix: `away${performance.now()}:`, ...(maxWaitMs !== undefined && { maxWaitMs }) };
    const links = await Promise.all([1, 2].map(() => up(linkTo(server, options))));
    return { links, all: links.map((link) => new RedisCounts({ link, clock })) };
  }

  test("a process decides by its own counts, and together they count again once it is back, though it has lost all", async () => {
    const { links, all } = await two(patient.maxWaitMs);
    const [throttle, other] = all.map((counts) => counts.throttle("login", { free: 3 }));
    const [places, others] = all.map((counts) => counts.placeLimit("open", { max: 2 }));
    const rate = all[0]!.rateLimit("mail", { max: 5, windowMs: 3600_000 });
    for (let count = 0; count < 2; count++) expect(await places!.take("a")).toBe(true);
    await server.stop();
    await until("the links are down", () => links.every(({ isUp }) => !isUp));

    for (let count = 0; count < 3; count++) expect(await throttle!.attempt("x")).toBe(true);
    expect(await throttle!.attempt("x")).toBe(false);
    expect(await other!.isBlocked("x")).toBe(false);
    const counted = await Promise.all(Array.from({ length: 8 }, () => rate.count("a")));
    expect(counted.filter((isFree) => isFree)).toHaveLength(5);
    expect(await places!.take("a")).toBe(false);
    places!.leave("a");
    expect(await places!.take("a")).toBe(true);

    await server.start();
    await until("the links are up", () => links.every(({ isUp }) => isUp));
    for (let count = 0; count < 3; count++) await other!.attempt("y");
    expect(await throttle!.isBlocked("y")).toBe(true);
    // The first process has told Redis again what it holds.
    await until("the places are taken in the other process too", async () => {
      const [first, second] = [await others!.take("a"), await others!.take("a")];
      if (first) others!.leave("a");
      if (second) others!.leave("a");
      return first && !second;
    });
  });

  test("a Redis that hangs delays nobody for long, and after a few waits nobody at all", async () => {
    const { links, all } = await two();
    const throttle = all[0]!.throttle("login", { free: 3 });
    const places = all[0]!.placeLimit("open", { max: 100 });
    await throttle.attempt("x");
    await places.take("a");
    server.hang();
    try {
      const times: number[] = [];
      for (let count = 0; count < 20; count++) {
        const begin = performance.now();
        await Promise.all([throttle.isBlocked("x"), places.take("a")]);
        times.push(performance.now() - begin);
      }
      expect(Math.max(...times)).toBeLessThan(200);
      expect(times.filter((time) => time > 15).length).toBeLessThanOrEqual(3);
      expect(links[0]!.isUp).toBe(false);
    } finally {
      server.resume();
    }
    await until("it is asked again", () => links[0]!.isUp);
    expect(await throttle.attempt("x")).toBe(true);
  });
});

describe.skipIf(whyNoRedis)("while a node of a Cluster hangs", async () => {
  const servers = whyNoRedis ? [] : await startRedisCluster();
  const [hanging] = servers as [RedisServer];
  const lies = whyNoRedis ? undefined! : slotsOf(hanging);
  const prefix = "hangs:";
  /** Keys by whether their counts lie in the node that hangs. */
  const isAffected = (key: string) => {
    const hashed = createHash("sha256").update(key).digest("base64url").slice(0, 22);
    return lies(slotOf(`${prefix}places:open:${hashed}`));
  };

  test("limits hold for the keys of the others, whose places come free when a process closes, and for all soon after", async () => {
    const links = await Promise.all([1, 2, 3].map(() => up(linkTo(servers, { prefix }))));
    const all = links.map((link) => new RedisCounts({ link, clock }));
    const [one, two, three] = all.map((counts) => counts.placeLimit("open", { max: 4 }));
    const keys = Array.from({ length: 30 }, (_, at) => `key ${at}`);
    const [affected, others] = [keys.filter(isAffected), keys.filter((key) => !isAffected(key))];
    expect(Math.min(affected.length, others.length)).toBeGreaterThan(3);
    for (const key of keys) for (let count = 0; count < 4; count++) expect(await one!.take(key)).toBe(true);
    hanging.hang();
    try {
      const times: number[] = [];
      for (const key of keys) {
        const begun = performance.now();
        expect(await two!.take(key)).toBe(true);
        const second = await two!.take(key);
        times.push(performance.now() - begun);
        // Nobody knows of those in the node that hangs.
        expect(second).toBe(!others.includes(key));
      }
      expect(Math.max(...times)).toBeLessThan(200);
      expect(times.filter((time) => time > 18).length).toBeLessThanOrEqual(5);
      for (const key of affected) one!.leave(key);
      await until("the first process knows that a node is away", () => !links[0]!.isUp);
      await all[0]!.close();
      for (const key of others) {
        // Two is one beyond: it has its first place without asking.
        for (let count = 0; count < 3; count++) expect(await two!.take(key)).toBe(true);
        expect(await two!.take(key)).toBe(false);
      }
    } finally {
      hanging.resume();
    }
    // The second process tells the node again what it holds.
    for (const key of affected) for (let count = 0; count < 2; count++) expect(await two!.take(key)).toBe(true);
    await until(
      "the node counts again",
      async () => {
        const taken: string[] = [];
        for (const key of affected) if (await three!.take(key)) taken.push(key);
        const second = await Promise.all(taken.map((key) => three!.take(key)));
        for (const [at, key] of taken.entries()) {
          three!.leave(key);
          if (second[at]) three!.leave(key);
        }
        return second.every((isTaken) => !isTaken);
      },
      { everyMs: 200 },
    );
  });
});
