import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { all, key, objectStoreContract } from "../../../../test/support/contracts/object-store.ts";
import { systemClock } from "../../../base/clock.ts";
import { sha256Of } from "../blob-id.ts";
import { DiskObjects } from "./disk.ts";
import { copyObjects, lackingIn, verifyObjects } from "./move.ts";
import { TwoPlaces } from "./two-places.ts";

let folder: string;
let from: DiskObjects;
let to: DiskObjects;
let both: TwoPlaces;
const tell = () => {};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "move-"));
  const objects = (name: string) =>
    new DiskObjects({ folder: join(folder, name), clock: systemClock, random: randomBytes });
  [from, to] = [objects("from"), objects("to")];
  both = new TwoPlaces(to, from);
});
afterEach(() => rm(folder, { recursive: true }));

const pathOf = (place: string, text: string) => join(folder, place, "2026-01-02", key(text).sha256.toString("hex"));
const texts = ["one", "two", "three"];
const fill = () => Promise.all(texts.map((text) => from.put(key(text), Buffer.from(text))));

objectStoreContract(async () => both);

test("two places: written to the first, read and removed wherever they are, listed once", async () => {
  await fill();
  await to.put(key("one"), Buffer.from("one"));
  await both.put(key("new"), Buffer.from("new"));
  expect(await from.exists(key("new"))).toBe(false);
  expect((await both.read(key("two")))?.toString()).toBe("two");
  expect(Buffer.concat(await both.stream(key("two"), 1, 3).toArray()).toString()).toBe("wo");
  expect((await all(both.list())).map(({ size }) => size).sort()).toEqual([3, 3, 3, 5]);
  expect((await all(both.list("2026-01-02"))).length).toBe(4);
  expect(await both.remove([key("one")])).toEqual([true]);
  expect([await from.exists(key("one")), await to.exists(key("one"))]).toEqual([false, false]);
  expect(await both.remove([key("one")])).toEqual([false]);
});

test("copies what is lacking, whatever its size, and again nothing", async () => {
  await fill();
  const bytes = randomBytes(3_000_000);
  await from.put({ day: "2026-01-03", sha256: sha256Of(bytes) }, bytes);
  await to.put(key("two"), Buffer.from("two"));
  await writeFile(pathOf("to", "two"), "tw");
  await to.put(key("three"), Buffer.from("three"));
  const dry = await copyObjects({ from, to, isDryRun: true, tell });
  expect(dry).toMatchObject({ copied: { objects: 3 }, present: { objects: 1, bytes: 5 }, damaged: [] });
  expect((await all(to.list())).length).toBe(2);
  expect(await copyObjects({ from, to, isDryRun: false, tell })).toEqual(dry);
  expect((await to.read({ day: "2026-01-03", sha256: sha256Of(bytes) }))?.equals(bytes)).toBe(true);
  const seen: number[] = [];
  const again = await copyObjects({ from, to, isDryRun: false, tell: (done) => void seen.push(done.objects) });
  expect(again).toMatchObject({ copied: { objects: 0 }, present: { objects: 4 } });
  expect(seen.slice(-4)).toEqual([1, 2, 3, 4]);
  expect(await lackingIn(to, from, tell)).toEqual({ objects: 0, bytes: 0 });
});

test("a damaged object is named and not copied; verify finds it too", async () => {
  await fill();
  await writeFile(pathOf("from", "two"), "TWO");
  const { copied, damaged } = await copyObjects({ from, to, isDryRun: false, tell });
  expect([copied.objects, damaged]).toEqual([2, [{ ...key("two"), size: 3, pack: null }]]);
  expect(await to.exists(key("two"))).toBe(false);
  expect(await verifyObjects(from, tell)).toMatchObject({ intact: { objects: 2 }, damaged: [{ ...key("two") }] });
  expect(await verifyObjects(to, tell)).toMatchObject({ intact: { objects: 2 }, damaged: [] });
});

test("what a sweep removes while it is copied does not stay in the other place", async () => {
  await fill();
  const read = from.read.bind(from);
  // The sweep comes after the read, or after the write.
  from.read = async (...args) => {
    const bytes = await read(...args);
    if (args[0].sha256.equals(key("one").sha256)) await both.remove([args[0]]);
    return bytes;
  };
  const put = to.put.bind(to);
  to.put = async (...args) => {
    await put(...args);
    if (args[0].sha256.equals(key("two").sha256)) await both.remove([args[0]]);
  };
  const { copied } = await copyObjects({ from, to, isDryRun: false, tell });
  expect(copied.objects).toBe(1);
  expect((await all(to.list())).map(({ size }) => size)).toEqual([5]);
});
