import { expect, test } from "vitest";
import { OwnPlaceLimit } from "../../base/own-counts.ts";
import { Concurrency } from "./limits.ts";

test("each login has its own count, which falls when the work is done", async () => {
  const limit = new Concurrency("maxConcurrentRequests", new OwnPlaceLimit(2));
  const gate = Promise.withResolvers<void>();
  const running = [limit.run("a", {}, () => gate.promise), limit.run("a", {}, () => gate.promise)];
  await expect(limit.run("a", {}, async () => 1)).rejects.toMatchObject({
    status: 429,
    limit: "maxConcurrentRequests",
  });
  expect(await limit.run("b", {}, async () => 1)).toBe(1);
  gate.resolve();
  await Promise.all(running);
  await expect(limit.run("a", {}, () => Promise.reject(new Error("x")))).rejects.toThrow("x");
  expect(await limit.run("a", {}, async () => 1)).toBe(1);
});
