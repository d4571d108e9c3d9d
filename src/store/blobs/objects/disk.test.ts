import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { all, key, objectStoreContract } from "../../../../test/support/contracts/object-store.ts";
import { systemClock } from "../../../base/clock.ts";
import { DiskObjects } from "./disk.ts";

let folder: string;
let objects: DiskObjects;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "objects-"));
  objects = new DiskObjects({ folder: join(folder, "data", "blobs"), clock: systemClock, random: randomBytes });
});
afterEach(() => rm(folder, { recursive: true }));

objectStoreContract(async () => objects);

test("puts at once leave nothing temporary", async () => {
  const texts = Array.from({ length: 100 }, (_, index) => `text ${index % 60}`);
  await Promise.all(texts.map((text) => objects.put(key(text), Buffer.from(text))));
  expect(await readdir(join(folder, "data", "blobs", "tmp"))).toEqual([]);
});

test("a half-written object of the same name is written again", async () => {
  await objects.put(key("whole"), Buffer.from("whole"));
  await writeFile(join(folder, "data", "blobs", "2026-01-02", key("whole").sha256.toString("hex")), "who");
  await objects.put(key("whole"), Buffer.from("whole"));
  expect((await objects.read(key("whole")))?.toString()).toBe("whole");
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
