import { randomBytes } from "node:crypto";
import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { silentLog } from "../../base/log.ts";
import { Ingest } from "../../mail/deliver/ingest.ts";
import { prepareMessage } from "../../mail/deliver/prepare.ts";
import { Blobs } from "../blobs/blobs.ts";
import { DiskObjects } from "../blobs/objects/disk.ts";
import { objectName } from "../blobs/objects/object-store.ts";
import { unprepared } from "../core/sql.ts";
import { Store } from "../core/store.ts";
import { IncomingRows } from "../queues/incoming.ts";
import { accountIds } from "./accounts.ts";
import { markDead } from "./dead-objects.ts";
import { examine, examineAccount } from "./doctor.ts";
import { Sweeper } from "./sweeps.ts";

const store = await createTestStore();
let folder: string;
let blobs: Blobs;
const options = () => ({ store, objects: blobs.objects, log: silentLog, progress: () => {} });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "doctor-"));
  const objects = new DiskObjects({ folder, clock: store.clock, random: randomBytes });
  blobs = new Blobs({ objects, clock: store.clock, cacheBytes: 0 });
});
afterAll(() => rm(folder, { recursive: true }));

/** An account with a thread of emails: read, unread, a draft, in several mailboxes, one with long search terms. */
async function setUp(): Promise<number> {
  const userId = await createTestAccount(store);
  const ingest = new Ingest(store);
  const add = async (id: string, role: "inbox" | "junk" | "sent", keywords: string[], body = id) => {
    const text = `Message-ID: <${id}.${userId}@x>\r\nReferences: <root.${userId}@x>\r\nSubject: Talk\r\n\r\n${body}`;
    const blob = await blobs.put(Buffer.from(text));
    const prepared = prepareMessage(Buffer.from(text));
    await ingest.add(userId, { blob, prepared, target: { role }, keywords, receivedAt: store.clock.now() });
  };
  await add("a", "inbox", ["$seen", "$flagged"]);
  await add("b", "inbox", ["work"]);
  await add("c", "sent", ["$draft"]);
  await add("d", "junk", []);
  // The search terms of this email fill several rows.
  await add("e", "junk", [], "again ".repeat(20) + Array.from({ length: 600 }, (_, n) => `again ${n}`).join(" "));
  return userId;
}

test("an intact account has no findings", async () => {
  const userId = await setUp();
  expect(await examineAccount(options(), userId)).toEqual([]);
});

test.each([
  ["UPDATE mailbox SET unread_threads = 7 WHERE user_id = $1 AND role = 'inbox'", /unread_threads is stored as 7/],
  ["UPDATE mailbox SET total_emails = 9 WHERE user_id = $1 AND role = 'sent'", /total_emails is stored as 9/],
  ["UPDATE email_mailbox SET head = NOT head WHERE user_id = $1", /wrong heads/],
  [
    "UPDATE email SET mailbox_ids = mailbox_ids || 99::bigint WHERE user_id = $1",
    /mailboxes differ between two tables/,
  ],
  ["UPDATE email_mailbox SET seen = NOT seen WHERE user_id = $1", /differ from their email/],
  ["DELETE FROM email_keyword WHERE user_id = $1 AND keyword = 'work'", /1 emails whose keywords/],
  ["DELETE FROM message WHERE user_id = $1", /5 emails without their message/],
  ["UPDATE search SET terms = '' WHERE user_id = $1", /4 messages whose search terms are missing/],
  [
    "DELETE FROM search_part WHERE user_id = $1 AND part = 0",
    /1 messages whose search terms are missing or incomplete/,
  ],
  ["DELETE FROM search_part WHERE user_id = $1", /messages whose search terms are missing/],
  ["UPDATE blob_ref SET released_at = now() WHERE user_id = $1", /5 messages without a reference/],
  ["DELETE FROM mailbox WHERE user_id = $1 AND role = 'inbox'", /2 emails in a mailbox that does not exist/],
  ["UPDATE account SET used = used - 1 WHERE user_id = $1", /1 account with a wrong stored use of storage/],
  ["UPDATE blob_ref SET day = '2001-02-03' WHERE user_id = $1", /the object 2001-02-03\/[0-9a-f]{64} is missing/],
])("damage is found: %s", async (damage, expected) => {
  const userId = await setUp();
  await store.database.run(unprepared(damage), [userId]);
  const findings = await examineAccount(options(), userId);
  expect(findings.map(({ problem }) => problem).join("\n")).toMatch(expected);
  await store.database.run(unprepared("DELETE FROM account WHERE user_id = $1"), [userId]);
});

test("an object whose size differs from its reference is reported", async () => {
  const userId = await setUp();
  const blob = await blobs.put(Buffer.from("whole"));
  await store.write(userId, "server", (tx) => blobs.reference(tx, blob));
  expect(await examineAccount(options(), userId)).toEqual([]);
  await truncate(join(folder, objectName(blob)), 0);
  const problem = `the object ${objectName(blob)} has 0 bytes instead of 5`;
  expect((await examine(options())).findings).toEqual([{ accountId: userId, problem }]);
  await store.database.run(unprepared("DELETE FROM blob_ref WHERE user_id = $1 AND sha256 = $2"), [
    userId,
    blob.sha256,
  ]);
});

test("the missing object of an incoming message is reported", async () => {
  const blob = { day: "2020-01-02", sha256: randomBytes(32), size: 9 };
  const lease = { holder: "test", until: store.clock.now() };
  const row = { id: 1, createdAt: store.clock.now(), blob, mailFrom: "", recipients: [], attempts: 0, failures: 0 };
  const message = { ...row, junkReason: null, unscanned: false, spam: null, authentication: null };
  const rows = new IncomingRows(store.database);
  await rows.insert(message, lease);
  const problem = `the object ${objectName(blob)} is missing (an incoming message)`;
  expect((await examine(options())).findings).toEqual([{ problem }]);
  await rows.remove(message.id);
});

const day = 24 * 3600_000;
const dayBefore = (days: number) => new Date(Date.now() - days * day).toISOString().slice(0, 10);
const putOn = async (name: string) => {
  const key = { day: name, sha256: randomBytes(32) };
  await blobs.objects.put(key, Buffer.from("loose"));
  return key;
};

const sweeperAt = (time: number) => new Sweeper({ ...options(), store: storeAt(time) });
const storeAt = (time: number) =>
  new Store({ database: store.database, clock: { now: () => new Date(time) }, log: silentLog });
const problemsAt = async (time: number) =>
  (await examine({ ...options(), store: storeAt(time) })).findings.map(({ problem }) => problem);

test("objects are counted as held or pending, and one that a sweep missed is a finding", async () => {
  const before = (await examine(options())).objects;
  await setUp();
  await blobs.put(Buffer.from("young"));
  await putOn(dayBefore(2));
  expect(await examine(options())).toEqual({
    findings: [],
    objects: { held: before.held + 5, pending: before.pending + 2 },
    oldTerms: 0,
  });
  await putOn(dayBefore(4));
  await sweeperAt(Date.now()).run();
  const old = await putOn(dayBefore(5));
  const { findings, objects } = await examine(options());
  const problem = `1 objects that nothing refers to and no sweep removed (for example, ${objectName(old)})`;
  expect(findings).toEqual([{ problem }]);
  expect(objects).toEqual({ held: before.held + 5, pending: before.pending + 2 });
  // An account released it: overdue once the grace period has passed, and not before.
  await markDead(store.database, [old], new Date(Date.now() - 3 * day));
  expect((await examine(options())).findings).toEqual([{ problem }]);
  await markDead(store.database, [old], new Date(Date.now() - day));
  expect((await examine(options())).findings).toEqual([]);
  await blobs.objects.remove([old]);
});

test("after a downtime nothing is overdue until the sweeps have caught up, which takes one run", async () => {
  const start = Date.parse(dayBefore(0)) - 12 * 3600_000;
  const later = start + 9 * day;
  await sweeperAt(start).run();
  const keys = await Promise.all([2, 1, 0].map((days) => putOn(dayBefore(days))));
  const died = await putOn(dayBefore(4));
  await markDead(store.database, [died], new Date(start));
  expect(await problemsAt(later)).toEqual([]);
  await sweeperAt(later).run();
  for (const key of [...keys, died]) expect(await blobs.objects.exists(key)).toBe(false);
  expect(await problemsAt(later)).toEqual([]);
});

test("progress names the account and the number of bodies", async () => {
  const userId = await setUp();
  await store.write(userId, "server", async (tx) => {
    for (let count = 0; count < 130; count++) await blobs.reference(tx, await blobs.put(randomBytes(20)));
  });
  const told: string[] = [];
  await examine({ ...options(), progress: (text) => told.push(text) });
  const accounts = (await accountIds(store.database)).length;
  const place = `account ${accounts} of ${accounts}`;
  expect(told).toEqual(
    expect.arrayContaining([`account 1 of ${accounts}: counts and rows`, `${place}: 64 of 135 bodies`]),
  );
  expect(told).toContain(`${place}: 128 of 135 bodies`);
  expect(told.at(-1)).toMatch(/^all bodies: \d{3,} seen$/);
});
