import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { Ingest } from "../../mail/deliver/ingest.ts";
import { Blobs } from "../../store/blobs/blobs.ts";
import { DiskObjects } from "../../store/blobs/objects/disk.ts";
import type { Store } from "../../store/core/store.ts";
import { methods } from "../methods.ts";

let store: Store;
let folder: string;
let client: TestClient;
let boxes: Record<string, string>;

beforeAll(async () => {
  store = await createTestStore();
  folder = await mkdtemp(join(tmpdir(), "posthorn-mailbox-"));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  const services = testServices(store, { ingest: new Ingest(store) });
  const objects = new DiskObjects({ folder, clock: store.clock, random: services.random });
  services.blobs = new Blobs({ objects, clock: store.clock, cacheBytes: 0 });
  client = new TestClient(methods, services, testLogin([await createTestAccount(store)]));
  const { list } = await client.call("Mailbox/get");
  boxes = Object.fromEntries((list as { role: string; id: string }[]).map(({ role, id }) => [role, id]));
});

interface Made {
  id: string;
  threadId: string;
}
async function write(mailboxes: string[], extra: object = {}): Promise<Made> {
  const mailboxIds = Object.fromEntries(mailboxes.map((id) => [id, true]));
  const email = {
    mailboxIds,
    subject: "s",
    textBody: [{ partId: "1", type: "text/plain" }],
    bodyValues: { 1: { value: "x" } },
  };
  const response = await client.call("Email/set", { create: { k: { ...email, ...extra } } });
  return (response.created as { k: Made }).k;
}
async function counts(id: string): Promise<unknown[]> {
  const { list } = await client.call("Mailbox/get", { ids: [id] });
  const [mailbox] = list as Record<string, number>[];
  return [mailbox!.totalEmails, mailbox!.unreadEmails, mailbox!.totalThreads, mailbox!.unreadThreads];
}

test("a mailbox with emails is destroyed only with onDestroyRemoveEmails; emails also in other mailboxes stay", async () => {
  const { created } = await client.call("Mailbox/set", { create: { k: { name: "work" } } });
  const { id: work } = (created as { k: { id: string } }).k;
  const both = await write([work, boxes.inbox!]);
  const alone = await write([work]);
  const { state } = await client.call("Email/get", { ids: [] });
  expect(await client.call("Mailbox/set", { destroy: [work] })).toMatchObject({
    notDestroyed: { [work]: { type: "mailboxHasEmail" } },
  });
  expect(await client.call("Mailbox/set", { destroy: [work], onDestroyRemoveEmails: true })).toMatchObject({
    destroyed: [work],
  });
  expect(await client.call("Email/changes", { sinceState: state })).toMatchObject({
    updated: [both.id],
    destroyed: [alone.id],
  });
  expect(await client.call("Email/get", { ids: [both.id], properties: ["mailboxIds"] })).toMatchObject({
    list: [{ mailboxIds: { [boxes.inbox!]: true } }],
  });
  expect(await counts(boxes.inbox!)).toEqual([1, 1, 1, 1]);
});

test("a mailbox with a child is not destroyed, not even with onDestroyRemoveEmails", async () => {
  const { created } = await client.call("Mailbox/set", {
    create: { a: { name: "a" }, b: { name: "b", parentId: "#a" } },
  });
  const { id } = (created as { a: { id: string } }).a;
  await write([id]);
  expect(await client.call("Mailbox/set", { destroy: [id], onDestroyRemoveEmails: true })).toMatchObject({
    notDestroyed: { [id]: { type: "mailboxHasChild" } },
  });
  expect(await counts(id)).toEqual([1, 1, 1, 1]);
});

test("updatedProperties names the counts while only they changed", async () => {
  const { state } = await client.call("Mailbox/get");
  await write([boxes.inbox!]);
  const reference = (path: string) => ({ resultOf: "c", name: "Mailbox/changes", path });
  const { accountId } = { accountId: client.account };
  const ask = () =>
    client.request([
      ["Mailbox/changes", { accountId, sinceState: state }, "c"],
      [
        "Mailbox/get",
        { accountId, "#ids": reference("/updated"), "#properties": reference("/updatedProperties") },
        "g",
      ],
    ]);
  const moved = (await ask()).responses;
  expect(moved[0]![1]).toMatchObject({ updated: [boxes.inbox] });
  expect(moved[1]![1].list).toEqual([
    { id: boxes.inbox, totalEmails: 1, unreadEmails: 1, totalThreads: 1, unreadThreads: 1 },
  ]);
  await client.call("Mailbox/set", { update: { [boxes.inbox!]: { sortOrder: 9 } } });
  const renamed = (await ask()).responses;
  expect(renamed[0]![1].updatedProperties).toBeNull();
  expect((renamed[1]![1].list as object[])[0]).toHaveProperty("name");
});

test("when the trash role moves, unread threads are counted anew", async () => {
  const { created } = await client.call("Mailbox/set", { create: { k: { name: "bin" } } });
  const { id: bin } = (created as { k: { id: string } }).k;
  const first = await write([boxes.inbox!], { messageId: ["a@x"], keywords: { $seen: true } });
  const second = await write([bin], { inReplyTo: ["a@x"] });
  expect(second.threadId).toBe(first.threadId);
  expect(await counts(boxes.inbox!)).toEqual([1, 0, 1, 1]);
  await client.call("Mailbox/set", { update: { [boxes.trash!]: { role: null }, [bin]: { role: "trash" } } });
  expect(await counts(boxes.inbox!)).toEqual([1, 0, 1, 0]);
  expect(await counts(bin)).toEqual([1, 1, 1, 1]);
  await client.call("Mailbox/set", { update: { [bin]: { role: null } } });
  expect(await counts(boxes.inbox!)).toEqual([1, 0, 1, 1]);
});

test("a thread lists its emails by receivedAt, then by id", async () => {
  const at = (hour: number) => `2026-01-01T0${hour}:00:00Z`;
  const late = await write([boxes.inbox!], { messageId: ["a@x"], receivedAt: at(5) });
  const early = await write([boxes.inbox!], { inReplyTo: ["a@x"], receivedAt: at(1) });
  const same = await write([boxes.sent!], { inReplyTo: ["a@x"], receivedAt: at(5) });
  const other = await write([boxes.inbox!], { subject: "else" });
  const response = await client.call("Thread/get", { ids: [late.threadId, "t0", other.threadId, late.threadId] });
  expect(response).toMatchObject({
    list: [
      { id: late.threadId, emailIds: [early.id, late.id, same.id] },
      { id: other.threadId, emailIds: [other.id] },
    ],
    notFound: ["t0"],
  });
  expect((await client.call("Thread/get")).list).toHaveLength(2);
  await client.call("Email/set", { destroy: [other.id, early.id] });
  expect(await client.call("Thread/changes", { sinceState: response.state })).toMatchObject({
    updated: [late.threadId],
    destroyed: [other.threadId],
  });
});
