import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { generate } from "selfsigned";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { all, key, objectStoreContract } from "../../../../test/support/contracts/object-store.ts";
import { emptyBucket, objectsIn, startStrict } from "../../../../test/support/s3/bucket.ts";
import { type Bucket, bucketOf } from "../../../../test/support/s3/place.ts";
import type { Fault, StrictServer } from "../../../../test/support/s3/strict-server.ts";
import { BlobMissing, BodiesAway } from "../../core/errors.ts";
import { sha256Of } from "../blob-id.ts";
import type { S3Objects } from "./s3.ts";

let prefixes = 0;
const newPrefix = () => `at/${++prefixes}/`;

describe("in a real S3 where one is installed", () => {
  let bucket: Bucket;
  beforeAll(async () => {
    bucket = await emptyBucket();
  }, 260_000);

  objectStoreContract(async () => objectsIn(bucket, { prefix: newPrefix() }));

  test("a hash that is not the content's is refused", async () => {
    const objects = objectsIn(bucket);
    await expect(objects.put(key("a"), Buffer.from("b"))).rejects.toThrow(BodiesAway);
    expect(await objects.exists(key("a"))).toBe(false);
  });

  test("a wrong secret is refused at once, and named", async () => {
    const objects = objectsIn({ ...bucket, secretKey: "wrong" });
    const begin = performance.now();
    await expect(objects.put(key("a"), Buffer.from("a"))).rejects.toThrow(/bodies can't be reached: .*signature/i);
    expect(performance.now() - begin).toBeLessThan(1_000);
    expect(await objects.check()).toBe("can't be written");
  });

  test("a bucket that is not there is not a body that is not there", async () => {
    const objects = objectsIn({ ...bucket, name: "not-there" });
    await expect(objects.read(key("a"))).rejects.toThrow(BodiesAway);
    await expect(all(objects.list())).rejects.toThrow(BodiesAway);
  });

  test("bodies are encrypted by the service when asked", async () => {
    const objects = objectsIn(bucket, { encryption: { algorithm: "AES256", keyId: undefined } });
    await objects.put(key("secret"), Buffer.from("secret"));
    expect((await objects.read(key("secret")))?.toString()).toBe("secret");
    expect((await objects.read(key("secret"), 1, 3))?.toString()).toBe("ec");
  });
});

describe("in the small server of the tests", () => {
  let server: StrictServer;
  let bucket: Bucket;
  let prefix: string;
  let objects: S3Objects;
  /** The fault of each request to come; the last one stays. */
  let faults: (Fault | undefined)[];
  const quick = {
    connectTimeoutMs: 500,
    answerTimeoutMs: 400,
    retryForMs: 3_000,
    failingForMs: 1_000,
    firstPauseMs: 300,
    maxPauseMs: 1_000,
  };
  beforeAll(async () => {
    server = await startStrict({ maxKeys: 4 });
    server.fault = ({ key: name }) => (name === "" ? undefined : faults.length > 1 ? faults.shift() : faults[0]);
    bucket = bucketOf(server);
  });
  /** Requests in this test's prefix; those that another test left hanging may end later. */
  const seen = () => server.seen.filter((one) => one.key.startsWith(prefix));
  beforeEach(async () => {
    faults = [];
    await server.start();
    prefix = newPrefix();
    objects = objectsIn(bucket, { prefix, patience: quick });
  });

  objectStoreContract(async () => objectsIn(bucket, { prefix: newPrefix() }));

  test("keys begin with three digits of the hash, then the day", async () => {
    await objects.put(key("hello"), Buffer.from("hello"));
    const hash = key("hello").sha256.toString("hex");
    expect(seen().map((one) => one.key)).toEqual([`${prefix}${hash.slice(0, 3)}/2026-01-02/${hash}`]);
  });

  test("what others keep below the same prefix is not listed", async () => {
    await objects.put(key("hello"), Buffer.from("hello"));
    await objects.check();
    const put = (name: string) =>
      server.buckets.get(bucket.name)!.set(`${prefix}${name}`, { bytes: Buffer.from("x"), encryption: undefined });
    put("abc/2026-01-02/other");
    put("abc/notes/x");
    put("other/2026-01-02/x");
    expect(await all(objects.list())).toMatchObject([{ size: 5 }]);
    expect(await objects.days()).toEqual(["2026-01-02"]);
  });

  test.each<Fault>(["error", "slowDown", "hang", "cut"])("writes and reads outlast a passing %s", async (fault) => {
    faults = [fault, fault, undefined];
    await objects.put(key("hello"), Buffer.from("hello"));
    faults = [fault, fault, undefined];
    expect((await objects.read(key("hello")))?.toString()).toBe("hello");
    faults = [fault, fault, undefined];
    expect(await objects.size(key("hello"))).toBe(5);
    faults = [fault, fault, undefined];
    expect(await objects.remove([key("hello")])).toEqual([true]);
  });

  test("a file is sent again from its beginning", async () => {
    const bytes = randomBytes(3_000_000);
    const path = await objects.temporaryPath();
    await writeFile(path, bytes);
    faults = ["error", "cut", undefined];
    await objects.putFile({ day: "2026-01-02", sha256: sha256Of(bytes) }, path);
    expect((await objects.read({ day: "2026-01-02", sha256: sha256Of(bytes) }))?.equals(bytes)).toBe(true);
  });

  test.each<Fault>(["cut", "stall"])("a stream that a %s interrupts goes on where it was", async (fault) => {
    const bytes = randomBytes(3_000_000);
    const large = { day: "2026-01-02", sha256: sha256Of(bytes) };
    await objects.put(large, bytes);
    faults = [fault, fault, undefined];
    const streamed = Buffer.concat(await objects.stream(large, 10, 2_999_990).toArray());
    expect(streamed.equals(bytes.subarray(10, 2_999_990))).toBe(true);
    const ranges = seen()
      .filter(({ method }) => method === "GET")
      .map(({ headers }) => headers.range);
    expect(ranges[0]).toBe("bytes=10-2999989");
    expect(ranges.length).toBeGreaterThan(1);
  });

  test("a stream to a slow reader is not taken for a dead one", async () => {
    const bytes = randomBytes(3_000_000);
    const large = { day: "2026-01-02", sha256: sha256Of(bytes) };
    await objects.put(large, bytes);
    server.seen.length = 0;
    let size = 0;
    for await (const piece of objects.stream(large, 0, bytes.length)) {
      if (size === 0) await new Promise((resolve) => setTimeout(resolve, 2 * quick.answerTimeoutMs));
      size += (piece as Buffer).length;
    }
    expect(size).toBe(bytes.length);
    expect(seen()).toHaveLength(1);
  });

  test("a write that is answered with 404 is not taken for done", async () => {
    faults = ["lost"];
    await expect(objects.put(key("hello"), Buffer.from("hello"))).rejects.toThrow(BodiesAway);
    faults = [undefined];
    expect(await objects.read(key("hello"))).toBeUndefined();
  });

  test("a stream of an object that is not there says so", async () => {
    await expect(objects.stream(key("other"), 0, 1).toArray()).rejects.toThrow(BlobMissing);
  });

  test("while the service is away, calls fail: first after some patience, then at once; then it works by itself", async () => {
    await objects.put(key("a"), Buffer.from("a"));
    await server.stop();
    await expect(objects.put(key("b"), Buffer.from("b"))).rejects.toThrow(BodiesAway);
    const begin = performance.now();
    await expect(objects.read(key("a"))).rejects.toThrow(BodiesAway);
    expect(performance.now() - begin).toBeLessThan(200);
    await server.start();
    await expect.poll(() => objects.read(key("a")).catch(() => undefined), { timeout: 3_000 }).toBeDefined();
    await objects.put(key("b"), Buffer.from("b"));
  });

  test("while the service hangs, one call at a time tries it", async () => {
    faults = ["hang"];
    await expect(objects.read(key("a"))).rejects.toThrow(BodiesAway);
    await expect(objects.read(key("a"))).rejects.toThrow(BodiesAway);
    server.seen.length = 0;
    const begin = performance.now();
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => objects.read(key("a"))));
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    expect(performance.now() - begin).toBeLessThan(1_500);
    expect(seen().length).toBeLessThan(3);
  });

  test("the check writes, but not when a write has just succeeded", async () => {
    expect(await objects.check()).toBeUndefined();
    expect(seen().map(({ method, key: name }) => `${method} ${name}`)).toEqual([`PUT ${prefix}probe`]);
    await objects.put(key("a"), Buffer.from("a"));
    server.seen.length = 0;
    expect(await objects.check()).toBeUndefined();
    expect(seen()).toEqual([]);
    const fresh = objectsIn(bucket, { patience: quick });
    await server.stop();
    expect(await fresh.check()).toBe("can't be reached");
  });

  test("a service with a certificate of its own authority is believed, and no other", async () => {
    const pair = await generate([{ name: "commonName", value: "s3.test" }], {
      extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
    });
    const secure = bucketOf(await startStrict({ tls: { cert: pair.cert, key: pair.private } }));
    await expect(objectsIn(secure, { patience: quick }).put(key("a"), Buffer.from("a"))).rejects.toThrow(
      /bodies can't be reached.*self-signed/,
    );
    const believing = objectsIn(secure, { ca: pair.cert });
    await believing.put(key("a"), Buffer.from("a"));
    expect((await believing.read(key("a")))?.toString()).toBe("a");
  });

  test("the service is asked to encrypt, with the key that was named", async () => {
    const encrypted = objectsIn(bucket, { prefix, encryption: { algorithm: "aws:kms", keyId: "key-1" } });
    await encrypted.put(key("a"), Buffer.from("a"));
    expect(seen()[0]?.headers).toMatchObject({
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
    });
    await objectsIn(bucket, { prefix, encryption: { algorithm: "AES256", keyId: undefined } }).check();
    expect(seen()[1]?.headers["x-amz-server-side-encryption"]).toBe("AES256");
  });
});
