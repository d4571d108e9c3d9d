import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { all } from "../../test/support/contracts/object-store.ts";
import { startStrict } from "../../test/support/s3/bucket.ts";
import { bucketOf, region } from "../../test/support/s3/place.ts";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { sha256Of } from "../store/blobs/blob-id.ts";
import { DiskObjects } from "../store/blobs/objects/disk.ts";
import { listedBodies, pieceBytes, restoreBody, saveBodies } from "./bodies.ts";
import { BackupKey } from "./key.ts";
import type { Manifest } from "./manifest.ts";
import { FolderPlace } from "./places/folder.ts";
import type { Place } from "./places/place.ts";
import { S3Place } from "./places/s3.ts";
import { pruneBackups } from "./prune.ts";
import { Repository } from "./repository.ts";
import { verifyBackups } from "./verify.ts";

const root = await mkdtemp(join(tmpdir(), "backup-repository-"));
afterAll(() => rm(root, { recursive: true }));
const folder = () => join(root, randomBytes(6).toString("hex"));

async function inS3(): Promise<Place> {
  const { endpoint, name: bucket, accessKey, secretKey } = bucketOf(await startStrict());
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const service = { endpoint, region, isPathStyle: true, ca: undefined, credentials, log: silentLog };
  return new S3Place({ ...service, bucket, prefix: "backup/", encryption: undefined });
}

const key = new BackupKey(randomBytes(32));
const tell = () => {};

describe.each([
  ["a folder", async () => new FolderPlace(folder(), randomBytes)],
  ["S3", inS3],
])("in %s", (_, make) => {
  let place: Place;
  let repository: Repository;
  beforeEach(async () => {
    place = await make();
    repository = await Repository.open(place, key, { clock: systemClock, random: randomBytes, begins: true });
  });

  test("files are put, listed in order, read and removed", async () => {
    for (const name of ["bodies/2/b", "bodies/1/a", "backups/x/manifest"]) await place.put(name, Buffer.from(name));
    await place.settle();
    const names = async (prefix: string) => (await all(place.list(prefix))).map(({ name }) => name);
    expect(await names("bodies/")).toEqual(["bodies/1/a", "bodies/2/b"]);
    expect(await names("bodies/1/")).toEqual(["bodies/1/a"]);
    expect(await names("none/")).toEqual([]);
    expect((await place.get("bodies/1/a"))?.toString()).toBe("bodies/1/a");
    expect(await place.size("bodies/1/a")).toBe(10);
    expect(await place.put("bodies/1/a", Buffer.from("other"), { isNew: true })).toBe(false);
    await place.remove("bodies/1/a");
    await place.remove("bodies/1/a");
    expect(await place.get("bodies/1/a")).toBeUndefined();
    expect(await place.size("bodies/1/a")).toBeUndefined();
    expect(await names("bodies/")).toEqual(["bodies/2/b"]);
  });

  test("it is opened with its own key alone, and only where it is", async () => {
    const surroundings = { clock: systemClock, random: randomBytes };
    expect((await Repository.open(place, key, surroundings)).id).toBe(repository.id);
    const other = new BackupKey(randomBytes(32));
    await expect(Repository.open(place, other, surroundings)).rejects.toThrow(/the key is not the one of the backup/);
    await expect(Repository.open(await make(), key, surroundings)).rejects.toThrow("there is no backup in");
    const head = (await place.get("posthorn-backup"))!;
    await place.put("posthorn-backup", Buffer.from(head.toString().replace(repository.id, "0".repeat(16))));
    await expect(Repository.open(place, key, surroundings)).rejects.toThrow("posthorn-backup is not as it was written");
  });

  test("one process works on it at a time; the lock of a dead one is taken over", async () => {
    const as = (name: string, gone: string[] = [], now = Date.now()) =>
      Repository.open(place, key, {
        clock: { now: () => new Date(now) },
        random: randomBytes,
        holder: { name, isGone: (other) => gone.includes(other) },
      });
    const [one, two, three, late] = [
      await as("one"),
      await as("two"),
      await as("three", ["one"]),
      await as("late", [], Date.now() + 3600_000),
    ];
    await one.locked(async () => {
      await expect(two.locked(async () => {})).rejects.toThrow("another posthorn works on the backup");
      expect(await three.locked(async () => "taken")).toBe("taken");
    });
    await place.put("lock", Buffer.from(JSON.stringify({ by: "one", at: new Date().toISOString() })));
    expect(await late.locked(async () => "taken")).toBe("taken");
    expect(await two.locked(async () => "free")).toBe("free");
  });

  test("bodies are saved once, listed by day, verified, restored and pruned", async () => {
    const disk = () => new DiskObjects({ folder: folder(), clock: systemClock, random: randomBytes });
    const objects = disk();
    const day = "2026-01-02";
    const put = async (bytes: Buffer) => {
      const object = { day, sha256: sha256Of(bytes), size: bytes.length, pack: null };
      await objects.put(object, bytes);
      return object;
    };
    const small = await put(Buffer.from("a mail"));
    const large = await put(randomBytes(pieceBytes + 10));
    const backup = async (id: string): Promise<Manifest> => {
      const { added } = await saveBodies({ repository, objects, manifest: { id }, days: [day], isDryRun: false, tell });
      const until = `${id}T00:00:00.000Z`;
      const manifest = { id, kind: "bodies" as const, until, version: "1", follows: null, days: [day], added };
      await repository.put(`backups/${id}/manifest`, Buffer.from(JSON.stringify(manifest)));
      return manifest;
    };
    const first = await backup("2026-01-03");
    expect(first.added).toEqual({ objects: 2, bytes: small.size + large.size });
    expect((await backup("2026-01-04")).added.objects).toBe(0);
    const files = await all(place.list("bodies/"));
    expect(files.length).toBe(3);
    expect(files.some(({ name }) => name.includes(small.sha256.toString("hex")))).toBe(false);

    await objects.remove([large]);
    const last = await backup("2026-01-05");
    expect((await listedBodies(repository, last, day)).length).toBe(1);
    expect(await verifyBackups(repository, await repository.backups(), tell)).toEqual({ files: 6, faults: [] });

    const there = disk();
    expect(await restoreBody(repository, large, there)).toBe(true);
    expect(sha256Of((await there.read(large))!)).toEqual(large.sha256);
    expect(await restoreBody(repository, { ...small, day: "2026-01-01" }, there)).toBe(false);

    const prune = (since: string, isDryRun = false) =>
      pruneBackups({ repository, since: new Date(since), isDryRun, tell });
    expect(await prune("2026-01-04T12:00:00Z", true)).toEqual({ backups: ["2026-01-03"], bodies: 0 });
    expect(await prune("2026-01-05T12:00:00Z")).toEqual({ backups: ["2026-01-03", "2026-01-04"], bodies: 2 });
    expect(await verifyBackups(repository, await repository.backups(), tell)).toEqual({ files: 2, faults: [] });
    expect((await all(place.list("bodies/"))).length).toBe(1);
  });

  test("a body that does not match its hash is named, and not saved", async () => {
    const objects = new DiskObjects({ folder: folder(), clock: systemClock, random: randomBytes });
    const object = { day: "2026-01-02", sha256: sha256Of(Buffer.from("a mail")), size: 5, pack: null };
    await objects.put(object, Buffer.from("other"));
    const days = [object.day];
    const saved = await saveBodies({ repository, objects, manifest: { id: "1" }, days, isDryRun: false, tell });
    expect(saved).toMatchObject({ added: { objects: 0 }, damaged: [expect.stringContaining(object.day)] });
    expect(await all(place.list("bodies/"))).toEqual([]);
  });
});

test("a folder keeps nothing of writes that were cut off", async () => {
  const path = folder();
  const place = new FolderPlace(path, randomBytes);
  await place.put("a/b", Buffer.from("x"));
  await place.remove("a/b");
  expect(await readdir(path)).toEqual([]);
});
