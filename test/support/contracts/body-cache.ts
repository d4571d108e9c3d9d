import { expect, test } from "vitest";
import { sha256Of } from "../../../src/store/blobs/blob-id.ts";
import { type BodyCache, maxCachedBytes } from "../../../src/store/blobs/cache.ts";

/** The key of a body that came today, or on another day. */
export function bodyKey(bytes: Uint8Array, day = new Date().toISOString().slice(0, 10)): string {
  return `${day}/${sha256Of(bytes).toString("hex")}`;
}

/** What every BodyCache does. `make` gives one that has room for `bytes` and keeps nothing yet. */
export function bodyCacheContract(make: (bytes: number) => Promise<BodyCache> | BodyCache): void {
  test("a body is given back as it was set", async () => {
    const cache = await make(100_000);
    const body = Buffer.from([0, 255, 10, 13]);
    cache.set(bodyKey(body), body);
    await expect.poll(() => cache.get(bodyKey(body))).toEqual(body);
    expect(await cache.get(bodyKey(Buffer.from("another")))).toBeUndefined();
  });

  test("a body that is too large is not kept, and does no harm", async () => {
    const cache = await make(2 * maxCachedBytes);
    const [large, small] = [Buffer.alloc(cache.maxBodyBytes + 1), Buffer.from("small")];
    cache.set(bodyKey(large), large);
    cache.set(bodyKey(small), small);
    await expect.poll(() => cache.get(bodyKey(small))).toEqual(small);
    expect(await cache.get(bodyKey(large))).toBeUndefined();
  });

  test("it may forget bodies, but mixes none up", async () => {
    const cache = await make(100_000);
    const bodies = Array.from({ length: 100 }, (_, n) => Buffer.alloc(10_000, n));
    for (const body of bodies) cache.set(bodyKey(body), body);
    await expect.poll(() => cache.get(bodyKey(bodies[99]!))).toEqual(bodies[99]);
    for (const body of bodies) expect([undefined, body]).toContainEqual(await cache.get(bodyKey(body)));
  });
}
