import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { objectsIn, startStrict } from "../../../test/support/s3/bucket.ts";
import { bucketOf } from "../../../test/support/s3/place.ts";
import { uuencode } from "../../../test/support/uuencode.ts";
import { encodeBase64 } from "../../mime/base64.ts";
import { encodeQuotedPrintable } from "../../mime/transfer.ts";
import { BlobMissing } from "../core/errors.ts";
import { encodeBlobId } from "./blob-id.ts";
import { findBlob, referenceBlob, releaseBlobs } from "./blob-refs.ts";
import { Blobs } from "./blobs.ts";
import { DiskObjects } from "./objects/disk.ts";
import { Pile, Room, TooLarge } from "./pile.ts";

const store = await createTestStore();
let folder: string;
let blobs: Blobs;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "blobs-"));
  blobs = openBlobs(1_000_000);
});
afterEach(() => rm(folder, { recursive: true }));

function openBlobs(cacheBytes: number): Blobs {
  const { clock } = store;
  const objects = new DiskObjects({ folder, clock, random: randomBytes });
  return new Blobs({ objects, clock, cacheBytes });
}

async function held(text: string | Buffer, accountId?: number) {
  const userId = accountId ?? (await createTestAccount(store));
  const blob = await blobs.put(Buffer.from(text));
  await store.write(userId, "server", (tx) => referenceBlob(tx, blob));
  return { userId, blob, reader: store.reader(userId, "server") };
}

test("only an account that holds a reference reads the blob", async () => {
  const { blob, reader } = await held("hello");
  const other = store.reader(await createTestAccount(store), "server");
  const id = encodeBlobId(blob.sha256);
  expect((await blobs.read(reader, id))?.toString()).toBe("hello");
  expect(await blobs.read(other, id)).toBeUndefined();
  expect(await blobs.open(other, id)).toBeUndefined();
  expect(await blobs.read(reader, encodeBlobId(randomBytes(32)))).toBeUndefined();
  expect(await blobs.read(reader, "nonsense")).toBeUndefined();
});

test("more than was asked for is not read", async () => {
  const { blob, reader } = await held("0123456789");
  const part = encodeBlobId(blob.sha256, [{ start: 2, end: 6, encoding: "identity" }]);
  expect((await blobs.read(reader, encodeBlobId(blob.sha256), 10))?.length).toBe(10);
  expect((await blobs.read(reader, part, 4))?.toString()).toBe("2345");
  await blobs.objects.remove([blob]);
  blobs = openBlobs(0);
  await expect(blobs.read(reader, encodeBlobId(blob.sha256), 9)).rejects.toThrow(TooLarge);
  await expect(blobs.read(reader, part, 3)).rejects.toThrow(TooLarge);
});

test("nested steps cut and decode in order", async () => {
  const inner = Buffer.from("deep inside").toString("base64");
  const outer = Buffer.from(`head ${inner} tail`).toString("base64");
  const { blob, reader } = await held(`xx${outer}yy`);
  const first = { start: 2, end: 2 + outer.length, encoding: "base64" as const };
  const second = { start: 5, end: 5 + inner.length, encoding: "base64" as const };
  for (const cache of [1_000_000, 0]) {
    blobs = openBlobs(cache);
    const read = async (...steps: Parameters<typeof encodeBlobId>[1] & object) =>
      (await blobs.read(reader, encodeBlobId(blob.sha256, steps)))?.toString();
    expect(await read(first)).toBe(`head ${inner} tail`);
    expect(await read(first, second)).toBe("deep inside");
    expect(await read(first, second, { start: 0, end: 4, encoding: "identity" })).toBe("deep");
    const piece = { start: 1, end: 4, encoding: "identity" as const };
    expect(await read(piece, { start: 0, end: 1, encoding: "identity" })).toBe("x");
    expect(await read({ start: 0, end: blob.size + 1, encoding: "identity" })).toBeUndefined();
    expect(await read(piece, { start: 0, end: 4, encoding: "identity" })).toBeUndefined();
  }
});

test("ranges are clipped; a negative start counts from the end", async () => {
  const { blob, reader } = await held("0123456789");
  const id = encodeBlobId(blob.sha256);
  const encoded = Buffer.from("abcdef").toString("base64");
  const other = await held(encoded, reader.accountId);
  const step = { start: 0, end: encoded.length, encoding: "base64" as const };
  for (const cache of [1_000_000, 0]) {
    blobs = openBlobs(cache);
    const open = async (blobId: string, range?: { start: number; end?: number }) => {
      const opened = (await blobs.open(reader, blobId, range))!;
      const text = Buffer.concat(await opened.stream.toArray()).toString();
      return [opened.total, opened.size, opened.start, text];
    };
    expect(await open(id)).toEqual([10, 10, 0, "0123456789"]);
    expect(await open(id, { start: 3, end: 5 })).toEqual([10, 2, 3, "34"]);
    expect(await open(id, { start: 8, end: 50 })).toEqual([10, 2, 8, "89"]);
    expect(await open(id, { start: -3 })).toEqual([10, 3, 7, "789"]);
    expect(await open(id, { start: 10 })).toEqual([10, 0, 10, ""]);
    expect(await open(encodeBlobId(other.blob.sha256, [step]), { start: 1, end: 3 })).toEqual([6, 2, 1, "bc"]);
  }
});

test("streamed large encoded parts have the right bytes, sizes and ranges", async () => {
  const userId = await createTestAccount(store);
  const reader = store.reader(userId, "server");
  const plain = randomBytes(2_000_000);
  const text = Buffer.from("Grüße = und \t\r\n".repeat(70_000));
  const inner = Buffer.concat([Buffer.from("head "), encodeBase64(plain), Buffer.from("\r\ntail")]);
  const kinds = [
    { bytes: encodeBase64(plain), steps: ["base64"], decoded: plain },
    { bytes: encodeQuotedPrintable(text), steps: ["quoted-printable"], decoded: text },
    { bytes: Buffer.from(uuencode(plain)), steps: ["uuencode"], decoded: plain },
    { bytes: encodeBase64(inner), steps: ["base64", "base64"], decoded: plain },
    { bytes: encodeBase64(inner), steps: ["base64", "identity"], decoded: inner.subarray(5, -6) },
  ] as const;
  for (const { bytes, steps, decoded } of kinds) {
    const blob = await blobs.put(bytes);
    await store.write(userId, "server", (tx) => referenceBlob(tx, blob));
    const second = { start: 5, end: inner.length - 6 };
    const spans = [{ start: 0, end: bytes.length }, second];
    const blobId = encodeBlobId(
      blob.sha256,
      steps.map((encoding, at) => ({ ...spans[at]!, encoding })),
    );
    const total = decoded.length;
    const ranges = [
      { start: 0 },
      { start: 0, end: 10 },
      { start: 700_001, end: 700_011 },
      { start: -7 },
      { start: total },
    ];
    for (const range of ranges) {
      const opened = (await blobs.open(reader, blobId, range))!;
      const { start, end } = { start: range.start < 0 ? total + range.start : range.start, end: range.end ?? total };
      expect([opened.total, opened.start, opened.size]).toEqual([total, start, end - start]);
      expect(Buffer.concat(await opened.stream.toArray()).equals(decoded.subarray(start, end))).toBe(true);
    }
    (await blobs.open(reader, blobId))!.stream.destroy();
    await blobs.objects.remove([blob]);
    await expect(blobs.open(reader, blobId)).rejects.toThrow(BlobMissing);
  }
});

test("each of many downloads of a large attachment holds only a few pieces in memory", async () => {
  const bytes = encodeBase64(randomBytes(10_000_000));
  const { blob, reader } = await held(bytes);
  const blobId = encodeBlobId(blob.sha256, [{ start: 0, end: bytes.length, encoding: "base64" }]);
  const before = process.memoryUsage().arrayBuffers;
  const many = await Promise.all(Array.from({ length: 20 }, () => blobs.open(reader, blobId)));
  for (const opened of many) await once(opened!.stream, "readable");
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
  for (const opened of many) opened!.stream.destroy();
});

test("an object whose bytes do not match its hash counts as missing", async () => {
  const { blob, reader } = await held("precious");
  blobs = openBlobs(0);
  await writeFile(join(folder, blob.day, blob.sha256.toString("hex")), "precioux");
  await expect(blobs.readObject(blob, 1, 3)).rejects.toThrow(BlobMissing);
  await expect(blobs.read(reader, encodeBlobId(blob.sha256))).rejects.toThrow(BlobMissing);
  await blobs.objects.remove([blob]);
  await expect(blobs.read(reader, encodeBlobId(blob.sha256))).rejects.toThrow(BlobMissing);
  await expect(blobs.readObject(blob, 1, 3)).rejects.toThrow(BlobMissing);
});

test("a large object that is damaged is not sent to its end", async () => {
  const bytes = randomBytes(3_000_000);
  const { blob, reader } = await held(bytes);
  const path = join(folder, blob.day, blob.sha256.toString("hex"));
  const download = async () => {
    let size = 0;
    const { stream } = (await blobs.open(reader, encodeBlobId(blob.sha256)))!;
    for await (const piece of stream) size += (piece as Buffer).length;
    return size;
  };
  expect(await download()).toBe(bytes.length);
  bytes[0]! ^= 1;
  await writeFile(path, bytes);
  await expect(download()).rejects.toThrow(BlobMissing);
});

test("what is damaged on its way is read again", async () => {
  const server = await startStrict();
  const objects = objectsIn(bucketOf(server));
  blobs = new Blobs({ objects, clock: store.clock, cacheBytes: 0 });
  const blob = await blobs.put(Buffer.from("precious"));
  let faults = 1;
  server.fault = () => (faults-- > 0 ? "corrupt" : undefined);
  expect((await blobs.readObject(blob)).toString()).toBe("precious");
  faults = 2;
  await expect(blobs.readObject(blob)).rejects.toThrow(BlobMissing);
});

test("a spool keeps few bytes in memory and many in a file, and refuses more than its limit", async () => {
  for (const size of [0, 1000, 3_000_000]) {
    const bytes = randomBytes(size);
    const spool = blobs.spool(size);
    for (let start = 0; start < size; start += 70_000) await spool.write(bytes.subarray(start, start + 70_000));
    await expect(spool.write(Buffer.from("x"))).rejects.toThrow(TooLarge);
    expect((await spool.bytes()).equals(bytes)).toBe(true);
    const stored = await spool.finish();
    expect(stored.size).toBe(size);
    expect((await blobs.readObject(stored)).equals(bytes)).toBe(true);
  }
  expect(await readdir(join(folder, "tmp"))).toEqual([]);
});

test("a pile uses shared memory while there is room, then a file, and gives its memory back", async () => {
  const room = new Room(3_000_000);
  const files = async () => (await readdir(join(folder, "tmp")).catch(() => [])).length;
  const piled = async (bytes: Buffer) => {
    const pile = new Pile(blobs.objects, 10_000_000, room);
    for (let start = 0; start < bytes.length; start += 70_000) await pile.write(bytes.subarray(start, start + 70_000));
    expect((await pile.bytes()).equals(bytes)).toBe(true);
    return pile;
  };
  const large = randomBytes(3_500_000);
  const first = await piled(large);
  expect(await files()).toBe(0);
  const second = await piled(large);
  const small = await piled(randomBytes(1_000_000));
  expect(await files()).toBe(1);
  for (const pile of [first, second, small]) await pile.abort();
  expect(await files()).toBe(0);
  await expect(second.bytes()).rejects.toThrow();
  const again = await piled(large);
  expect(await files()).toBe(0);
  await again.abort();
  expect(await blobs.objects.days()).toEqual([]);
});

test("an aborted spool leaves nothing", async () => {
  const spool = blobs.spool(5_000_000);
  await spool.write(randomBytes(2_000_000));
  await spool.abort();
  expect(await readdir(join(folder, "tmp"))).toEqual([]);
  expect(await blobs.objects.days()).toEqual([]);
});

test("an upload stays until it expires, whatever else releases it; a released reference is revived", async () => {
  const { userId, blob, reader } = await held("kept");
  await store.write(userId, "server", (tx) => releaseBlobs(tx, [blob.sha256]));
  expect(await findBlob(reader, blob.sha256)).toBeUndefined();

  const expiresAt = new Date(Date.now() + 3600_000);
  await store.write(userId, "server", (tx) => referenceBlob(tx, blob, { expiresAt }));
  expect(await findBlob(reader, blob.sha256)).toEqual(blob);
  // An email takes the blob up and is destroyed: the upload is still usable.
  await store.write(userId, "server", (tx) => referenceBlob(tx, blob));
  await store.write(userId, "server", (tx) => releaseBlobs(tx, [blob.sha256]));
  expect(await findBlob(reader, blob.sha256)).toEqual(blob);
});
