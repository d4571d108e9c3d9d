import { expect, test } from "vitest";
import { bodyCacheContract, bodyKey } from "../../../test/support/contracts/body-cache.ts";
import { createMemoryCache } from "./cache.ts";

bodyCacheContract(createMemoryCache);

test("a cache in memory keeps no more than it may", async () => {
  const cache = createMemoryCache(100_000);
  const bodies = Array.from({ length: 100 }, (_, n) => Buffer.alloc(10_000, n));
  for (const body of bodies) cache.set(bodyKey(body), body);
  const kept = await Promise.all(bodies.map((body) => cache.get(bodyKey(body))));
  expect(kept.filter((bytes) => bytes !== undefined).length).toBeLessThanOrEqual(10);
});

test("a cache in memory keeps nothing of the slab that a small body was cut from", async () => {
  const cache = createMemoryCache(100_000);
  const body = Buffer.from("one of many in a slab");
  expect(body.buffer.byteLength).toBeGreaterThan(body.length);
  cache.set("a", body);
  const kept = (await cache.get("a"))!;
  expect(kept).toEqual(body);
  expect(kept.buffer.byteLength).toBe(body.length);
});

test("a cache of no size keeps nothing", async () => {
  const cache = createMemoryCache(0);
  cache.set("a", Buffer.from("a"));
  expect(await cache.get("a")).toBeUndefined();
});
