import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../base/clock.ts";
import { sha256Of } from "../blob-id.ts";
import { DiskObjects } from "./disk.ts";

let folder: string;
let objects: DiskObjects;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "objects-"));
  objects = new DiskObjects({ folder: join(folder, "data", "blobs"), clock: systemClock, random: randomBytes });
});
afterEach(() => rm(folder, { recursive: true }));

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const key = (text: string, day = "2026-01-02") => ({ day, sha256: sha256Of(Buffer.from(text)) });

test("an object is read back whole and in ranges", async () => {
  await objects.put(key("hello"), Buffer.from("hello"));
  expect((await objects.read(key("hello")))?.toString()).toBe("hello");
  expect((await objects.read(key("hello"), 1, 3))?.toString()).toBe("el");
  expect((await objects.read(key("hello"), 3, 99))?.toString()).toBe("lo");
  expect((await objects.read(key("hello"), 9, 99))?.toString()).toBe("");
  expect(await objects.read(key("other"))).toBeUndefined();
  const chunks = await objects.stream(key("hello"), 1, 4).toArray();
  expect(Buffer.concat(chunks).toString()).toBe("ell");
});

test("a hundred puts at once, some of them the same, leave one file each and nothing temporary", async () => {
  const texts = Array.from({ length: 100 }, (_, index) => `text ${index % 60}`);
  await Promise.all(texts.map((text) => objects.put(key(text), Buffer.from(text))));
  const listed = await all(objects.list("2026-01-02"));
  expect(listed.map(({ sha256 }) => sha256.toString("hex")).sort()).toEqual(
    [...new Set(texts)].map((text) => key(text).sha256.toString("hex")).sort(),
  );
  expect(await readdir(join(folder, "data", "blobs", "tmp"))).toEqual([]);
});

test("a half-written object of the same name is written again", async () => {
  await objects.put(key("whole"), Buffer.from("whole"));
  await writeFile(join(folder, "data", "blobs", "2026-01-02", key("whole").sha256.toString("hex")), "who");
  await objects.put(key("whole"), Buffer.from("whole"));
  expect((await objects.read(key("whole")))?.toString()).toBe("whole");
});

test("days are listed in order; removed objects are gone", async () => {
  expect(await objects.days()).toEqual([]);
  await objects.put(key("b", "2026-01-03"), Buffer.from("b"));
  await objects.put(key("a", "2026-01-02"), Buffer.from("a"));
  expect(await objects.days()).toEqual(["2026-01-02", "2026-01-03"]);
  expect(await objects.remove(key("a"))).toBe(true);
  expect(await objects.remove(key("a"))).toBe(false);
  expect(await objects.exists(key("a"))).toBe(false);
  expect(await all(objects.list("2026-01-02"))).toEqual([]);
  expect(await all(objects.list("2020-01-02"))).toEqual([]);
});

test("tidy removes old temporary files and leaves fresh ones", async () => {
  const [old, fresh] = [await objects.temporaryPath(), await objects.temporaryPath()];
  await writeFile(old, "x");
  await writeFile(fresh, "x");
  await utimes(old, 1, 1);
  await objects.tidy();
  expect(await readdir(join(folder, "data", "blobs", "tmp"))).toEqual([fresh.split("/").at(-1)]);
});

test("folders that somebody deleted are made again", async () => {
  await objects.put(key("before"), Buffer.from("before"));
  await objects.temporaryPath();
  await rm(join(folder, "data"), { recursive: true });
  const path = await objects.temporaryPath();
  await writeFile(path, "large");
  await objects.putFile(key("large"), path);
  await rm(join(folder, "data", "blobs", "2026-01-02"), { recursive: true });
  await objects.put(key("after"), Buffer.from("after"));
  expect((await objects.read(key("after")))?.toString()).toBe("after");
  await rm(join(folder, "data", "blobs"), { recursive: true });
  await Promise.all(["a", "b", "c"].map((text) => objects.put(key(text), Buffer.from(text))));
  expect((await all(objects.list("2026-01-02"))).length).toBe(3);
});
