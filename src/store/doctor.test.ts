import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestAccount, createTestStore } from "../../test/support/postgres.ts";
import { silentLog } from "../base/log.ts";
import { Ingest } from "../mail/ingest.ts";
import { prepareMessage } from "../mail/prepare.ts";
import { Blobs } from "./blobs.ts";
import { examine, examineAccount } from "./doctor.ts";
import { DiskObjects } from "./objects/disk.ts";
import { unprepared } from "./sql.ts";

const store = await createTestStore();
let folder: string;
let blobs: Blobs;
const options = () => ({ store, objects: blobs.objects, log: silentLog, progress: () => {} });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "doctor-"));
  const objects = new DiskObjects({ folder, clock: store.clock, random: randomBytes });
  blobs = new Blobs({ objects, clock: store.clock, random: randomBytes, cacheBytes: 0 });
});
afterAll(() => rm(folder, { recursive: true }));

/** An account with a thread of three, one of them draft, one seen, one elsewhere. */
async function setUp(): Promise<number> {
  const userId = await createTestAccount(store);
  const ingest = new Ingest(store);
  const add = async (id: string, role: "inbox" | "junk" | "sent", keywords: string[]) => {
    const text = `Message-ID: <${id}.${userId}@x>\r\nReferences: <root.${userId}@x>\r\nSubject: Talk\r\n\r\n${id}`;
    const blob = await blobs.put(Buffer.from(text));
    const prepared = prepareMessage(Buffer.from(text));
    await ingest.add(userId, { blob, prepared, target: { role }, keywords, receivedAt: store.clock.now() });
  };
  await add("a", "inbox", ["$seen", "$flagged"]);
  await add("b", "inbox", ["work"]);
  await add("c", "sent", ["$draft"]);
  await add("d", "junk", []);
  return userId;
}

test("a sound account has no findings", async () => {
  const userId = await setUp();
  expect(await examineAccount(options(), userId)).toEqual([]);
});

test.each([
  ["UPDATE mailbox SET unread_threads = 7 WHERE user_id = $1 AND role = 'inbox'", /unread_threads is kept as 7/],
  ["UPDATE mailbox SET total_emails = 9 WHERE user_id = $1 AND role = 'sent'", /total_emails is kept as 9/],
  ["UPDATE email_mailbox SET head = NOT head WHERE user_id = $1", /wrong heads/],
  ["UPDATE email SET mailbox_ids = mailbox_ids || 99::bigint WHERE user_id = $1", /kept differently in two places/],
  ["UPDATE email_mailbox SET seen = NOT seen WHERE user_id = $1", /differ from the email/],
  ["DELETE FROM email_keyword WHERE user_id = $1 AND keyword = 'work'", /1 emails whose keywords/],
  ["DELETE FROM message WHERE user_id = $1", /4 emails without their message/],
  ["UPDATE blob_ref SET released_at = now() WHERE user_id = $1", /4 messages without a reference/],
  ["DELETE FROM mailbox WHERE user_id = $1 AND role = 'inbox'", /2 emails in a mailbox that is gone/],
  ["UPDATE account SET used = used - 1 WHERE user_id = $1", /1 account whose use of storage is kept wrong/],
  ["UPDATE blob_ref SET day = '2001-02-03' WHERE user_id = $1", /the object 2001-02-03\/[0-9a-f]{64} is missing/],
])("finds: %s", async (damage, expected) => {
  const userId = await setUp();
  await store.database.run(unprepared(damage), [userId]);
  const findings = await examineAccount(options(), userId);
  expect(findings.map(({ problem }) => problem).join("\n")).toMatch(expected);
  await store.database.run(unprepared("DELETE FROM account WHERE user_id = $1"), [userId]);
});

test("objects are counted as held, pending or garbage", async () => {
  const before = (await examine(options())).objects;
  await setUp();
  await blobs.put(Buffer.from("young"));
  const old = new DiskObjects({ folder, clock: store.clock, random: randomBytes });
  await old.put({ day: "2020-01-01", sha256: randomBytes(32) }, Buffer.from("old"));
  const { objects, findings } = await examine(options());
  expect(findings).toEqual([]);
  expect(objects).toEqual({ held: before.held + 4, pending: before.pending + 1, garbage: before.garbage + 1 });
});
