import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTestAccount, createTestStore, whereItLies } from "../../../test/support/postgres.ts";
import { silentLog } from "../../base/log.ts";
import { Ingest } from "../../mail/deliver/ingest.ts";
import { prepareMessage } from "../../mail/deliver/prepare.ts";
import { findBlob, referenceBlob, releaseBlobs } from "../blobs/blob-refs.ts";
import { Blobs, type StoredBlob } from "../blobs/blobs.ts";
import { StrangeBodies } from "../blobs/installation.ts";
import { DiskObjects } from "../blobs/objects/disk.ts";
import { unprepared } from "../core/sql.ts";
import type { Store } from "../core/store.ts";
import { attemptsOf, insertAttempts } from "../queues/attempts.ts";
import { eventsOf, StoredMailLog } from "../queues/mail-log.ts";
import { removeAccount } from "../upkeep/removal.ts";
import { accountIds } from "./accounts.ts";
import { holdBodies } from "./body-hold.ts";
import { Sweeper } from "./sweeps.ts";

const hour = 3600_000;
const day = 24 * hour;
let now: number;
const clock = { now: () => new Date(now) };
let store: Store;
let folder: string;
let blobs: Blobs;
let sweeper: Sweeper;

beforeEach(async () => {
  now = Date.UTC(2026, 0, 10, 12);
  store = await createTestStore({ clock });
  folder = await mkdtemp(join(tmpdir(), "sweeps-"));
  const objects = new DiskObjects({ folder, clock, random: randomBytes });
  blobs = new Blobs({ objects, clock, cacheBytes: 0 });
  sweeper = new Sweeper({ store, objects, log: silentLog, limit: 3 });
});
afterEach(() => rm(folder, { recursive: true }));

const put = (text: string) => blobs.put(Buffer.from(text));
const there = (blob: StoredBlob) => blobs.objects.exists(blob);
const reference = (userId: number, blob: StoredBlob, expiresAt?: Date) =>
  store.write(userId, "server", (tx) => referenceBlob(tx, blob, expiresAt ? { expiresAt } : {}));

/** Sweeps repeatedly, as the worker does. */
async function sweepFor(time: number): Promise<void> {
  for (const end = now + time; now <= end; now += 2 * hour) await sweeper.run();
}

test("an unused upload is removed, and one that a message uses is kept", async () => {
  const userId = await createTestAccount(store);
  const expiresAt = new Date(now + hour);
  const [dropped, used] = [await put("dropped"), await put("Subject: used\r\n\r\nText")];
  await reference(userId, dropped, expiresAt);
  await reference(userId, used, expiresAt);
  const prepared = prepareMessage(await blobs.readObject(used));
  await new Ingest(store).add(userId, {
    blob: used,
    prepared,
    target: { role: "inbox" },
    keywords: [],
    receivedAt: clock.now(),
  });

  await sweeper.run();
  expect(await findBlob(store.reader(userId, "server"), dropped.sha256)).toBeDefined();
  now += hour;
  await sweeper.run();
  expect(await findBlob(store.reader(userId, "server"), dropped.sha256)).toBeUndefined();
  expect(await findBlob(store.reader(userId, "server"), used.sha256)).toBeDefined();
  expect(await there(dropped)).toBe(true);
  await sweepFor(4 * day);
  expect(await there(dropped)).toBe(false);
  expect(await there(used)).toBe(true);
});

test("what a sweep could not do in an account does not count", async () => {
  const [well, broken] = [await createTestAccount(store), await createTestAccount(store)];
  const blob = await put("upload");
  for (const userId of [well, broken]) await reference(userId, blob, new Date(now));
  const refusal = `CHECK (user_id <> ${broken} OR released_at IS NULL)`;
  await whereItLies(store.database, "blob_ref", [`ALTER TABLE %s ADD CONSTRAINT planted ${refusal}`]);
  expect(await sweeper.run()).toMatchObject({ uploads: 1 });
});

test("an object is removed once the last account has released it, and not before", async () => {
  const [ann, bob] = [await createTestAccount(store), await createTestAccount(store)];
  const blob = await put("shared");
  await reference(ann, blob);
  await reference(bob, blob);
  await sweepFor(5 * day);
  await store.write(ann, "server", (tx) => releaseBlobs(tx, [blob.sha256]));
  await sweepFor(3 * day);
  expect(await there(blob)).toBe(true);
  expect(await findBlob(store.reader(bob, "server"), blob.sha256)).toBeDefined();
  await store.write(bob, "server", (tx) => releaseBlobs(tx, [blob.sha256]));
  await sweepFor(day - 3 * hour);
  expect(await there(blob)).toBe(true);
  await sweepFor(6 * hour);
  expect(await there(blob)).toBe(false);
});

test("a reference revived within the day keeps its object", async () => {
  const userId = await createTestAccount(store);
  const blob = await put("revived");
  await reference(userId, blob);
  await sweepFor(5 * day);
  await store.write(userId, "server", (tx) => releaseBlobs(tx, [blob.sha256]));
  await sweepFor(20 * hour);
  await reference(userId, await put("revived"));
  await sweepFor(5 * day);
  expect(await there(blob)).toBe(true);
  expect(await findBlob(store.reader(userId, "server"), blob.sha256)).toEqual(blob);
  // The second copy of the same bytes, written on a later day, had no reference.
  expect(await blobs.objects.days()).toHaveLength(2);
});

test("unreferenced objects are removed once their day has settled, but not those of incoming messages", async () => {
  const [orphan, waiting] = [await put("orphan"), await put("waiting")];
  await store.database.run(
    unprepared(`INSERT INTO incoming (id, created_at, sha256, day, size, mail_from, recipients, leased_by, leased_until)
      VALUES (1, now(), $1, $2, 1, '', '[]', '', now())`),
    [waiting.sha256, waiting.day],
  );
  await sweepFor(2 * day + 10 * hour);
  expect(await there(orphan)).toBe(true);
  await sweepFor(6 * hour);
  expect(await there(orphan)).toBe(false);
  expect(await there(waiting)).toBe(true);
});

test("the objects of a removed account are removed unless another account holds them", async () => {
  const [ann, bob] = [await createTestAccount(store), await createTestAccount(store)];
  const [own, shared] = [await put("own"), await put("both")];
  for (const blob of [own, shared]) await reference(ann, blob);
  await reference(bob, shared);
  await sweepFor(5 * day);
  await removeAccount(store, ann);
  expect(await accountIds(store.database)).toEqual([bob]);
  await sweepFor(6 * hour);
  expect(await there(own)).toBe(false);
  expect(await there(shared)).toBe(true);
});

test("pruning removes old changes but the newest of each type, and leaves the states unchanged", async () => {
  const userId = await createTestAccount(store);
  const other = await createTestAccount(store);
  for (let count = 0; count < 5; count++) {
    await store.write(userId, "server", async (tx) => tx.changed({ type: "Email", id: 7, kind: 4 }));
  }
  const before = await store.reader(userId, "server").standing();
  const rows = async () =>
    (
      await store.database.run(
        unprepared<{ count: number }>("SELECT count(*) AS count FROM change WHERE user_id = $1 AND type = 3"),
        [userId],
      )
    )[0]!.count;
  await sweeper.run();
  expect(await rows()).toBe(5);
  now += 31 * day;
  await store.write(other, "server", async (tx) => tx.changed({ type: "Email", id: 7, kind: 4 }));
  await sweeper.run();
  expect(await rows()).toBe(1);
  const after = await store.reader(userId, "server").standing();
  expect(after.newest).toEqual(before.newest);
  expect(after.prunedModseq).toBe(before.newest.Email - 1);
  await store.write(userId, "server", async (tx) => tx.changed({ type: "Email", id: 7, kind: 4 }));
  await sweeper.run();
  expect(await rows()).toBe(1);
});

test("steps of mails and attempts to send them go when their time is over", async () => {
  const userId = await createTestAccount(store);
  const attempt = { no: 0, attempt: 1, server: 0, mailId: 5, milliseconds: 1, mailFrom: "", recipients: ["a@b.test"] };
  const ended = {
    host: null,
    address: null,
    tls: null,
    outcome: "failed",
    reply: "550",
    error: "route",
    transcript: "",
  } as const;
  const mailLog = new StoredMailLog({ database: store.database, clock, log: silentLog });
  const attempts = async () =>
    (await attemptsOf(store.reader(userId, "server"), [1, 2])).map(({ submissionId }) => submissionId);
  const steps = async () => (await eventsOf(store.database, [5])).map(({ event }) => event);
  for (const [submissionId, event] of [
    [1, "first"],
    [2, "second"],
  ] as const) {
    const rows = [{ submissionId, at: clock.now(), ...attempt, ...ended }];
    await store.write(userId, "server", async (tx) => insertAttempts(tx, rows));
    mailLog.tell(event, { id: 5 });
    await mailLog.flush();
    now += 20 * day;
  }
  expect([await attempts(), await steps()]).toEqual([
    [1, 2],
    ["first", "second"],
  ]);
  await sweeper.run();
  expect([await attempts(), await steps()]).toEqual([[2], ["second"]]);
});

test("bodies that belong to another database are left alone, however old", async () => {
  await sweeper.run();
  const old = await put("of the other database");
  now += 10 * day;
  const other = await createTestStore({ clock });
  const strange = new Sweeper({ store: other, objects: blobs.objects, log: silentLog });
  await expect(strange.run()).rejects.toThrow(StrangeBodies);
  expect(await there(old)).toBe(true);
  await sweeper.run();
  expect(await there(old)).toBe(false);
});

test("what exceeds the limit of one run is left to the next", async () => {
  const accounts: number[] = [];
  for (let count = 0; count < 5; count++) accounts.push(await createTestAccount(store));
  const uploads = await Promise.all(accounts.map((userId) => put(`upload ${userId}`)));
  for (const [index, userId] of accounts.entries()) await reference(userId, uploads[index]!, new Date(now));
  expect(await sweeper.releaseExpired()).toBe(3);
  expect(await sweeper.releaseExpired()).toBe(2);
  expect(await sweeper.releaseExpired()).toBe(0);
});

test("while bodies are held for a backup none is removed, and all else goes on", async () => {
  const userId = await createTestAccount(store);
  const blob = await put("released");
  await reference(userId, blob);
  const orphan = await put("orphan");
  await store.write(userId, "server", (tx) => releaseBlobs(tx, [blob.sha256]));
  now += 4 * day;
  await holdBodies(store, "backup", async () => {
    await sweeper.run();
    expect([await there(blob), await there(orphan)]).toEqual([true, true]);
    expect(await findBlob(store.reader(userId, "server"), blob.sha256)).toBeUndefined();
  });
  await sweepFor(4 * hour);
  expect([await there(blob), await there(orphan)]).toEqual([false, false]);
});
