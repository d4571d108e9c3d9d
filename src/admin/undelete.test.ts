import { beforeAll, beforeEach, expect, test } from "vitest";
import { testAdmin } from "../../test/support/admin.ts";
import { createMailServices } from "../../test/support/mail.ts";
import { createTestStore } from "../../test/support/postgres.ts";
import { createAuthenticator } from "../auth/authenticator.ts";
import { silentLog } from "../base/log.ts";
import { OwnCounts } from "../base/own-counts.ts";
import { prepareMessage } from "../mail/deliver/prepare.ts";
import { unprepared } from "../store/core/sql.ts";
import type { Store } from "../store/core/store.ts";
import { findAddress } from "../store/directory/recipients.ts";
import { destroyEmails, findEmails } from "../store/mail/emails.ts";
import { Sweeper } from "../store/upkeep/sweeps.ts";
import { addAccount, removeAccount } from "./accounts.ts";
import { addAddress } from "./addresses.ts";
import type { Admin } from "./admin.ts";
import { Refused } from "./refused.ts";
import { share } from "./shares.ts";
import { addToken } from "./tokens.ts";
import { previewUndelete, removedAccountOf, undeleteAccount, undeleteEmails } from "./undelete.ts";

const day = 24 * 3600_000;
let now = Date.now();
const clock = { now: () => new Date(now) };
let store: Store;
let admin: Admin;
let services: ReturnType<typeof createMailServices>;
let count = 0;
let ann: string;
let annId: number;

beforeAll(async () => {
  store = await createTestStore({ clock });
  admin = testAdmin(store);
  services = createMailServices(store);
});
beforeEach(async () => {
  now = Date.now();
  ann = `ann@back${++count}.example`;
  ({ userId: annId } = await addAccount(admin, { address: ann, name: "Ann", password: "sesame", quota: 0 }));
});

async function put(subject: string): Promise<number> {
  const bytes = Buffer.from(`Subject: ${subject}\r\n\r\n${subject}`);
  const blob = await services.blobs.put(bytes);
  const outcome = await services.ingest.add(annId, {
    ...{ blob, prepared: prepareMessage(bytes), target: { role: "inbox" }, keywords: [], receivedAt: clock.now() },
  });
  return "email" in outcome ? outcome.email.id : 0;
}
const destroy = (ids: number[]) =>
  store.write(annId, "server", async (tx) => destroyEmails(tx, await findEmails(tx, ids)));
const run = (text: string, values: unknown[] = [annId]) =>
  store.database.run(unprepared(`/* test */ -- crosses accounts\n${text}`), values);
const subjects = async () =>
  (await run("SELECT subject FROM message WHERE user_id = $1 ORDER BY 1")).map(({ subject }) => subject);
const signIn = async (password: string) => {
  const counts = new OwnCounts({ clock });
  const authenticator = createAuthenticator({ store, clock, log: silentLog, counts });
  const basic = Buffer.from(`${ann}:${password}`).toString("base64");
  return authenticator.authenticate(`Basic ${basic}`, "192.0.2.1").catch(() => undefined);
};

test("what was destroyed since a time comes back, in portions, and a second run finds nothing", async () => {
  const old = await put("old");
  await destroy([old]);
  now += 2 * 3600_000;
  const since = new Date(now - 3600_000);
  const ids = [];
  for (let n = 0; n < 70; n++) ids.push(await put(`mail ${n}`));
  await destroy(ids);
  expect(await previewUndelete(admin, ann, since)).toMatchObject({ login: ann, count: 70 });
  const told: string[] = [];
  const done = await undeleteEmails(admin, services.blobs, { text: ann, since, tell: (text) => told.push(text) });
  expect(done).toEqual({ login: ann, restored: 70, overQuota: 0, bodyMissing: 0 });
  expect(told).toEqual(["emails: 64 of 70", "emails: 70 of 70"]);
  expect(await subjects()).toHaveLength(70);
  expect(await undeleteEmails(admin, services.blobs, { text: ann, since })).toMatchObject({ restored: 0 });
  expect(await run("SELECT what FROM audit WHERE user_id = $1 ORDER BY seq DESC LIMIT 1")).toEqual([
    { what: { act: "account.undelete", emails: 70, since: since.toISOString() } },
  ]);
}, 20_000);

test("a removed account opens no more and gets no mail, and comes back with all that was in it", async () => {
  const alias = `office@${ann.split("@")[1]}`;
  await addAddress(admin, alias, ann);
  const bo = `bo@${ann.split("@")[1]}`;
  await addAccount(admin, { address: bo, name: "", password: "sesame", quota: 0 });
  await share(admin, ann, bo);
  await put("kept");
  await addToken(admin, ann, { label: "x", days: undefined });
  const rows = async () => {
    const all = ["email", "mailbox", "identity", "message", "search"].map((table) =>
      run(`SELECT * FROM ${table} WHERE user_id = $1 ORDER BY 1, 2`),
    );
    return Promise.all(all);
  };
  const before = await rows();
  expect(await removeAccount(admin, ann)).toMatchObject({ login: ann, emails: 1 });
  expect(await signIn("sesame")).toBeUndefined();
  for (const address of [ann, alias]) expect(await findAddress(store.database, address)).toBeUndefined();
  expect(await run("SELECT FROM token WHERE user_id = $1")).toEqual([]);
  expect(await run("SELECT FROM account_access WHERE account_id = $1")).toEqual([]);

  expect(await undeleteAccount(admin, ann)).toEqual({ login: ann, taken: [] });
  expect(await signIn("sesame")).toMatchObject({ userId: annId });
  for (const address of [ann, alias]) expect(await findAddress(store.database, address)).toBe(annId);
  expect(await rows()).toEqual(before);
  expect(await run("SELECT login FROM account_access WHERE account_id = $1")).toEqual([{ login: bo }]);
  await expect(undeleteAccount(admin, ann)).rejects.toEqual(new Refused({ type: "notRemoved", login: ann }));
});

test("an address that somebody else has by now stays theirs, and the main one keeps the account away", async () => {
  const alias = `sales@${ann.split("@")[1]}`;
  await addAddress(admin, alias, ann);
  await removeAccount(admin, ann);
  const other = await addAccount(admin, { address: ann, name: "", password: "another", quota: 0 });
  expect(await removedAccountOf(admin, ann)).toBeUndefined();
  await expect(undeleteAccount(admin, ann)).rejects.toEqual(new Refused({ type: "notRemoved", login: ann }));
  now += 1000;
  // That one goes as well: it is the one that comes back.
  await addAddress(admin, alias, ann);
  await removeAccount(admin, ann);
  expect((await removedAccountOf(admin, ann))?.accountId).toBe(other.userId);
});

test("after 30 days all of a removed account is gone", async () => {
  await put("gone");
  await removeAccount(admin, ann);
  const sweep = () => new Sweeper({ store, objects: services.blobs.objects, log: silentLog }).run();
  now += 29 * day;
  await sweep();
  expect(await subjects()).toEqual(["gone"]);
  now += 2 * day;
  await sweep();
  expect(await subjects()).toEqual([]);
  expect(await run("SELECT FROM account WHERE user_id = $1")).toEqual([]);
  await expect(undeleteAccount(admin, ann)).rejects.toEqual(new Refused({ type: "notRemoved", login: ann }));
}, 20_000);

test("a removal that was interrupted is finished or undone, and no sweep takes the account meanwhile", async () => {
  const broken = Object.create(store, { write: { value: () => Promise.reject(new Error("killed")) } }) as Store;
  const alias = `office@${ann.split("@")[1]}`;
  await addAddress(admin, alias, ann);
  await put("kept");
  await expect(removeAccount({ ...admin, store: broken }, ann)).rejects.toThrow("killed");
  now += 40 * day;
  await new Sweeper({ store, objects: services.blobs.objects, log: silentLog }).run();
  expect(await subjects()).toEqual(["kept"]);
  await removeAccount(admin, ann);
  expect(await undeleteAccount(admin, ann)).toEqual({ login: ann, taken: [] });
  expect(await findAddress(store.database, alias)).toBe(annId);
}, 20_000);
