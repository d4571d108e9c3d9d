import { expect, test } from "vitest";
import { type BodyCache, maxCachedBytes } from "../../../src/store/blobs/cache.ts";

/** What every BodyCache does. `make` gives an empty one that keeps about so many bytes. */
export function bodyCacheContract(make: (maxBytes: number) => Promise<BodyCache> | BodyCache): void {
  test("a body is given back as it was set", async () => {
    const cache = await make(100_000);
    cache.set("a", Buffer.from([0, 255, 10, 13]));
    await expect.poll(() => cache.get("a")).toEqual(Buffer.from([0, 255, 10, 13]));
    expect(await cache.get("b")).toBeUndefined();
  });

  test("a body that is too large is not kept, and does no harm", async () => {
    const cache = await make(2 * maxCachedBytes);
    cache.set("large", Buffer.alloc(maxCachedBytes + 1));
    cache.set("small", Buffer.from("small"));
    await expect.poll(() => cache.get("small")).toEqual(Buffer.from("small"));
    expect(await cache.get("large")).toBeUndefined();
  });

  test("it keeps no more than it may", async () => {
    const cache = await make(100_000);
    for (let n = 0; n < 100; n++) cache.set(`k${n}`, Buffer.alloc(10_000, n));
    await expect.poll(() => cache.get("k99")).toEqual(Buffer.alloc(10_000, 99));
    const kept = await Promise.all(Array.from({ length: 100 }, (_, n) => cache.get(`k${n}`)));
    expect(kept.filter((bytes) => bytes !== undefined).length).toBeLessThanOrEqual(10);
    for (const [n, bytes] of kept.entries()) if (bytes) expect(bytes).toEqual(Buffer.alloc(10_000, n));
  });
}
