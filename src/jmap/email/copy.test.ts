import { beforeAll, beforeEach, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { decodeId, encodeId } from "../../base/ids.ts";
import type { Store } from "../../store/core/store.ts";
import { findMailboxes } from "../../store/mail/mailbox-places.ts";
import { setQuota } from "../../store/mail/quota.ts";
import type { Services } from "../method.ts";
import { methods } from "../methods.ts";

type Json = Record<string, unknown>;

let store: Store;
let services: Services;
let client: TestClient;
let from: { accountId: string; inbox: string };
let to: { accountId: string; inbox: string };

beforeAll(async () => {
  store = await createTestStore();
  services = testServices(store, createMailServices(store));
});
beforeEach(async () => {
  const ids = [await createTestAccount(store), await createTestAccount(store)];
  client = new TestClient(methods, services, testLogin(ids));
  const place = async (id: number) => ({
    accountId: encodeId("u", id),
    inbox: encodeId("m", (await findMailboxes(store.reader(id, "server"))).find(({ role }) => role === "inbox")!.id),
  });
  [from, to] = [await place(ids[0]!), await place(ids[1]!)];
});

async function original(subject = "Well travelled"): Promise<string> {
  const answer = await client.call("Email/set", {
    create: {
      a: {
        mailboxIds: { [from.inbox]: true },
        keywords: { $seen: true },
        receivedAt: "2026-01-02T03:04:05Z",
        subject,
        textBody: [{ partId: "1", type: "text/plain" }],
        bodyValues: { 1: { value: `body of ${subject}` } },
      },
    },
  });
  return (answer.created as Record<string, { id: string }>).a!.id;
}

const accounts = () => ({ fromAccountId: from.accountId, accountId: to.accountId });
const copy = (args: Json) => client.call("Email/copy", { ...accounts(), ...args });
const state = async (accountId: string) => (await client.call("Email/get", { accountId, ids: [] })).state;

async function got(accountId: string, id: unknown): Promise<Json | undefined> {
  return ((await client.call("Email/get", { accountId, ids: [id], fetchTextBodyValues: true })).list as Json[])[0];
}

test("properties not given are the original's; the bytes are the same, and the copy outlives the original", async () => {
  const id = await original();
  const before = await state(to.accountId);
  const answer = await copy({ create: { a: { id, mailboxIds: { [to.inbox]: true } } } });
  expect(answer).toMatchObject({ ...accounts(), oldState: before, notCreated: null });
  expect(answer.newState).toBe(await state(to.accountId));
  const made = (answer.created as Record<string, Json>).a!;
  expect(Object.keys(made).sort()).toEqual(["blobId", "id", "size", "threadId"]);
  await client.call("Email/set", { accountId: from.accountId, destroy: [id] });
  expect(await got(to.accountId, made.id)).toMatchObject({
    blobId: made.blobId,
    threadId: made.threadId,
    size: made.size,
    subject: "Well travelled",
    mailboxIds: { [to.inbox]: true },
    keywords: { $seen: true },
    receivedAt: "2026-01-02T03:04:05Z",
    bodyValues: { 1: { value: "body of Well travelled" } },
  });
  const found = await client.call("Email/query", { accountId: to.accountId, filter: { body: "travelled" } });
  expect(found.ids).toEqual([made.id]);
});

test("keywords and receivedAt may be given; the copy's creation id may be used at once", async () => {
  const id = await original();
  const { responses } = await client.request([
    ["Mailbox/set", { accountId: to.accountId, create: { m: { name: "Copies" } } }, "0"],
    [
      "Email/copy",
      {
        ...accounts(),
        create: { a: { id, mailboxIds: { "#m": true }, keywords: { Work: true }, receivedAt: "2026-05-05T05:05:05Z" } },
      },
      "1",
    ],
    ["Email/get", { accountId: to.accountId, ids: ["#a"], properties: ["keywords", "receivedAt", "mailboxIds"] }, "2"],
  ]);
  const mailbox = (responses[0]![1].created as Record<string, { id: string }>).m!.id;
  expect(responses[2]![1].list).toMatchObject([
    { keywords: { work: true }, receivedAt: "2026-05-05T05:05:05Z", mailboxIds: { [mailbox]: true } },
  ]);
});

test.each([
  ["no mailboxes", () => ({}), { type: "invalidProperties", properties: ["mailboxIds"] }],
  ["none of them", () => ({ mailboxIds: {} }), { type: "invalidProperties", properties: ["mailboxIds"] }],
  [
    "a mailbox of the other account",
    () => ({ mailboxIds: { m999: true } }),
    { type: "invalidProperties", properties: ["mailboxIds"] },
  ],
  [
    "another property",
    () => ({ mailboxIds: { [to.inbox]: true }, subject: "changed" }),
    { type: "invalidProperties", properties: ["subject"] },
  ],
  [
    "too many keywords",
    () => ({
      mailboxIds: { [to.inbox]: true },
      keywords: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`k${n}`, true])),
    }),
    { type: "tooManyKeywords" },
  ],
])("%s is refused, and the others are copied", async (_, fields, error) => {
  const id = await original();
  const answer = await copy({
    create: { bad: { id, ...fields() }, good: { id, mailboxIds: { [to.inbox]: true } } },
  });
  expect(answer.notCreated).toMatchObject({ bad: error });
  expect(Object.keys(answer.created as Json)).toEqual(["good"]);
});

test("a missing original is notFound", async () => {
  const answer = await copy({ create: { a: { id: "e99999", mailboxIds: { [to.inbox]: true } } } });
  expect(answer).toMatchObject({ created: null, notCreated: { a: { type: "notFound" } } });
});

test("within one account it is invalidArguments", async () => {
  const answer = await copy({ accountId: from.accountId, create: {} });
  expect(answer.type).toBe("invalidArguments");
});

test("nothing is copied if ifFromInState or ifInState does not match", async () => {
  const id = await original();
  const create = { a: { id, mailboxIds: { [to.inbox]: true } } };
  const before = await state(to.accountId);
  expect(await copy({ create, ifFromInState: "1-0" })).toMatchObject({ type: "stateMismatch" });
  expect(await copy({ create, ifInState: "1-99" })).toMatchObject({ type: "stateMismatch" });
  expect(await state(to.accountId)).toBe(before);
  const states = { ifFromInState: await state(from.accountId), ifInState: before };
  expect(await copy({ create, ...states })).toMatchObject({ notCreated: null });
});

test("onSuccessDestroyOriginal destroys those that were copied, under the same call id", async () => {
  const [moved, stays] = [await original("moved"), await original("stays")];
  const create = {
    a: { id: moved, mailboxIds: { [to.inbox]: true } },
    b: { id: stays, mailboxIds: { m999: true } },
  };
  const { responses } = await client.request([
    ["Email/copy", { ...accounts(), create, onSuccessDestroyOriginal: true }, "c"],
  ]);
  expect(responses.map(([name, , callId]) => [name, callId])).toEqual([
    ["Email/copy", "c"],
    ["Email/set", "c"],
  ]);
  expect(responses[1]![1]).toMatchObject({ accountId: from.accountId, destroyed: [moved] });
  expect(await got(from.accountId, moved)).toBeUndefined();
  expect(await got(from.accountId, stays)).toBeDefined();
});

test("destroyFromIfInState guards the originals alone", async () => {
  const id = await original();
  const { responses } = await client.request([
    [
      "Email/copy",
      {
        ...accounts(),
        create: { a: { id, mailboxIds: { [to.inbox]: true } } },
        onSuccessDestroyOriginal: true,
        destroyFromIfInState: "1-0",
      },
      "c",
    ],
  ]);
  expect(responses[0]![1].created).toHaveProperty("a");
  expect(responses[1]).toEqual(["error", { type: "stateMismatch" }, "c"]);
  expect(await got(from.accountId, id)).toBeDefined();
});

test("a copy that the account has no room for is refused, and its original stays", async () => {
  const id = await original();
  await store.write(decodeId("u", to.accountId)!, "server", (tx) => setQuota(tx, 10));
  const create = { a: { id, mailboxIds: { [to.inbox]: true } } };
  const { responses } = await client.request([
    ["Email/copy", { ...accounts(), create, onSuccessDestroyOriginal: true }, "0"],
  ]);
  expect(responses).toMatchObject([["Email/copy", { created: null, notCreated: { a: { type: "overQuota" } } }, "0"]]);
  expect(await got(from.accountId, id)).toMatchObject({ subject: "Well travelled" });
});
