import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createEmailWorld, type EmailWorld, type Json } from "../../../test/support/email-world.ts";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { encodeId } from "../../base/ids.ts";
import { silentLog } from "../../base/log.ts";
import type { Services } from "../../jmap/method.ts";
import { methods } from "../../jmap/methods.ts";
import { unprepared } from "../../store/core/sql.ts";
import type { Store } from "../../store/core/store.ts";
import { setQuota } from "../../store/mail/quota.ts";
import { examineAccount } from "../../store/upkeep/doctor.ts";
import { Sweeper } from "../../store/upkeep/sweeps.ts";

const day = 24 * 3600_000;
let now = Date.now();
const clock = { now: () => new Date(now) };
let store: Store;
let services: Services;
let world: EmailWorld;

beforeAll(async () => {
  store = await createTestStore({ clock });
  services = testServices(store, createMailServices(store));
});
beforeEach(async () => {
  now = Date.now();
  world = await createEmailWorld(services);
});

const call = (name: string, args: Json) => world.client.call(name, args);
const destroy = (...ids: unknown[]) => call("Email/set", { destroy: ids });
const restore = async (...ids: unknown[]) =>
  (await call("DeletedEmail/restore", { ids })) as Record<"restored" | "notRestored", Record<string, Json> | null>;
const listed = async (args: Json = {}) => (await call("DeletedEmail/list", args)).list as Json[];
const mail = (subject: string, more = "") =>
  `From: Bo <bo@far.test>\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@far.test>\r\n${more}\r\nwords of ${subject}\r\n`;

async function put(text: string, more: Json = {}): Promise<string> {
  const blobId = await world.upload(text);
  const email = { blobId, mailboxIds: { [world.inbox]: true }, ...more };
  const { created } = (await call("Email/import", { emails: { a: email } })) as { created: Record<string, Json> };
  // As mail that came in: nobody uploaded it.
  await store.database.run(unprepared("UPDATE blob_ref SET expires_at = NULL, uploaders = NULL WHERE user_id = $1"), [
    world.account,
  ]);
  return created.a!.id as string;
}

async function makeMailbox(name: string, parentId: string | null = null): Promise<string> {
  const { created } = (await call("Mailbox/set", { create: { m: { name, parentId } } })) as { created: Json };
  return (created.m as Json).id as string;
}

const findings = async () => {
  const options = { store, objects: services.blobs.objects, log: silentLog, progress: () => {} };
  return examineAccount(options, world.account);
};
const sweep = () => new Sweeper({ store, objects: services.blobs.objects, log: silentLog }).run();

test("a destroyed email comes back under a new id, with body, mailboxes, keywords, date and thread, and is found", async () => {
  const stays = await put(mail("one"));
  const work = await makeMailbox("Work");
  const more = { mailboxIds: { [world.inbox]: true, [work]: true }, keywords: { $flagged: true, urgent: true } };
  const gone = await put(mail("Re: one", "In-Reply-To: <one@far.test>\r\n"), {
    ...more,
    receivedAt: "2026-02-03T03:05:07Z",
  });
  const before = await world.get(gone);
  expect(await destroy(gone)).toMatchObject({ destroyed: [gone] });
  expect(await listed()).toEqual([
    {
      id: gone,
      from: [{ name: "Bo", email: "bo@far.test" }],
      subject: "Re: one",
      size: before.size,
      receivedAt: "2026-02-03T03:05:07Z",
      deletedAt: expect.any(String),
      mailboxIds: more.mailboxIds,
    },
  ]);
  expect(await findings()).toEqual([]);

  const { restored, notRestored } = await restore(gone);
  expect(notRestored).toBeNull();
  const { id } = restored![gone]!;
  expect(id).not.toBe(gone);
  const back = await world.get(id);
  expect(back).toEqual({ ...before, id });
  expect(back.threadId).toBe((await world.get(stays)).threadId);
  expect(await world.source(id)).toContain("words of Re: one");
  expect(await call("Email/query", { filter: { text: '"words of Re"' } })).toMatchObject({ ids: [id] });
  expect(await listed()).toEqual([]);
  expect(await findings()).toEqual([]);
});

test("restoring twice, or twice at once, is one restore", async () => {
  const gone = await put(mail("twice"));
  await destroy(gone);
  const both = await Promise.all([restore(gone), restore(gone, gone)]);
  expect(both.filter(({ restored }) => restored !== null)).toHaveLength(1);
  expect(await restore(gone)).toMatchObject({ restored: null, notRestored: { [gone]: { type: "notFound" } } });
  expect((await call("Email/query", {})).ids).toHaveLength(1);
});

test("what is destroyed counts to no quota, and nobody reads it: neither its owner's other methods nor a guest", async () => {
  await store.write(world.account, "server", (tx) => setQuota(tx, 1_000_000));
  const gone = await put(mail("secret"));
  const { blobId } = await world.get(gone);
  await destroy(gone);
  expect((await call("Quota/get", { ids: null })).list).toMatchObject([{ used: 0 }]);
  const guest = new TestClient(methods, services, {
    ...testLogin([await createTestAccount(store), world.account], { login: "guest@far.test" }),
  });
  const owners = new TestClient(methods, services, world.client.login);
  for (const client of [owners, guest]) {
    const of = { accountId: encodeId("u", world.account) };
    expect(await services.blobs.read(store.reader(world.account, client.login), blobId as string)).toBeUndefined();
    expect(await client.call("Blob/get", { ...of, ids: [blobId] })).toMatchObject({ notFound: [blobId] });
    expect(await client.call("Email/get", { ...of, ids: [gone] })).toMatchObject({ notFound: [gone] });
    expect(
      await client.call("Email/import", {
        ...of,
        emails: { a: { blobId, mailboxIds: { [world.inbox]: true } } },
      }),
    ).toMatchObject({ created: null });
  }
  for (const [name, args] of [
    ["DeletedEmail/list", {}],
    ["DeletedEmail/restore", { ids: [gone] }],
  ] as const) {
    const refused = { type: "forbidden" };
    expect(await guest.call(name, { accountId: encodeId("u", world.account), ...args })).toMatchObject(refused);
    // In his own account there is nothing of the kind.
    expect(JSON.stringify(await guest.call(name, args))).not.toContain("secret");
  }
  expect(await listed()).toHaveLength(1);
});

describe("mailboxes that were destroyed with their emails", () => {
  test("are made again, one inside the other, and take what comes back later", async () => {
    const outer = await makeMailbox("Projects");
    const inner = await makeMailbox("Posthorn", outer);
    const [first, second] = [mail("first"), mail("second")];
    const gone = [
      await put(first, { mailboxIds: { [inner]: true } }),
      await put(second, { mailboxIds: { [inner]: true } }),
    ];
    const args = { destroy: [inner, outer], onDestroyRemoveEmails: true };
    const answer = await call("Mailbox/set", args);
    expect(answer).toMatchObject({ destroyed: [inner, outer] });
    expect(await listed()).toHaveLength(2);
    for (const id of gone) expect(await restore(id)).toMatchObject({ notRestored: null });
    const { list } = (await call("Mailbox/get", { ids: null })) as { list: Json[] };
    const made = list.filter(({ role }) => role === null);
    expect(made.map(({ name, totalEmails }) => [name, totalEmails])).toEqual([
      ["Projects", 0],
      ["Posthorn", 2],
    ]);
    expect(made[1]!.parentId).toBe(made[0]!.id);
    expect(made.map(({ id }) => id)).not.toContain(inner);
    expect(await findings()).toEqual([]);
  });

  test("are found by their name, if there is one by now", async () => {
    const mailbox = await makeMailbox("Work");
    const gone = await put(mail("work"), { mailboxIds: { [mailbox]: true } });
    await call("Mailbox/set", { destroy: [mailbox], onDestroyRemoveEmails: true });
    const anew = await makeMailbox("Work");
    expect((await restore(gone)).restored![gone]).toMatchObject({ mailboxIds: { [anew]: true } });
  });
});

test("a draft that another takes the place of is not kept, one that is thrown away is", async () => {
  const draft = { keywords: { $draft: true }, subject: "draft" };
  const first = (await world.create(draft)).id as string;
  const both = { create: { a: { mailboxIds: { [world.inbox]: true }, ...draft } }, destroy: [first] };
  const { created } = (await call("Email/set", both)) as { created: { a: Json } };
  expect(await listed()).toEqual([]);
  const { rows } = {
    rows: await store.database.run(unprepared("SELECT FROM deleted_email WHERE user_id = $1"), [world.account]),
  };
  expect(rows).toEqual([]);
  await destroy(created.a.id);
  expect(await listed()).toMatchObject([{ id: created.a.id }]);
  // Of two that go for one that comes, nobody knows which was replaced.
  const [one, two] = [(await world.create(draft)).id, (await world.create(draft)).id];
  await call("Email/set", { ...both, destroy: [one, two] });
  expect(await listed()).toHaveLength(3);
});

test("without room it stays where it is, until there is some", async () => {
  const gone = await put(mail("large"));
  const { size } = await world.get(gone);
  await destroy(gone);
  await store.write(world.account, "server", (tx) => setQuota(tx, (size as number) - 1));
  expect(await restore(gone)).toMatchObject({ restored: null, notRestored: { [gone]: { type: "overQuota" } } });
  expect(await listed()).toHaveLength(1);
  await store.write(world.account, "server", (tx) => setQuota(tx, null));
  expect(await restore(gone)).toMatchObject({ notRestored: null });
});

test("pages follow one another, and a foreign place is refused", async () => {
  const ids = [await put(mail("a")), await put(mail("b")), await put(mail("c"))];
  await destroy(...ids);
  const first = await call("DeletedEmail/list", { limit: 2 });
  const rest = await call("DeletedEmail/list", { limit: 2, after: first.next });
  expect([...(first.list as Json[]), ...(rest.list as Json[])].map(({ id }) => id)).toEqual(ids.reverse());
  expect(rest.next).toBeNull();
  expect(await call("DeletedEmail/list", { after: "x" })).toMatchObject({ type: "invalidArguments" });
});

test("for 30 days a body stays whatever is swept, then all of it goes", async () => {
  const [gone, kept] = [await put(mail("gone")), await put(mail("kept"))];
  const [blob] = await store.database.run(
    unprepared<{ sha256: Buffer; day: string; size: number; pack: null }>(
      "SELECT sha256, day, size, pack FROM blob_ref WHERE user_id = $1 AND sha256 = (SELECT m.sha256 FROM message m WHERE m.user_id = $1 AND m.subject = 'gone')",
    ),
    [world.account],
  );
  const isThere = () => services.blobs.objects.exists(blob!);
  await destroy(gone, kept);
  // An upload of the same mail ends, and its reference would go a day later.
  now += 2 * day;
  await store.database.run(unprepared("UPDATE blob_ref SET released_at = $2 WHERE user_id = $1"), [
    world.account,
    new Date(now - 2 * day),
  ]);
  for (; now < Date.now() + 29 * day; now += 9 * day) await sweep();
  now = Date.now() + 29 * day;
  expect(await isThere()).toBe(true);
  expect(await restore(kept)).toMatchObject({ notRestored: null });
  expect(await findings()).toEqual([]);
  now = Date.now() + 31 * day;
  expect(await listed()).toEqual([]);
  expect(await restore(gone)).toMatchObject({ notRestored: { [gone]: { type: "notFound" } } });
  for (const end = now + 5 * day; now < end; now += 12 * 3600_000) await sweep();
  expect(await isThere()).toBe(false);
  expect((await call("Email/query", {})).ids).toHaveLength(1);
  expect(await findings()).toEqual([]);
}, 20_000);
