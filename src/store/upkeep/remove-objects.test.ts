import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { afterwards } from "../../../test/support/afterwards.ts";
import { all } from "../../../test/support/contracts/object-store.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { objectsIn, startStrict } from "../../../test/support/s3/bucket.ts";
import { type Bucket, bucketOf } from "../../../test/support/s3/place.ts";
import type { StrictServer } from "../../../test/support/s3/strict-server.ts";
import { silentLog } from "../../base/log.ts";
import { findBlob, referenceBlob, releaseBlobs } from "../blobs/blob-refs.ts";
import { Blobs, type StoredBlob } from "../blobs/blobs.ts";
import { DiskObjects } from "../blobs/objects/disk.ts";
import { copyObjects } from "../blobs/objects/move.ts";
import { type ObjectStore, objectName } from "../blobs/objects/object-store.ts";
import { TwoPlaces } from "../blobs/objects/two-places.ts";
import { unprepared } from "../core/sql.ts";
import type { Store } from "../core/store.ts";
import { deadMembers } from "./dead-objects.ts";
import { examine } from "./doctor.ts";
import { removeAccount } from "./removal.ts";
import { Sweeper } from "./sweeps.ts";

const hour = 3600_000;
const day = 24 * hour;
let now: number;
const clock = { now: () => new Date(now) };
let server: StrictServer;
let bucket: Bucket;
let store: Store;
let objects: ObjectStore;
let blobs: Blobs;
let ann: number;
let bob: number;

beforeAll(async () => {
  server = await startStrict();
});
beforeEach(async () => {
  now = Date.UTC(2026, 0, 10, 12);
  store = await createTestStore({ clock });
  server.fault = () => undefined;
  bucket = bucketOf(server);
  objects = objectsIn(bucket);
  blobs = new Blobs({ objects, clock, cacheBytes: 0 });
  [ann, bob] = [await createTestAccount(store), await createTestAccount(store)];
});

const sweeper = (place = objects, on = store) => new Sweeper({ store: on, objects: place, log: silentLog });
/** Sweeps repeatedly, as the worker does. */
async function sweepFor(time: number, place = objects): Promise<void> {
  const one = sweeper(place);
  for (const end = now + time; now <= end; now += 8 * hour) await one.run();
}
const pack = (...texts: string[]) => Promise.all(texts.map((text) => blobs.putTogether(Buffer.from(text))));
const hold = (userId: number, ...some: StoredBlob[]) =>
  store.write(userId, "server", async (tx) => {
    for (const blob of some) await referenceBlob(tx, blob);
  });
const release = (userId: number, ...some: StoredBlob[]) =>
  store.write(userId, "server", (tx) =>
    releaseBlobs(
      tx,
      some.map(({ sha256 }) => sha256),
    ),
  );
/** What the account reads by its own reference. */
async function textOf(userId: number, { sha256 }: StoredBlob): Promise<string | undefined> {
  const found = await findBlob(store.reader(userId, "server"), sha256);
  return found && (await blobs.readObject(found)).toString();
}
const names = async (place = objects) => (await all(place.list())).map(objectName).sort();
const namesOf = (some: StoredBlob[]) => some.map(objectName).sort();
const putsOfPacks = () => server.seen.filter(({ method, key }) => method === "PUT" && key.endsWith(".pack")).length;
/** How many packs have candidates. */
const candidates = async () =>
  (await deadMembers(store.database, { lastDay: "2100-01-01", until: new Date(now + 100 * day), limit: 1000 })).size;

test("what is released is gone within 7 days, by one PUT for all of a pack; what others hold stays", async () => {
  const [one, two, shared, kept] = await pack("one", "two", "shared", "kept");
  await hold(ann, one!, two!, shared!, kept!);
  await hold(bob, shared!);
  await sweepFor(4 * day);
  const before = putsOfPacks();
  const released = now;
  await release(ann, one!, shared!);
  await sweepFor(day);
  await release(ann, two!);
  await sweepFor(3 * day);
  expect(await names()).toHaveLength(4);
  while ((await names()).length === 4) await sweepFor(0);
  expect(now - released).toBeLessThan(7 * day);
  expect(putsOfPacks() - before).toBe(1);
  expect(await textOf(bob, shared!)).toBe("shared");
  expect(await textOf(ann, kept!)).toBe("kept");
  expect(await names()).toEqual(namesOf([shared!, kept!]));
  expect(await candidates()).toBe(0);
  await release(bob, shared!);
  await removeAccount(store, ann);
  await sweepFor(7 * day);
  expect(await names()).toEqual([]);
  expect(server.buckets.get(bucket.name)!.size).toBe(1);
});

test("two packs of a day that hold the same body are two bodies: each goes when its own last reference does", async () => {
  const [first] = await pack("same", "filler");
  const [second] = await pack("same", "other filler");
  expect(objectName(first!)).not.toBe(objectName(second!));
  await hold(ann, first!);
  await hold(bob, second!);
  await sweepFor(4 * day);
  await release(ann, first!);
  await sweepFor(7 * day);
  expect(await names()).toEqual([objectName(second!)]);
  expect(await textOf(bob, second!)).toBe("same");
  await release(bob, second!);
  await sweepFor(7 * day);
  expect(await names()).toEqual([]);
});

test("members that nobody refers to go once their day has settled, but not those of incoming messages", async () => {
  const [orphan, waiting, held] = await pack("orphan", "waiting", "held");
  await hold(ann, held!);
  await store.database.run(
    unprepared(`INSERT INTO incoming (id, created_at, sha256, day, size, pack, mail_from, recipients, leased_by, leased_until)
      VALUES (1, now(), $1, $2, 7, $3, '', '[]', '', now())`),
    [waiting!.sha256, waiting!.day, waiting!.pack],
  );
  await sweepFor(2 * day + 8 * hour);
  expect(await names()).toEqual(namesOf([orphan!, waiting!, held!]));
  await sweepFor(8 * hour);
  expect(await names()).toEqual(namesOf([waiting!, held!]));
});

test("a released reference that is revived keeps its member, also when the row was not dropped in time", async () => {
  const [one, two, three] = await pack("one", "two", "three");
  await hold(ann, one!, two!, three!);
  await sweepFor(4 * day);
  await release(ann, one!, two!);
  now += 20 * hour;
  // Comes in again, in another pack.
  const [again] = await pack("one", "filler");
  await hold(ann, again!);
  await sweepFor(8 * day);
  expect(await textOf(ann, one!)).toBe("one");
  expect(await names()).toEqual(namesOf([one!, three!]));

  // A sweep that marked the reference and died before it dropped it, long ago.
  await release(ann, three!);
  now += 2 * day;
  const dying = sweeper(objects, {
    ...store,
    clock,
    database: store.database,
    write: () => Promise.reject(new Error("killed")),
  } as never);
  await dying.dropReleased();
  expect(await candidates()).toBe(1);
  now += 8 * day;
  await hold(ann, three!);
  await sweepFor(8 * day);
  expect(await textOf(ann, three!)).toBe("three");
});

test("a reference that is revived while its pack is written again stays readable", async () => {
  const [dead, revived, ...others] = await pack("dead", "revived", "x", "y");
  await hold(ann, dead!, revived!, ...others);
  await sweepFor(4 * day);
  await release(ann, dead!);
  await sweepFor(5 * day + 20 * hour);
  await release(ann, revived!);
  now += 10 * hour;
  let revivals = 0;
  server.fault = ({ method, key }) => {
    if (key.endsWith(".pack") && (method === "GET" || method === "PUT") && revivals++ < 2) void hold(ann, revived!);
    return undefined;
  };
  expect(await sweeper().compactPacks()).toBe(1);
  expect(revivals).toBeGreaterThan(1);
  expect(await textOf(ann, revived!)).toBe("revived");
  await sweepFor(8 * day);
  expect(await textOf(ann, revived!)).toBe("revived");
});

test("killed between any two steps, a sweep loses nothing, and the next ones finish its work", async () => {
  let steps = 0;
  for (let killedAt = 0; killedAt <= steps; killedAt++) {
    for (const isDone of [false, true]) {
      const nth = `${killedAt} ${isDone}`;
      const [dead, kept] = await pack(`dead ${nth}`, `kept ${nth}`);
      await hold(ann, dead!, kept!);
      now += 4 * day;
      // So that the day of these is not looked at again.
      await sweeper().removeOrphans();
      const [orphan] = await pack(`orphan ${nth}`, `another ${nth}`);
      await release(ann, dead!);
      steps = Math.max(steps, await untilKilled(killedAt, isDone));
      expect(await textOf(ann, kept!)).toBe(`kept ${nth}`);
      await sweepOnceForAll(sweeper());
      expect(await textOf(ann, kept!)).toBe(`kept ${nth}`);
      const left = await names();
      expect(left).toContain(objectName(kept!));
      for (const gone of [dead!, orphan!]) expect(left).not.toContain(objectName(gone));
      expect(await candidates()).toBe(0);
    }
  }
  expect(steps).toBeGreaterThan(8);
});

/** All that has to be done about bodies that were released, and those that nobody refers to. */
async function sweepOnceForAll(one: Sweeper): Promise<void> {
  now += 2 * day;
  await one.dropReleased();
  now += 6 * day;
  await one.compactPacks();
  await one.removeOrphans();
}

/** A sweep that is killed before or after its step `killedAt`; returns how many it took. */
async function untilKilled(killedAt: number, isDone: boolean): Promise<number> {
  let taken = 0;
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    const nth = taken++;
    if (nth > killedAt || (nth === killedAt && !isDone)) throw new Error("killed");
    const result = await work();
    if (nth === killedAt) throw new Error("killed");
    return result;
  };
  /** Each call of these methods is a step. */
  const mortal = <T extends object>(target: T, methods: string[]): T =>
    new Proxy(target, {
      get(whole, name) {
        const value = Reflect.get(whole, name) as unknown;
        if (typeof value !== "function") return value;
        const bound = (...args: unknown[]) => (value as (...all: unknown[]) => Promise<unknown>).apply(whole, args);
        return methods.includes(String(name)) ? (...args: unknown[]) => step(() => bound(...args)) : bound;
      },
    });
  const database = mortal(store.database, ["run", "count"]);
  const on = new Proxy(mortal(store, ["write"]), {
    get: (whole, name) => (name === "database" ? database : Reflect.get(whole, name)),
  });
  await sweepOnceForAll(sweeper(mortal(objects, ["remove"]), on)).catch((error: Error) =>
    expect(error.message).toBe("killed"),
  );
  return taken;
}

test("two workers that sweep at once, and a reader: what is held is always read, and what is dead goes", async () => {
  const texts = Array.from({ length: 40 }, (_, index) => `text ${index}`);
  const some = await pack(...texts);
  await hold(ann, ...some);
  await sweepFor(4 * day);
  const dead = some.slice(0, 30);
  const left = some.slice(30);
  let isDone = false;
  const read = async () => {
    while (!isDone) for (const blob of left) expect(await textOf(ann, blob)).toBe(texts[some.indexOf(blob)]);
  };
  const reading = read();
  for (let start = 0; start < 30; start += 10) {
    await release(ann, ...dead.slice(start, start + 10));
    now += 25 * hour;
    await Promise.all([sweeper().run(), sweeper().run()]);
  }
  for (let runs = 0; runs < 8; runs++, now += day) await Promise.all([sweeper().run(), sweeper().run()]);
  isDone = true;
  await reading;
  expect(await names()).toEqual(namesOf(left));
  expect(await candidates()).toBe(0);
});

test("doctor knows members: held, pending, missing, and those that no sweep removed", async () => {
  const doctor = () => examine({ store, objects, log: silentLog, progress: () => {} });
  const [held, lost] = await pack("held", "lost", "orphan");
  await hold(ann, held!, lost!);
  expect(await doctor()).toMatchObject({ findings: [], objects: { held: 2, pending: 1 } });
  await objects.remove([lost!]);
  const missing = { accountId: ann, problem: `the object ${objectName(lost!)} is missing` };
  expect(await doctor()).toMatchObject({ findings: [missing], objects: { held: 1, pending: 1 } });
  await release(ann, lost!);
  await sweepFor(8 * day);
  expect(await doctor()).toMatchObject({ findings: [], objects: { held: 1, pending: 0 } });
  await pack("never referred to", "filler");
  now += 10 * day;
  await store.database.run(unprepared("UPDATE setting SET value = '2026-03-01' WHERE name = 'objects_examined'"), []);
  const { findings } = await doctor();
  expect(findings.map(({ problem }) => problem)).toEqual([expect.stringMatching(/^2 objects that nothing refers to/)]);
});

test("a damaged pack keeps no others from being examined, and doctor names it", async () => {
  const [broken, whole] = [await pack("a", "b"), await pack("c", "d")];
  const alone = await blobs.put(Buffer.from("e"));
  await hold(ann, whole[0]!);
  const id = broken[0]!.pack!.toString("hex", 0, 16);
  const [name, stored] = [...server.buckets.get(bucket.name)!].find(([key]) => key.includes(id))!;
  stored.bytes[50]! ^= 1;
  now += 4 * day;
  expect(await sweeper().removeOrphans()).toBe(2);
  expect(await objects.exists(alone)).toBe(false);
  expect(await textOf(ann, whole[0]!)).toBe("c");
  // The day is done.
  expect(await sweeper().removeOrphans()).toBe(0);
  const { findings, objects: tally } = await examine({ store, objects, log: silentLog, progress: () => {} });
  expect(findings).toEqual([{ problem: `the pack ${name} is damaged` }]);
  expect(tally.held).toBe(1);
});

test("bodies of packs are copied to the disk and back, each under its own name, while sweeps run", async () => {
  const folder = await mkdtemp(join(tmpdir(), "unpacked-"));
  afterwards(() => rm(folder, { recursive: true }));
  const disk = new DiskObjects({ folder, clock, random: randomBytes });
  const [first, other] = await pack("same", "other");
  const [second] = await pack("same", "filler");
  await hold(ann, first!, other!);
  await hold(bob, second!);
  await sweepFor(4 * day);
  const tell = () => {};
  const both = new TwoPlaces(disk, objects);
  blobs = new Blobs({ objects: both, clock, cacheBytes: 0 });
  expect(await copyObjects({ from: objects, to: disk, isDryRun: false, tell })).toMatchObject({
    copied: { objects: 3 },
  });
  expect(await names(disk)).toEqual(await names(objects));
  expect(await names(both)).toEqual(await names(disk));
  await release(ann, first!);
  await sweepFor(8 * day, both);
  expect([await textOf(bob, second!), await textOf(ann, other!)]).toEqual(["same", "other"]);
  expect(await names(disk)).toEqual(namesOf([second!, other!]));
  expect(await names(objects)).toEqual(await names(disk));

  const empty = objectsIn(bucketOf(server));
  expect(await copyObjects({ from: disk, to: empty, isDryRun: false, tell })).toMatchObject({ copied: { objects: 2 } });
  blobs = new Blobs({ objects: empty, clock, cacheBytes: 0 });
  expect([await textOf(bob, second!), await textOf(ann, other!)]).toEqual(["same", "other"]);
  expect(await names(empty)).toEqual(await names(disk));
  await release(ann, other!);
  await sweepFor(8 * day, empty);
  expect(await names(empty)).toEqual([objectName(second!)]);
});
