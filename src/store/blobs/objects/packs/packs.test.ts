import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { all, key } from "../../../../../test/support/contracts/object-store.ts";
import { emptyBucket, objectsIn, startStrict } from "../../../../../test/support/s3/bucket.ts";
import { type Bucket, bucketOf } from "../../../../../test/support/s3/place.ts";
import type { Fault, StrictServer } from "../../../../../test/support/s3/strict-server.ts";
import { scaled } from "../../../../../test/support/scale.ts";
import { BodiesAway } from "../../../core/errors.ts";
import { sha256Of } from "../../blob-id.ts";
import { copyObjects } from "../move.ts";
import { objectName, type StoredBlob } from "../object-store.ts";
import type { S3Objects } from "../s3.ts";
import { DamagedPack } from "./packs.ts";

const day = "2026-01-02";
const quick = {
  connectTimeoutMs: 5_000,
  answerTimeoutMs: 5_000,
  retryForMs: 50,
  failingForMs: 60_000,
  firstPauseMs: 300,
  maxPauseMs: 1_000,
};
const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index} ${"x".repeat(index)}`);
const putAll = (objects: S3Objects, some: string[]) =>
  Promise.all(
    some.map((text) => objects.putTogether({ ...key(text), size: text.length, pack: null }, Buffer.from(text))),
  );
const textOf = async (objects: S3Objects, blob: StoredBlob) => (await objects.read(blob))?.toString();
const listed = async (objects: S3Objects) => (await all(objects.list())).map(objectName).sort();
const namesOf = (blobs: readonly StoredBlob[]) => blobs.map(objectName).sort();

/** Any number of compactions at once leave what nobody wants to remove, and nothing else. `objectsAt` opens what is under a prefix. */
async function expectConcurrentCompactions(objectsAt: (prefix: string) => S3Objects, numRuns: number): Promise<void> {
  let prefixes = 0;
  const some = fc.subarray([...Array(12).keys()]);
  await fc.assert(
    fc.asyncProperty(fc.array(some, { minLength: 2, maxLength: 4 }), async (wishes) => {
      const prefix = `at-once/${++prefixes}/`;
      const one = () => objectsAt(prefix);
      const blobs = await putAll(one(), texts(12));
      const gone = new Set(wishes.flat());
      const left = blobs.filter((_, index) => !gone.has(index));
      const attempts = await Promise.allSettled(
        wishes.filter(({ length }) => length > 0).map((wish) => one().remove(wish.map((index) => blobs[index]!))),
      );
      // One that met too many others is tried again by the next sweep.
      const isTried = attempts.every(({ status }) => status === "fulfilled");
      if (!isTried && gone.size > 0) await one().remove([...gone].map((index) => blobs[index]!));
      const later = one();
      expect(await listed(later)).toEqual(namesOf(left));
      for (const blob of left) expect(await textOf(later, blob)).toBe(texts(12)[blobs.indexOf(blob)]);
    }),
    { numRuns },
  );
}

describe("in the small server of the tests", () => {
  let server: StrictServer;
  let bucket: Bucket;
  let objects: S3Objects;
  beforeAll(async () => {
    server = await startStrict();
  });
  beforeEach(() => {
    server.fault = () => undefined;
    bucket = bucketOf(server);
    objects = objectsIn(bucket, { patience: quick });
    server.seen.length = 0;
  });
  const methods = () => server.seen.map(({ method }) => method);
  /** What another process sees. */
  const another = () => objectsIn(bucket, { patience: quick });
  const isPack = (name: string) => name.endsWith(".pack");

  test("bodies that are put at once are one PUT, and each is one GET of its range", async () => {
    const blobs = await putAll(objects, texts(30));
    expect(methods()).toEqual(["PUT"]);
    expect(server.seen[0]!.key).toMatch(/^([0-9a-f]{3})\/2026-01-02\/\1[0-9a-f]{29}\.pack$/);
    server.seen.length = 0;
    for (const [index, blob] of blobs.entries()) expect(await textOf(objects, blob)).toBe(texts(30)[index]);
    expect(methods()).toEqual(Array(30).fill("GET"));
    expect(server.seen.every(({ headers }) => /^bytes=\d+-\d+$/.test(headers.range ?? ""))).toBe(true);
  });

  test("one alone, one of 64 KB, and all when packs are off are objects of their own", async () => {
    const [alone] = await putAll(objects, ["alone"]);
    const large = await putAll(
      objects,
      ["a", "b"].map((text) => text.repeat(64 * 1024)),
    );
    const off = await putAll(objectsIn(bucket, { packs: false }), texts(5));
    for (const blob of [alone!, ...large, ...off]) expect(blob.pack).toBeNull();
    expect([...server.buckets.get(bucket.name)!.keys()].filter(isPack)).toEqual([]);
    const packed = await putAll(objects, texts(5));
    for (const blob of packed) expect(await textOf(objectsIn(bucket, { packs: false }), blob)).toBeDefined();
  });

  test("a hint that is wrong costs requests, and never shows other bytes", async () => {
    const blobs = await putAll(objects, texts(20));
    await fc.assert(
      fc.asyncProperty(fc.nat(19), fc.nat(6000), fc.nat(300), async (index, at, size) => {
        const blob = blobs[index]!;
        const pack = Buffer.from(blob.pack!);
        pack.writeUInt32BE(at, 16);
        for (const wrong of [
          { ...blob, pack },
          { ...blob, size },
          { ...blob, pack: pack.subarray(0, 16) },
          { day, sha256: blob.sha256, pack },
        ]) {
          expect((await objects.read(wrong))?.toString()).toBe(texts(20)[index]);
        }
      }),
      { numRuns: 40 },
    );
    const elsewhere = { ...blobs[0]!, pack: randomBytes(20) };
    const notThere = { ...key("not there"), size: 9, pack: blobs[0]!.pack! };
    for (const wrong of [elsewhere, notThere]) {
      expect([await objects.read(wrong), await objects.size(wrong)]).toEqual([undefined, undefined]);
    }
  });

  test("bytes that are damaged on their way are read again; those that stay damaged are nobody's", async () => {
    const [blob] = await putAll(objects, ["x".repeat(500), "filler"]);
    for (const faults of [1, 2, 3, 4]) {
      let left = faults;
      server.fault = () => (left-- > 0 ? "corrupt" : undefined);
      expect(await textOf(objects, blob!)).toBe("x".repeat(500));
    }
    server.fault = () => "corrupt";
    expect(await objects.read(blob!)).toBeUndefined();
  });

  test("when the PUT of a pack fails, all its bodies fail, and none is there", async () => {
    server.fault = ({ method }) => (method === "PUT" ? "error" : undefined);
    const outcomes = await Promise.allSettled(texts(20).map((text) => putAll(objects, [text])));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: expect.any(BodiesAway) });
    server.fault = () => undefined;
    expect(await listed(another())).toEqual([]);
  });

  test("compaction keeps the name: what stays is read with the hint of before, and what goes is gone", async () => {
    const blobs = await putAll(objects, texts(20));
    const dead = blobs.filter((_, index) => index % 3 === 0);
    const left = blobs.filter((_, index) => index % 3 !== 0);
    const before = sizes();
    expect(await another().remove(dead)).toEqual(dead.map(() => true));
    expect(sizes()).toHaveLength(1);
    expect(sizes()[0]).toBeLessThan(before[0]!);
    expect(bytesThere()).not.toContain(texts(20)[3]);
    for (const blob of dead)
      expect([await objects.read(blob), await objects.size(blob)]).toEqual([undefined, undefined]);
    for (const blob of left) {
      server.seen.length = 0;
      expect(await textOf(objects, blob)).toBe(texts(20)[blobs.indexOf(blob)]);
      expect(methods().length).toBeLessThanOrEqual(3);
    }
    expect(await listed(objects)).toEqual(namesOf(left));
    expect(await another().remove([...dead, ...left])).toEqual([...dead.map(() => false), ...left.map(() => true)]);
    expect(sizes()).toEqual([]);
    expect(await objects.read(left[0]!)).toBeUndefined();
  });

  const sizes = () => [...server.buckets.get(bucket.name)!.values()].map(({ bytes }) => bytes.length);
  const bytesThere = () => [...server.buckets.get(bucket.name)!.values()].map(({ bytes }) => bytes.toString("latin1"));

  /** What a process that died, or lost its connection, at one of the steps of a compaction has left behind. */
  const interruptions: [string, (method: string) => Fault | undefined][] = [
    ["before it reads", (method) => (method === "GET" ? "error" : undefined)],
    ["while it reads", (method) => (method === "GET" ? "cut" : undefined)],
    ["before it writes", (method) => (method === "PUT" || method === "DELETE" ? "error" : undefined)],
    [
      "after it wrote, before it heard of that",
      (method) => (method === "PUT" || method === "DELETE" ? "cut" : undefined),
    ],
  ];
  test.each(interruptions)("a compaction that dies %s loses nothing, and is done by the next", async (_, fault) => {
    for (const all of [false, true]) {
      bucket = bucketOf(server);
      objects = another();
      const blobs = await putAll(objects, texts(10));
      const dead = all ? blobs : blobs.slice(0, 4);
      const left = all ? [] : blobs.slice(4);
      server.fault = ({ method, key: name }) => (isPack(name) ? fault(method) : undefined);
      const outcome = await another()
        .remove(dead)
        .catch((error: unknown) => error);
      server.fault = () => undefined;
      // A write whose answer was lost is tried again, and then found to be done.
      if (!Array.isArray(outcome)) expect(outcome).toBeInstanceOf(BodiesAway);
      for (const blob of left) expect(await textOf(objects, blob)).toBe(texts(10)[blobs.indexOf(blob)]);
      await another().remove(dead);
      expect(await listed(objects)).toEqual(namesOf(left));
      for (const blob of left) expect(await textOf(objects, blob)).toBe(texts(10)[blobs.indexOf(blob)]);
    }
  });

  test("a pack that is damaged on its way is not written again so", async () => {
    const blobs = await putAll(objects, texts(10));
    const before = bytesThere();
    server.fault = ({ method, key: name }) => (method === "GET" && isPack(name) ? "corrupt" : undefined);
    await expect(another().remove([blobs[0]!])).rejects.toThrow(DamagedPack);
    expect(bytesThere()).toEqual(before);
    let left = 2;
    server.fault = ({ method }) => (method === "GET" && left-- > 0 ? "corrupt" : undefined);
    expect(await another().remove([blobs[0]!])).toEqual([true]);
    for (const blob of blobs.slice(1)) expect(await textOf(objects, blob)).toBeDefined();
  });

  test("any number of compactions at once leave what nobody wants to remove, and nothing else", () =>
    expectConcurrentCompactions((prefix) => objectsIn(bucket, { prefix, patience: quick }), scaled(30, 1_000)));

  test("on a service that ignores conditions, compactions at once leave all that nobody wants to remove", async () => {
    const careless = await startStrict({ ignoresIfMatch: true });
    const place = bucketOf(careless);
    const some = fc.subarray([...Array(8).keys()], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(some, some, async (one, other) => {
        const objectsOf = () => objectsIn(place, { patience: quick, prefix: "x/" });
        const blobs = await putAll(objectsOf(), texts(8));
        const removals = [one, other].map((wish) => objectsOf().remove(wish.map((index) => blobs[index]!)));
        await Promise.allSettled(removals);
        for (const [index, blob] of blobs.entries()) {
          if (![...one, ...other].includes(index)) expect(await textOf(objectsOf(), blob)).toBe(texts(8)[index]);
        }
      }),
      { numRuns: 15 },
    );
  });

  test("a listing says so when a pack is damaged, after all others; so does a copy", async () => {
    await putAll(objects, texts(10));
    const [name, stored] = [...server.buckets.get(bucket.name)!][0]!;
    stored.bytes[50]! ^= 1;
    const whole = [...(await putAll(objects, texts(3))), ...(await putAll(objects, ["alone"]))];
    const found: StoredBlob[] = [];
    const look = async () => {
      for await (const blob of objects.list()) found.push(blob);
    };
    await expect(look()).rejects.toThrow(`the pack ${name} is damaged`);
    expect(namesOf(found)).toEqual(namesOf(whole));
    const to = objectsIn(bucketOf(server), { patience: quick });
    await expect(copyObjects({ from: objects, to, isDryRun: false, tell: () => {} })).rejects.toThrow(DamagedPack);
    expect(await listed(to)).toEqual(namesOf(whole));
  });
});

describe("in a real S3 where one is installed", () => {
  let bucket: Bucket;
  let prefixes = 0;
  let objects: S3Objects;
  let another: () => S3Objects;
  beforeAll(async () => {
    bucket = await emptyBucket();
  }, 260_000);
  beforeEach(() => {
    const prefix = `packs/${++prefixes}/`;
    another = () => objectsIn(bucket, { prefix });
    objects = another();
  });

  // A gateway that shares its machine with other tests may stall: many runs are the business of the small server above.
  test(
    "any number of compactions at once leave what nobody wants to remove, and nothing else",
    () => expectConcurrentCompactions((prefix) => objectsIn(bucket, { prefix: `packs/${prefix}` }), scaled(3, 30)),
    scaled(90_000, 600_000),
  );

  test("who reads during compactions reads what was written", async () => {
    const blobs = await putAll(objects, texts(60));
    const left = blobs.slice(40);
    let isDone = false;
    const read = async (from: number) => {
      let reads = 0;
      for (let index = from; !isDone || reads < left.length; index = (index + 1) % left.length, reads++) {
        const blob = left[index]!;
        expect((await objects.read(blob))?.equals(Buffer.from(texts(60)[40 + index]!))).toBe(true);
        expect(sha256Of((await objects.read({ ...blob, pack: blob.pack!.subarray(0, 16) }))!)).toEqual(blob.sha256);
      }
    };
    const readers = [0, 7, 13].map(read);
    for (const blob of blobs.slice(0, 40)) expect(await another().remove([blob])).toEqual([true]);
    isDone = true;
    await Promise.all(readers);
    expect(await listed(objects)).toEqual(namesOf(left));
  });
});
