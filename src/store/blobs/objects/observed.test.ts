import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { all, key, objectStoreContract } from "../../../../test/support/contracts/object-store.ts";
import { keepEvents } from "../../../../test/support/events.ts";
import { systemClock } from "../../../base/clock.ts";
import { DiskObjects } from "./disk.ts";
import { ObservedObjects } from "./observed.ts";

let folder: string;
let objects: ObservedObjects;
let heard: ReturnType<typeof keepEvents>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "objects-"));
  heard = keepEvents();
  const disk = new DiskObjects({ folder: join(folder, "blobs"), clock: systemClock, random: randomBytes });
  objects = new ObservedObjects(disk, heard.events);
});
afterEach(() => rm(folder, { recursive: true }));

objectStoreContract(async () => objects);

const told = () => heard.told.map(([, event]) => event);
const ended = (operation: string, outcome: string) => ({ operation, outcome, seconds: expect.any(Number) as number });

test("each operation is reported once, with its outcome", async () => {
  const { day } = key("hello");
  await objects.put(key("hello"), Buffer.from("hello"));
  const path = await objects.temporaryPath();
  await writeFile(path, "from a file");
  await objects.putFile(key("from a file"), path);
  await objects.read(key("hello"));
  await objects.read(key("other"));
  await objects.size(key("hello"));
  await objects.exists(key("other"));
  await objects.days();
  await all(objects.list(day));
  await objects.stream(key("hello"), 0, 5).toArray();
  await objects.remove([key("hello")]);
  expect(told()).toEqual([
    ended("put", "ok"),
    ended("put", "ok"),
    ended("read", "ok"),
    ended("read", "missing"),
    ended("size", "ok"),
    ended("size", "ok"),
    ended("days", "ok"),
    ended("list", "ok"),
    ended("stream", "ok"),
    ended("remove", "ok"),
  ]);
});

test("what fails is reported as failed, and fails all the same", async () => {
  await rm(folder, { recursive: true });
  await writeFile(folder, "in the way");
  await expect(objects.put(key("hello"), Buffer.from("hello"))).rejects.toThrow("ENOTDIR");
  await expect(objects.read(key("hello"))).rejects.toThrow("ENOTDIR");
  await expect(objects.stream(key("hello"), 0, 5).toArray()).rejects.toThrow("ENOTDIR");
  await expect(all(objects.list(key("hello").day))).rejects.toThrow("ENOTDIR");
  expect(told()).toEqual(["put", "read", "stream", "list"].map((operation) => ended(operation, "failed")));
});

test("a list that its reader leaves early has not failed", async () => {
  for (const text of ["a", "b"]) await objects.put(key(text), Buffer.from(text));
  for await (const _ of objects.list(key("a").day)) break;
  expect(told().at(-1)).toEqual(ended("list", "ok"));
});
