import { expect, test } from "vitest";
import { bodyCacheContract } from "../../../test/support/contracts/body-cache.ts";
import { createMemoryCache } from "./cache.ts";

bodyCacheContract(createMemoryCache);

test("a cache of no size keeps nothing", async () => {
  const cache = createMemoryCache(0);
  cache.set("a", Buffer.from("a"));
  expect(await cache.get("a")).toBeUndefined();
});
