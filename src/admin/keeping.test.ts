import { beforeAll, beforeEach, expect, test } from "vitest";
import { testAdmin } from "../../test/support/admin.ts";
import { TestClient, testLogin, testServices } from "../../test/support/jmap.ts";
import { createMailServices } from "../../test/support/mail.ts";
import { createTestStore } from "../../test/support/postgres.ts";
import { silentLog } from "../base/log.ts";
import type { Services } from "../jmap/method.ts";
import { methods } from "../jmap/methods.ts";
import { unprepared } from "../store/core/sql.ts";
import type { Store } from "../store/core/store.ts";
import { examineAccount } from "../store/upkeep/doctor.ts";
import { Sweeper } from "../store/upkeep/sweeps.ts";
import { addAccount, removeAccount } from "./accounts.ts";
import type { Admin } from "./admin.ts";
import { eraseAccount, previewErasure } from "./erase.ts";
import { holdsOf, liftHold, placeHold, removeRule, rulesOf, runRetention, setRule } from "./keeping.ts";
import { Refused } from "./refused.ts";
import { undeleteAccount } from "./undelete.ts";

type Json = Record<string, unknown>;

const day = 24 * 3600_000;
let now = Date.now();
const clock = { now: () => new Date(now) };
let store: Store;
let admin: Admin;
let services: Services;
let domain: string;
let count = 0;

beforeAll(async () => {
  store = await createTestStore({ clock });
  admin = testAdmin(store);
  services = testServices(store, createMailServices(store));
});
beforeEach(() => {
  now = Date.UTC(2026, 5, 1, 12);
  domain = `law${++count}.example`;
});

async function user(name: string) {
  const address = `${name}@${domain}`;
  const { userId } = await addAccount(admin, { address, name: "", password: "sesame", quota: 1_000_000 });
  const client = new TestClient(methods, services, testLogin([userId], { login: address }));
  const { list } = (await client.call("Mailbox/get", { ids: null })) as { list: Json[] };
  const mailbox = (role: string) => list.find((one) => one.role === role)!.id as string;
  return { address, userId, client, mailbox };
}
type User = Awaited<ReturnType<typeof user>>;

async function create({ client, mailbox }: User, email: Json, role = "inbox"): Promise<string> {
  const args = { create: { a: { mailboxIds: { [mailbox(role)]: true }, ...email } } };
  const { created } = (await client.call("Email/set", args)) as { created: { a: Json } };
  return created.a.id as string;
}

const sweep = () => new Sweeper({ store, objects: services.blobs.objects, log: silentLog }).run();
async function sweepTo(time: number): Promise<void> {
  for (; now < time; now += 5 * day) await sweep();
  now = time;
  await sweep();
}
const kept = async ({ userId }: User) =>
  (
    await store.database.run(unprepared("SELECT subject, hidden FROM deleted_email WHERE user_id = $1 ORDER BY id"), [
      userId,
    ])
  ).map((row) => row);
const findings = ({ userId }: User) =>
  examineAccount({ store, objects: services.blobs.objects, log: silentLog, progress: () => {} }, userId);

/**
 * Does what a program does, and tells all that it is answered, but for ids of bodies, which have random Message-IDs, and states,
 * which count operators' acts, too.
 */
async function live(one: User): Promise<string> {
  const answers: unknown[] = [];
  const call = async (name: string, args: Json) => {
    const answer = await one.client.call(name, args);
    answers.push(answer);
    return answer;
  };
  const draft = { keywords: { $draft: true }, subject: "draft" };
  const first = await create(one, draft, "drafts");
  const replacing = { create: { b: { mailboxIds: { [one.mailbox("drafts")]: true }, ...draft } }, destroy: [first] };
  await call("Email/set", replacing);
  const mail = await create(one, { subject: "contract" });
  await call("Email/set", { destroy: [mail] });
  await call("DeletedEmail/list", {});
  await call("DeletedEmail/restore", { ids: [first] });
  await call("Quota/get", { ids: null, properties: ["used", "hardLimit"] });
  await call("Mailbox/get", { ids: null });
  await call("Email/changes", { sinceState: "1-0" });
  await sweepTo(now + 40 * day);
  await call("DeletedEmail/list", {});
  await call("DeletedEmail/restore", { ids: [mail] });
  await call("Email/get", { ids: [first, mail] });
  await call("Quota/get", { ids: null, properties: ["used"] });
  return JSON.stringify(answers)
    .replaceAll(/"(blobId|accountId)":"[^"]*"|"\w*[sS]tate":"[^"]*"/g, "")
    .replaceAll(one.address, "");
}

test("under a hold all that is destroyed is kept, and no answer differs from that of an account without one", async () => {
  const [held, free] = [await user("held"), await user("free")];
  const hold = await placeHold(admin, { scope: held.address, reason: "case 17" });
  expect(hold).toMatchObject({ scope: held.address, reason: "case 17", accounts: 1 });
  const start = now;
  const told = await live(held);
  now = start;
  expect(told).toBe(await live(free));
  expect(await kept(free)).toEqual([]);
  expect(await kept(held)).toEqual([
    { subject: "draft", hidden: true },
    { subject: "contract", hidden: false },
  ]);
  // Their bodies, too.
  expect(await findings(held)).toEqual([]);

  for (const work of [
    () => previewErasure(admin, held.address),
    () =>
      eraseAccount(
        admin,
        { objects: services.blobs.objects, cache: undefined, log: silentLog },
        { text: held.address },
      ),
  ]) {
    await expect(work()).rejects.toEqual(new Refused({ type: "heldByLaw", login: held.address }));
  }
  await removeAccount(admin, held.address);
  await sweepTo(now + 40 * day);
  expect(await kept(held)).toHaveLength(2);
  await undeleteAccount(admin, held.address);

  expect(await liftHold(admin, hold.id)).toMatchObject({ scope: held.address });
  await sweepTo(now + day);
  expect(await kept(held)).toEqual([]);
  await expect(liftHold(admin, hold.id)).rejects.toEqual(new Refused({ type: "noHold", id: hold.id }));
}, 30_000);

test("a domain's hold covers accounts that are made later, until the last of several is lifted", async () => {
  const first = await user("first");
  const one = await placeHold(admin, { scope: domain, reason: "case 18" });
  expect((await placeHold(admin, { scope: `@${domain}`, reason: "case 18" })).id).toBe(one.id);
  const two = await placeHold(admin, { scope: domain, reason: "case 19" });
  const later = await user("later");
  expect((await holdsOf(admin)).filter(({ scope }) => scope === `@${domain}`)).toHaveLength(2);
  await liftHold(admin, one.id);
  for (const each of [first, later]) {
    await each.client.call("Email/set", { destroy: [await create(each, { subject: "x" })] });
  }
  await sweepTo(now + 40 * day);
  for (const each of [first, later]) expect(await kept(each)).toHaveLength(1);
  await liftHold(admin, two.id);
  await sweepTo(now + day);
  for (const each of [first, later]) expect(await kept(each)).toEqual([]);
  await expect(placeHold(admin, { scope: `nobody@${domain}`, reason: "x" })).rejects.toThrow("noAccount");
}, 30_000);

test("a rule destroys old mail of its mailbox, for good; a hold keeps it, and a rule that keeps mail goes first", async () => {
  const [ann, bob] = [await user("ann"), await user("bob")];
  const at = (days: number) => ({ receivedAt: new Date(now - days * day).toISOString().replace(/\.\d+/, "") });
  for (const one of [ann, bob]) {
    await create(one, { subject: "old trash", ...at(31) }, "trash");
    await create(one, { subject: "new trash", ...at(29) }, "trash");
    await create(one, { subject: "old inbox", ...at(300) });
  }
  const hold = await placeHold(admin, { scope: bob.address, reason: "case 20" });
  const rule = await setRule(admin, { scope: domain, mailbox: "trash", destroyAfter: 30, keepFor: null });
  const mine = (done: { rule: string; login: string; emails: number }[]) => done.filter((one) => one.rule === rule.id);
  const each = [ann, bob].map(({ address }) => ({ rule: rule.id, login: address, emails: 1 }));
  expect(mine(await runRetention(admin, { isDry: true }))).toEqual(each);
  expect(mine(await runRetention(admin, { isDry: false }))).toEqual(each);
  expect(mine(await runRetention(admin, { isDry: false }))).toEqual([]);
  for (const one of [ann, bob]) {
    expect(await one.client.call("Email/query", {})).toMatchObject({ ids: [expect.any(String), expect.any(String)] });
    expect(await one.client.call("DeletedEmail/list", {})).toMatchObject({ list: [] });
    expect(await findings(one)).toEqual([]);
  }
  expect(await kept(ann)).toEqual([]);
  expect(await kept(bob)).toEqual([{ subject: "old trash", hidden: true }]);
  await liftHold(admin, hold.id);

  const keeping = await setRule(admin, { scope: ann.address, mailbox: null, destroyAfter: null, keepFor: 365 });
  now += 5 * day;
  expect(mine(await runRetention(admin, { isDry: false }))).toEqual([{ rule: rule.id, login: bob.address, emails: 1 }]);
  const { ids } = (await ann.client.call("Email/query", {})) as { ids: string[] };
  await ann.client.call("Email/set", { destroy: ids });
  await sweepTo(now + 60 * day);
  // The mail of 300 days is 365 old now, the other is not.
  expect(await kept(ann)).toEqual([{ subject: "new trash", hidden: false }]);
  expect(await removeRule(admin, keeping.id)).toMatchObject({ scope: ann.address });
  await sweepTo(now + day);
  expect(await kept(ann)).toEqual([]);
  await setRule(admin, { scope: domain, mailbox: "trash", destroyAfter: 7, keepFor: null });
  expect((await rulesOf(admin)).filter(({ scope }) => scope === `@${domain}`)).toMatchObject([{ destroyAfter: 7 }]);
}, 30_000);

test("a rule of a mailbox leaves mail that lies elsewhere, too; a removed account stays while a rule keeps mail of it", async () => {
  const ann = await user("ann");
  const receivedAt = new Date(now - 31 * day).toISOString().replace(/\.\d+/, "");
  const mailboxIds = { [ann.mailbox("trash")]: true, [ann.mailbox("archive")]: true };
  await ann.client.call("Email/set", { create: { a: { mailboxIds, subject: "in both", receivedAt } } });
  await setRule(admin, { scope: ann.address, mailbox: "trash", destroyAfter: 30, keepFor: null });
  const mine = async () => (await runRetention(admin, { isDry: false })).filter(({ login }) => login === ann.address);
  expect(await mine()).toEqual([]);
  await setRule(admin, { scope: ann.address, mailbox: null, destroyAfter: null, keepFor: 100 });
  await removeAccount(admin, ann.address);
  await sweepTo(now + 60 * day);
  await undeleteAccount(admin, ann.address);
  expect(await ann.client.call("Email/query", {})).toMatchObject({ ids: [expect.any(String)] });
  await removeAccount(admin, ann.address);
  await sweepTo(now + 40 * day);
  const gone = new Refused({ type: "notRemoved", login: ann.address });
  await expect(undeleteAccount(admin, ann.address)).rejects.toEqual(gone);
}, 30_000);
