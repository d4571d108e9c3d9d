import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { afterwards } from "../../../test/support/afterwards.ts";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { ExportJobs, type ExportJobsOptions } from "../../admin/export/jobs.ts";
import { openArchive } from "../../admin/export/open-archive.ts";
import { verifyArchive } from "../../admin/export/verify.ts";
import { silentLog } from "../../base/log.ts";
import { prepareMessage } from "../../mail/deliver/prepare.ts";
import { Blobs } from "../../store/blobs/blobs.ts";
import type { Reader, StateChange, Store, Tx } from "../../store/core/store.ts";
import { auditBefore } from "../../store/directory/audit.ts";
import {
  failDataExport,
  findDataExports,
  finishDataExport,
  type Lease,
  leaseDataExport,
  noteProgress,
} from "../../store/mail/data-exports.ts";
import { accountObjects } from "../account-objects.ts";
import { methods } from "../methods.ts";

type Json = Record<string, unknown>;

const dayMs = 24 * 3_600_000;
const folder = mkdtempSync(join(tmpdir(), "posthorn-exports-"));
afterwards(() => rmSync(folder, { recursive: true, force: true }));

let now: Date;
let store: Store;
let mail: ReturnType<typeof createMailServices>;
let jobs: ExportJobs;
let account: number;
let client: TestClient;
let pushed: StateChange[];

beforeEach(async () => {
  now = new Date("2026-05-05T05:05:05Z");
  pushed = [];
  store = await createTestStore({ clock: { now: () => now }, onCommit: (change) => void pushed.push(change) });
  mail = createMailServices(store);
  jobs = newJobs();
  account = await createTestAccount(store);
  client = new TestClient(methods, testServices(store, mail), testLogin([account]));
  const bytes = Buffer.from("Subject: taken along\r\n\r\nhello\r\n");
  await mail.ingest.add(account, {
    ...{ blob: await mail.blobs.put(bytes), prepared: prepareMessage(bytes), target: { role: "inbox" } },
    ...{ keywords: [], receivedAt: now },
  });
});

const newJobs = (other: Partial<ExportJobsOptions> = {}) =>
  new ExportJobs({ store, blobs: mail.blobs, objects: accountObjects, log: silentLog, folder, ...other });
const numberOf = async () => (await findDataExports(store.reader(account, "server")))[0]!.id;
const lease = (id: number) =>
  store.write(account, "server", (tx) => leaseDataExport(tx, id, new Date(now.getTime() + 120_000)));
const list = async () => (await client.call("DataExport/get", { ids: null })).list as Json[];
const ask = () => client.call("DataExport/set", { create: { a: {} } });
const download = (blobId: unknown) => mail.blobs.read(store.reader(account, client.login), blobId as string);

test("an archive is asked for, made, told of, downloaded for seven days, and is whole", async () => {
  const used = (await client.call("Quota/get", { ids: null })).list;
  expect((await ask()).created).toMatchObject({ a: { state: "waiting", blobId: null, messagesDone: 0 } });
  expect((await ask()).notCreated).toMatchObject({ a: { type: "overQuota" } });
  await jobs.run();
  const [done] = await list();
  expect(done).toMatchObject({ state: "done", expiresAt: "2026-05-12T05:05:05Z", size: expect.any(Number) });
  expect(pushed.filter(({ changed }) => changed.DataExport).length).toBeGreaterThanOrEqual(3);
  const bytes = (await download(done!.blobId))!;
  expect(bytes.length).toBe(done!.size);
  writeFileSync(join(folder, "a.tar"), bytes);
  const archive = await openArchive(join(folder, "a.tar"));
  expect(await verifyArchive(archive, () => {})).toMatchObject({ messages: 1, problems: [], objects: { Email: 1 } });
  await archive.close();
  expect((await client.call("Quota/get", { ids: null })).list).toEqual(used);
  const audit = await auditBefore(store.database, account, { before: 1e9, limit: 3 });
  expect(audit.map(({ who, what }) => [who, what])).toContainEqual([
    "test",
    { act: "account.export", format: "archive" },
  ]);

  expect((await ask()).notCreated).toMatchObject({ a: { type: "rateLimit" } });
  now = new Date(now.getTime() + dayMs);
  expect((await ask()).created).toMatchObject({ a: {} });
  await jobs.run();
  const second = (await download((await list())[1]!.blobId))!;
  // The first is not in the second.
  expect(second.length).toBeLessThan(2 * bytes.length);
  now = new Date(now.getTime() + 6 * dayMs + 1_000);
  await jobs.run();
  expect((await list()).map(({ state, blobId }) => [state, blobId === null])).toEqual([
    ["expired", true],
    ["done", false],
  ]);
  expect(await download(done!.blobId)).toBeUndefined();
});

test("its owner removes it at once; that makes no room for another on the same day", async () => {
  await ask();
  await jobs.run();
  const [done] = await list();
  expect(await client.call("DataExport/set", { destroy: [done!.id] })).toMatchObject({ destroyed: [done!.id] });
  expect(await list()).toEqual([]);
  expect(await download(done!.blobId)).toBeUndefined();
  expect((await ask()).notCreated).toMatchObject({ a: { type: "rateLimit" } });
});

test("one whose process has died is begun anew; one that can't be made is given up after three attempts", async () => {
  await ask();
  await lease(await numberOf());
  await jobs.run();
  expect(await list()).toMatchObject([{ state: "running" }]);
  for (let attempt = 2; attempt <= 3; attempt++) {
    now = new Date(now.getTime() + 121_000);
    const broken = () => {
      throw new Error("the database is away");
    };
    await newJobs({ objects: { Email: broken } }).run();
  }
  expect(await list()).toMatchObject([{ state: "failed", failure: "attempts", blobId: null }]);
  // What failed need not be waited for.
  expect((await ask()).created).toMatchObject({ a: {} });
  await jobs.run();
  expect((await list())[1]).toMatchObject({ state: "done" });
});

test("one whose process is killed each time is given up after three attempts", async () => {
  await ask();
  const id = await numberOf();
  for (let attempt = 1; attempt <= 3; attempt++) {
    expect(await lease(id)).toEqual({ id, attempts: attempt });
    now = new Date(now.getTime() + 121_000);
  }
  await jobs.run();
  expect(await list()).toMatchObject([{ state: "failed", failure: "attempts" }]);
});

test("a process that lost its lease neither keeps nor ends the export of another", async () => {
  await ask();
  const id = await numberOf();
  const first = (await lease(id))!;
  now = new Date(now.getTime() + 121_000);
  const second = (await lease(id))!;
  const archive = { ...(await mail.blobs.put(Buffer.from("whole"))), expiresAt: now };
  const write = <T>(work: (tx: Tx) => Promise<T>) => store.write(account, "server", work);
  const note = (by: Lease, isNew: boolean) =>
    write((tx) => noteProgress(tx, by, { done: 1, total: 2, until: new Date(now.getTime() + 120_000), isNew }));
  expect(await note(first, true)).toBe(false);
  expect(await write((tx) => finishDataExport(tx, first, archive))).toBe(false);
  await write((tx) => failDataExport(tx, first, "failed"));
  pushed = [];
  expect(await note(second, false)).toBe(true);
  expect(pushed).toEqual([]);
  expect(await note(second, true)).toBe(true);
  expect(pushed).toHaveLength(1);
  expect(await list()).toMatchObject([{ state: "running", messagesDone: 1, messagesTotal: 2 }]);
  expect(await write((tx) => finishDataExport(tx, second, archive))).toBe(true);
  expect(await write((tx) => finishDataExport(tx, second, archive))).toBe(false);
  expect(await list()).toMatchObject([{ state: "done", failure: null }]);
});

test("without room on the disk it fails at once, and says so; another may be asked for", async () => {
  await ask();
  const asked: string[] = [];
  const freeBytes = async (path: string) => {
    asked.push(path);
    return 500_000_000;
  };
  await newJobs({ freeBytes }).run();
  expect(asked).toHaveLength(1);
  expect(await list()).toMatchObject([{ state: "failed", failure: "noRoom", blobId: null }]);
  expect((await ask()).created).toMatchObject({ a: { state: "waiting", failure: null } });
  await newJobs({ freeBytes: async () => 501_000_000 }).run();
  expect((await list())[1]).toMatchObject({ state: "done" });
});

test("an archive without bodies that could not be read is made; the log counts them", async () => {
  const blobs = new Blobs({ objects: mail.blobs.objects, clock: store.clock, cacheBytes: 0 });
  for await (const body of blobs.objects.list()) await blobs.objects.remove([body]);
  const warnings: object[] = [];
  await ask();
  await newJobs({ blobs, log: { ...silentLog, warn: (fields) => void warnings.push(fields) } }).run();
  expect(await list()).toMatchObject([{ state: "done" }]);
  expect(warnings).toEqual([{ account, missing: 1 }]);
});

test("one whose server stops goes to another process, and has lost no attempt", async () => {
  await ask();
  const stopping: ExportJobs = newJobs({
    objects: {
      ...accountObjects,
      Mailbox: (reader) => {
        stopping.stop();
        return accountObjects.Mailbox!(reader);
      },
    },
  });
  await stopping.run();
  expect(await findDataExports(store.reader(account, "server"))).toMatchObject([{ state: "waiting", attempts: 0 }]);
  await jobs.run();
  expect(await list()).toMatchObject([{ state: "done" }]);
});

test("one that is removed, or whose server stops, while it is made is broken off", async () => {
  await ask();
  jobs.stop();
  await jobs.run();
  expect(await list()).toMatchObject([{ state: "waiting" }]);
  const slow = newJobs();
  const [{ id }] = (await list()) as [{ id: string }];
  const isRemoved = async function* (reader: Reader) {
    await client.call("DataExport/set", { destroy: [id] });
    yield* accountObjects.Mailbox!(reader);
  };
  const objects = { ...accountObjects, Mailbox: isRemoved };
  await newJobs({ objects }).run();
  await slow.run();
  expect(await list()).toEqual([]);
});

test("whoever the account is shared with can neither ask for one nor see one", async () => {
  await ask();
  await jobs.run();
  const guest = testLogin([account], { login: "guest", userId: await createTestAccount(store) });
  const other = new TestClient(methods, testServices(store, mail), guest);
  for (const [method, args] of [
    ["get", { ids: null }],
    ["changes", { sinceState: (await client.call("DataExport/get", { ids: null })).state }],
    ["set", { create: { a: {} } }],
  ] as const) {
    expect(await other.call(`DataExport/${method}`, args)).toMatchObject({ type: "forbidden" });
  }
});
