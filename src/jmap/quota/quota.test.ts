import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { encodeId } from "../../base/ids.ts";
import { prepareMessage } from "../../mail/deliver/prepare.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import { unprepared } from "../../store/core/sql.ts";
import type { Store } from "../../store/core/store.ts";
import { findMailboxes } from "../../store/mail/mailbox-places.ts";
import { findUsed, setQuota } from "../../store/mail/quota.ts";
import { capabilities } from "../capability-names.ts";
import { dispatch } from "../dispatch.ts";
import type { Services } from "../method.ts";
import { methods } from "../methods.ts";
import { createRegistry } from "../registry.ts";

type Json = Record<string, unknown>;
interface SetAnswer {
  created: Record<string, Json> | null;
  notCreated: Record<string, Json> | null;
}

let store: Store;
let services: Services;
let statements: string[] = [];
let account: number;
let client: TestClient;
let inbox: string;

beforeAll(async () => {
  store = await createTestStore({ observe: (text) => statements.push(text) });
  services = testServices(store, createMailServices(store));
});
beforeEach(async () => {
  account = await createTestAccount(store);
  client = new TestClient(methods, services, testLogin([account]));
  const places = await findMailboxes(store.reader(account, "server"));
  inbox = encodeId("m", places.find((place) => place.role === "inbox")!.id);
});

const message = (bytes: number, subject = "x") => `Subject: ${subject}\r\n\r\n`.padEnd(bytes, "m");
const limit = (bytes: number | null) => store.write(account, "server", (tx) => setQuota(tx, bytes));
const used = () => findUsed(store.database, account);
const quotas = async (args: Json = {}) => (await client.call("Quota/get", { ids: null, ...args })).list as Json[];

async function upload(text: string): Promise<string> {
  const blob = await services.blobs.put(Buffer.from(text));
  const expiresAt = new Date(Date.now() + 3600_000);
  await store.write(account, "server", (tx) => services.blobs.reference(tx, blob, { expiresAt }));
  return encodeBlobId(blob.sha256);
}

async function importMail(...texts: string[]): Promise<SetAnswer> {
  const blobIds = await Promise.all(texts.map(upload));
  const emails = blobIds.map((blobId, index) => [`i${index}`, { blobId, mailboxIds: { [inbox]: true } }]);
  const answer = await client.call("Email/import", { emails: Object.fromEntries(emails) });
  return answer as unknown as SetAnswer;
}

async function deliver(text: string, incomingId: number): Promise<void> {
  const blob = await services.blobs.put(Buffer.from(text));
  const prepared = prepareMessage(Buffer.from(text));
  const mail = { blob, prepared, target: { role: "inbox" as const }, keywords: [], receivedAt: store.clock.now() };
  await services.ingest.add(account, { ...mail, incomingId });
}

describe("use", () => {
  test("is right after imports, creates, repeated deliveries, destroys and the loss of a mailbox", async () => {
    await limit(1_000_000);
    const { created } = await importMail(message(100), message(200, "y"));
    expect(await used()).toBe(300);
    await deliver(message(50), 1);
    await deliver(message(50), 1);
    expect(await used()).toBe(350);
    await client.call("Email/set", { destroy: [created!.i0!.id] });
    expect(await used()).toBe(250);
    const made = (await client.call("Email/set", {
      create: { a: { mailboxIds: { [inbox]: true }, subject: "draft" } },
    })) as unknown as SetAnswer;
    expect(await used()).toBe(250 + (made.created!.a!.size as number));
    const box = await client.call("Mailbox/set", { create: { b: { name: "box" } } });
    const boxId = (box as unknown as SetAnswer).created!.b!.id as string;
    await client.call("Email/set", { update: { [created!.i1!.id as string]: { mailboxIds: { [boxId]: true } } } });
    await client.call("Mailbox/set", { destroy: [boxId], onDestroyRemoveEmails: true });
    expect(await used()).toBe(50 + (made.created!.a!.size as number));
  });

  test("costs a delivery no statement of its own", async () => {
    await limit(1_000_000);
    statements = [];
    await deliver(message(77), 2);
    expect(statements.filter((text) => /update "account"/.test(text))).toHaveLength(1);
    expect(await used()).toBe(77);
  });

  test("goes back with what a savepoint undoes", async () => {
    await limit(1000);
    await store.write(account, "server", async (tx) => {
      const undone = tx.savepoint(async () => {
        tx.grow(500);
        throw new Error("undone");
      });
      await expect(undone).rejects.toThrow("undone");
      expect(tx.room).toBe(1000);
    });
    expect(await used()).toBe(0);
  });
});

describe("limit", () => {
  test("refuses what clients add, record by record, but not incoming mail", async () => {
    await limit(250);
    const { created, notCreated } = await importMail(message(100), message(200, "y"), message(150, "z"));
    expect(Object.keys(created!)).toEqual(["i0", "i2"]);
    expect(notCreated).toMatchObject({ i1: { type: "overQuota" } });
    const create = { a: { mailboxIds: { [inbox]: true }, subject: "no room" } };
    expect(await client.call("Email/set", { create })).toMatchObject({
      created: null,
      notCreated: { a: { type: "overQuota" } },
    });
    await deliver(message(300), 3);
    expect(await used()).toBe(550);
    expect(await quotas()).toMatchObject([{ used: 550, hardLimit: 250 }]);
  });

  test("holds with ifInState too", async () => {
    await limit(10);
    const { state } = await client.call("Email/get", { ids: [] });
    const emails = { a: { blobId: await upload(message(100)), mailboxIds: { [inbox]: true } } };
    expect(await client.call("Email/import", { ifInState: state, emails })).toMatchObject({
      newState: state,
      notCreated: { a: { type: "overQuota" } },
    });
    expect(await used()).toBe(0);
  });
});

describe("Quota", () => {
  test("has the properties of RFC 9425", async () => {
    expect(await quotas()).toEqual([]);
    await limit(1000);
    const [quota] = await quotas();
    const [row] = await store.database.run(unprepared("SELECT name FROM account WHERE user_id = $1"), [account]);
    expect(quota).toEqual({
      id: expect.stringMatching(/^q\w+$/),
      resourceType: "octets",
      scope: "account",
      types: ["Email"],
      name: row!.name,
      description: expect.any(String),
      used: 0,
      hardLimit: 1000,
      warnLimit: 800,
      softLimit: 950,
    });
    expect(await quotas({ properties: ["used"] })).toEqual([{ id: quota!.id, used: 0 }]);
    expect(await client.call("Quota/get", { ids: ["q9999", "nonsense"] })).toMatchObject({
      list: [],
      notFound: ["q9999", "nonsense"],
    });
  });

  test("is hidden from clients that do not use mail", async () => {
    await limit(1000);
    const args = { accountId: client.account, ids: null };
    const { responses } = await dispatch(createRegistry(methods), services, {
      login: client.login,
      using: new Set([capabilities.core, capabilities.quota]),
      calls: [["Quota/get", args, "0"]],
      createdIds: {},
      octets: services.octets.lease(),
    });
    expect(responses[0]).toMatchObject(["Quota/get", { list: [] }, "0"]);
  });

  test("/changes says whether only the use changed, or the limit too", async () => {
    const changes = (sinceState: unknown) => client.call("Quota/changes", { sinceState });
    const { state: none } = await client.call("Quota/get", {});
    await importMail(message(10));
    expect(await changes(none)).toMatchObject({ newState: none });
    await limit(1000);
    const { state: empty, list } = await client.call("Quota/get", {});
    const { id } = (list as Json[])[0]!;
    expect(await changes(none)).toMatchObject({ created: [id], updated: [], newState: empty });
    await importMail(message(20, "y"));
    const { state: filled } = await client.call("Quota/get", {});
    expect(await changes(empty)).toMatchObject({ updated: [id], updatedProperties: ["used"], newState: filled });
    await limit(2000);
    expect(await changes(filled)).toMatchObject({ updated: [id], updatedProperties: null });
    await limit(2000);
    const { state: last } = await client.call("Quota/get", {});
    await limit(null);
    await limit(3000);
    const [quota] = await quotas();
    expect(quota!.id).not.toBe(id);
    expect(await changes(last)).toMatchObject({ created: [quota!.id], destroyed: [id] });
  });

  test("changes are pushed with those that caused them", async () => {
    await limit(1000);
    const pushed: Json[] = [];
    store.onCommit = ({ changed }) => pushed.push(changed);
    await importMail(message(10));
    await limit(null);
    pushed.splice(0, pushed.length - 1);
    await importMail(message(11, "y"));
    store.onCommit = () => {};
    expect(pushed.map((changed) => "Quota" in changed)).toContain(true);
    expect(pushed.at(-1)).not.toHaveProperty("Quota");
  });

  test.each([
    [{ name: "user" }, 1],
    [{ name: "nobody" }, 0],
    [{ scope: "account", resourceType: "octets", type: "Email" }, 1],
    [{ scope: "domain" }, 0],
    [{ resourceType: "count" }, 0],
    [{ type: "Calendar" }, 0],
    [null, 1],
  ])("query %j", async (filter, total) => {
    await limit(1000);
    const args = {
      filter,
      sort: [{ property: "name" }, { property: "used", isAscending: false }],
      calculateTotal: true,
    };
    const answer = await client.call("Quota/query", args);
    expect(answer).toMatchObject({ total, position: 0, canCalculateChanges: true });
    expect(answer.ids).toHaveLength(total);
    const since = { ...args, sinceQueryState: answer.queryState };
    expect(await client.call("Quota/queryChanges", since)).toMatchObject({ removed: [], added: [], total });
  });

  test("/query refuses other filters and sorts", async () => {
    expect(await client.call("Quota/query", { filter: { id: "q1" } })).toMatchObject({ type: "unsupportedFilter" });
    expect(await client.call("Quota/query", { sort: [{ property: "scope" }] })).toMatchObject({
      type: "unsupportedSort",
    });
  });
});

test("uploads that nothing takes up make room for newer ones", async () => {
  const { keepUploads } = await import("../uploads.ts");
  const small = { ...services, limits: { ...services.limits, maxSizeUpload: 10 } };
  const blobs = await Promise.all(["a", "b", "c"].map((letter) => services.blobs.put(Buffer.from(letter.repeat(90)))));
  for (const [index, blob] of blobs.entries()) {
    const clock = { now: () => new Date(Date.now() + index * 1000) };
    await keepUploads({ ...small, clock }, account, account, [blob]);
  }
  const readable = await Promise.all(
    blobs.map(({ sha256 }) => services.blobs.read(store.reader(account, "server"), encodeBlobId(sha256))),
  );
  expect(readable.map((bytes) => bytes?.toString()[0])).toEqual([undefined, "b", "c"]);
});
