import { beforeAll, describe, expect, test } from "vitest";
import { testAdmin } from "../../../test/support/admin.ts";
import { operatorClient } from "../../../test/support/operator-client.ts";
import { createTestStore } from "../../../test/support/postgres.ts";
import { queueMail } from "../../../test/support/queued-mail.ts";
import { addAccount } from "../../admin/accounts.ts";
import { addAddress } from "../../admin/addresses.ts";
import type { Admin } from "../../admin/admin.ts";
import { addSuppression } from "../../admin/feedback.ts";
import { maskAddress } from "../../admin/masked-addresses.ts";
import { addOperator, type Operator } from "../../admin/operators.ts";
import { share } from "../../admin/shares.ts";
import { holdSender } from "../../admin/standing.ts";
import { addAppPassword } from "../../admin/tokens.ts";
import { decodeId, encodeId } from "../../base/ids.ts";
import { silentLog } from "../../base/log.ts";
import type { Store } from "../../store/core/store.ts";
import { auditBefore } from "../../store/directory/audit.ts";
import { StoredMailLog } from "../../store/queues/mail-log.ts";
import { addToQuarantine } from "../../store/queues/quarantine.ts";
import { keepReport } from "../../store/queues/received-reports.ts";
import { idOfText } from "./records.ts";

type Json = Record<string, unknown>;
const password = "correct horse";

let store: Store;
let admin: Admin;
const ids: Record<string, string> = {};
const numbers: Record<string, number> = {};

const client = (operator: Operator) => operatorClient(store, operator);
let all: ReturnType<typeof client>;
let ofA: ReturnType<typeof client>;
let looks: ReturnType<typeof client>;

beforeAll(async () => {
  store = await createTestStore();
  all = client({ login: "root@a.test", role: "admin", domains: null });
  ofA = client({ login: "head@a.test", role: "domain-admin", domains: ["a.test"] });
  looks = client({ login: "eye@a.test", role: "read-only", domains: null });
  admin = testAdmin(store);
  for (const name of ["root@a.test", "head@a.test", "eye@a.test", "ann@a.test", "bob@b.test"]) {
    const { userId } = await addAccount(admin, { address: name, name: "", password, quota: 0 });
    ids[name] = encodeId("u", userId);
    numbers[name] = userId;
  }
  await addOperator(admin, "root@a.test", { role: "admin", domains: [] });
  await addOperator(admin, "head@a.test", { role: "domain-admin", domains: ["a.test"] });
  await addOperator(admin, "eye@a.test", { role: "read-only", domains: [] });
  await addAddress(admin, "sales@a.test", "ann@a.test");
  await addAddress(admin, "sales@b.test", "bob@b.test");
  // Bob's account has an address in the other domain, and Ann's is open to him.
  await addAddress(admin, "bob@a.test", "bob@b.test");
  await share(admin, "bob@b.test", "ann@a.test");
  ids.annApp = `${ids["ann@a.test"]}_${(await addAppPassword(admin, "ann@a.test", "phone")).id}`;
  ids.bobApp = `${ids["bob@b.test"]}_${(await addAppPassword(admin, "bob@b.test", "phone")).id}`;
  for (const name of ["ann", "bob"] as const) {
    const login = name === "ann" ? "ann@a.test" : "bob@b.test";
    ids[`${name}Mask`] = idOfText("k", `${ids[login]} ${await maskAddress(admin, login, "a shop")}`);
  }
  ids.annMail = await queueMail(store, numbers["ann@a.test"]!, "ann@a.test", "far@c.test");
  await beGuarded();
  ids.bobMail = await queueMail(store, numbers["bob@b.test"]!, "bob@b.test", "far@c.test");
});

/** Both users' mail is held, both have a suppressed address, an infected mail and a report; one more mail is for both. */
async function beGuarded(): Promise<void> {
  const names = { ann: "ann@a.test", bob: "bob@b.test" } as const;
  for (const [name, login] of Object.entries(names)) {
    await holdSender(admin, login, { reason: "why not", isDryRun: false });
    await addSuppression(admin, `gone-${name}@c.test`, { account: login, reason: "550 5.1.1" });
    ids[`${name}Suppression`] = idOfText("x", `${ids[login]} gone-${name}@c.test`);
    const domain = login.replace(/.*@/, "");
    const at = new Date();
    const report = { id: `00${name === "ann" ? "a" : "b"}`, kind: "dmarc", domain, organization: "Far", reportId: "r" };
    const rest = { sender: "noreply@far.test", begins: at, ends: at, receivedAt: at, policy: {} };
    const row = { source: "192.0.2.1", result: "pass", number: 3, what: {} };
    await keepReport(store.database, { ...report, ...rest }, [row, { ...row, result: "fail", number: 2 }]);
    ids[`${name}Report`] = report.id;
  }
  await addSuppression(admin, "nobody@c.test", { account: undefined, reason: "asked for it" });
  ids.allSuppression = idOfText("x", "all nobody@c.test");
  const infected = { ann: ["ann@a.test"], bob: ["bob@b.test"], both: ["ann@a.test", "bob@b.test"] };
  for (const [at, [name, to]] of Object.entries(infected).entries()) {
    const recipients = to.map((address) => ({ address, userId: numbers[address]!, done: false }));
    const blob = { sha256: Buffer.alloc(32, at), day: "2026-12-01", size: 10 };
    const more = { attempts: 0, failures: 0, junkReason: null, authentication: null, unscanned: false, spam: null };
    const message = { id: at + 1, createdAt: new Date(), blob, mailFrom: "x@c.test", recipients, ...more };
    await addToQuarantine(store.database, message, "Eicar");
    ids[`${name}Virus`] = encodeId("q", at + 1);
  }
}

const listOf = async (call: typeof all, type: string, filter: Json = {}) =>
  ((await call(`${type}/query`, { filter })) as { ids?: string[] }).ids ?? [];
const refused = (answer: Json) =>
  Object.values({ ...(answer.notCreated as Json), ...(answer.notUpdated as Json), ...(answer.notDestroyed as Json) });

describe("an administrator of a domain", () => {
  test("lists what is of its domain, and nothing else", async () => {
    const logins = async (call: typeof all) => {
      const { list } = (await call("Account/get", { ids: await listOf(call, "Account") })) as { list: Json[] };
      return list.map(({ login }) => login);
    };
    expect(await logins(all)).toEqual(["ann@a.test", "bob@b.test", "eye@a.test", "head@a.test", "root@a.test"]);
    expect(await logins(ofA)).toEqual(["ann@a.test", "eye@a.test", "head@a.test", "root@a.test"]);
    expect(await listOf(ofA, "Account", { domain: "b.test" })).toEqual([]);
    expect(await listOf(ofA, "Domain")).toEqual([idOfText("d", "a.test")]);
    expect(await listOf(all, "Domain")).toHaveLength(2);
    const addresses = (await ofA("Address/get", { ids: await listOf(all, "Address") })) as { list: Json[] };
    expect(addresses.list.every(({ address }) => String(address).endsWith("@a.test"))).toBe(true);
    // Whose it is, is not told: the account is another domain's.
    expect(addresses.list.find(({ address }) => address === "bob@a.test")!.login).toBeNull();
    expect(await listOf(ofA, "QueuedMessage")).toEqual([ids.annMail]);
    expect((await listOf(all, "QueuedMessage")).sort()).toEqual([ids.annMail, ids.bobMail].sort());
    expect(await listOf(ofA, "QueuedMessage", { sender: "bob@b.test" })).toEqual([]);
    expect(await listOf(ofA, "Credential", { accountId: ids["bob@b.test"]! })).toEqual([]);
    expect(await listOf(ofA, "Credential", { accountId: ids["ann@a.test"]! })).toEqual([ids.annApp]);
    expect(await listOf(ofA, "MaskedAddress", { accountId: ids["bob@b.test"]! })).toEqual([]);
    expect(await listOf(ofA, "MaskedAddress", { accountId: ids["ann@a.test"]! })).toEqual([ids.annMask]);
    expect(await listOf(ofA, "Standing")).toEqual([ids["ann@a.test"]]);
    expect(await listOf(all, "Standing")).toHaveLength(2);
    expect(await listOf(ofA, "Report")).toEqual([ids.annReport]);
    expect(await listOf(ofA, "Report", { domain: "b.test" })).toEqual([]);
    expect(await listOf(all, "Report")).toHaveLength(2);
    expect(await listOf(ofA, "Suppression")).toEqual([]);
    expect(await listOf(all, "Suppression")).toEqual([ids.allSuppression]);
    expect(await listOf(ofA, "Suppression", { accountId: ids["bob@b.test"] })).toEqual([]);
    expect(await listOf(ofA, "Suppression", { accountId: ids["ann@a.test"] })).toEqual([ids.annSuppression]);
    expect(await listOf(ofA, "Quarantined")).toEqual([ids.bothVirus, ids.annVirus]);
    expect(await listOf(all, "Quarantined")).toEqual([ids.bothVirus, ids.bobVirus, ids.annVirus]);
    expect(await listOf(ofA, "AuditEntry")).toEqual([]);
    expect((await listOf(all, "AuditEntry")).length).toBeGreaterThan(0);
    expect(await listOf(ofA, "AuditEntry", { accountId: ids["bob@b.test"] })).toEqual([]);
    expect((await listOf(ofA, "AuditEntry", { accountId: ids["ann@a.test"] })).length).toBeGreaterThan(0);
  });

  test("does not learn who else got an infected mail", async () => {
    const [shown] = (await ofA("Quarantined/get", { ids: [ids.bothVirus] })).list as Json[];
    expect(shown!.recipients).toEqual(["ann@a.test"]);
  });

  test.each([
    ["Account", () => ids["bob@b.test"]!],
    ["Address", () => idOfText("a", "sales@b.test")],
    ["Credential", () => ids.bobApp!],
    ["Domain", () => idOfText("d", "b.test")],
    ["MaskedAddress", () => ids.bobMask!],
    ["QueuedMessage", () => ids.bobMail!],
    ["Standing", () => ids["bob@b.test"]!],
    ["Suppression", () => ids.bobSuppression!],
    ["Suppression", () => ids.allSuppression!],
    ["Quarantined", () => ids.bobVirus!],
    ["Report", () => ids.bobReport!],
    ["AuditEntry", () => `${ids["bob@b.test"]}_1`],
    ["AuditEntry", () => "all_1"],
  ])("%s/get finds nothing of another domain, though it is named", async (type, id) => {
    expect((await all(`${type}/get`, { ids: [id()] })).list).toHaveLength(1);
    expect(await ofA(`${type}/get`, { ids: [id()] })).toEqual({ list: [], notFound: [id()] });
  });

  test.each<[what: string, name: string, args: () => Json]>([
    ["a name", "Account/set", () => ({ update: { [ids["bob@b.test"]!]: { name: "x" } } })],
    ["a password", "Account/set", () => ({ update: { [ids["bob@b.test"]!]: { password: "longer than 8" } } })],
    ["a new account", "Account/set", () => ({ create: { n: { login: "new@b.test", password } } })],
    ["a removal", "Account/set", () => ({ destroy: [ids["bob@b.test"]!] })],
    [
      "a share with it",
      "Account/set",
      () => ({ update: { [ids["ann@a.test"]!]: { shares: { add: ["bob@b.test"] } } } }),
    ],
    ["an alias there", "Address/set", () => ({ create: { n: { address: "x@b.test", login: "ann@a.test" } } })],
    ["an alias for it", "Address/set", () => ({ create: { n: { address: "x@a.test", login: "bob@b.test" } } })],
    ["an alias of it here", "Address/set", () => ({ destroy: [idOfText("a", "bob@a.test")] })],
    ["a forward", "Address/set", () => ({ update: { [idOfText("a", "sales@b.test")]: { forwards: ["x@c.test"] } } })],
    [
      "a token",
      "Credential/set",
      () => ({ create: { n: { accountId: ids["bob@b.test"]!, kind: "token", label: "x" } } }),
    ],
    ["a revocation", "Credential/set", () => ({ destroy: [ids.bobApp!] })],
    ["a new domain", "Domain/set", () => ({ create: { n: { name: "c.test" } } })],
    ["a removed domain", "Domain/set", () => ({ destroy: [idOfText("d", "a.test")] })],
    ["keys", "Domain/set", () => ({ update: { [idOfText("d", "a.test")]: { rotation: "go-on" } } })],
    ["a policy", "Domain/set", () => ({ update: { [idOfText("d", "a.test")]: { mtaSts: null } } })],
    ["a mask", "MaskedAddress/set", () => ({ create: { n: { accountId: ids["bob@b.test"]!, label: "x" } } })],
    ["a closed mask", "MaskedAddress/set", () => ({ update: { [ids.bobMask!]: { isPaused: true } } })],
    [
      "a mask under another account's name",
      "MaskedAddress/set",
      () => {
        const [, email] = Buffer.from(ids.bobMask!.slice(1), "base64url").toString().split(" ");
        return { update: { [idOfText("k", `${ids["ann@a.test"]} ${email}`)]: { isPaused: true } } };
      },
    ],
    ["an order", "QueuedMessage/set", () => ({ update: { [ids.bobMail!]: { order: { act: "hold" } } } })],
    ["a lifted hold", "Standing/set", () => ({ update: { [ids["bob@b.test"]!]: { hold: null } } })],
    ["limits", "Standing/set", () => ({ update: { [ids["bob@b.test"]!]: { hourly: 1 } } })],
    ["a lifted suppression", "Suppression/set", () => ({ destroy: [ids.bobSuppression!] })],
    ["one of everybody's", "Suppression/set", () => ({ destroy: [ids.allSuppression!] })],
    ["a suppression", "Suppression/set", () => ({ create: { n: { address: "x@c.test", reason: "x" } } })],
    ["an infected mail", "Quarantined/set", () => ({ update: { [ids.bobVirus!]: { isReleased: true } } })],
    ["one that is for others too", "Quarantined/set", () => ({ update: { [ids.bothVirus!]: { isReleased: true } } })],
    ["its deletion", "Quarantined/set", () => ({ destroy: [ids.bothVirus!] })],
    ["an operator", "Operator/set", () => ({ create: { n: { login: "ann@a.test", role: "admin" } } })],
    ["its own role", "Operator/set", () => ({ create: { n: { login: "head@a.test", role: "admin" } } })],
    ["a removed operator", "Operator/set", () => ({ destroy: [idOfText("o", "root@a.test")] })],
  ])("changes nothing of another domain or of the whole: %s", async (_, name, args) => {
    const before = await chains();
    const answer = await ofA(name, args());
    expect(refused(answer).map((error) => (error as Json).type)).toEqual([
      expect.stringMatching(/^(forbidden|notFound)$/),
    ]);
    expect(await chains()).toEqual(before);
  });

  test.each(["root@a.test", "eye@a.test"])(
    "gets no hold of %s, who may more, though it is in its domain",
    async (login) => {
      const id = ids[login]!;
      for (const patch of [{ password: "longer than 8" }, { signIns: "end" }, { name: "x" }, { quota: 1 }]) {
        expect(refused(await ofA("Account/set", { update: { [id]: patch } }))).toMatchObject([{ type: "forbidden" }]);
      }
      expect(refused(await ofA("Account/set", { destroy: [id] }))).toMatchObject([{ type: "forbidden" }]);
      const app = { accountId: id, kind: "app-password", label: "x" };
      expect(refused(await ofA("Credential/set", { create: { n: app } }))).toMatchObject([{ type: "forbidden" }]);
      const alias = { address: "taken@a.test", login };
      expect(refused(await ofA("Address/set", { create: { n: alias } }))).toMatchObject([{ type: "forbidden" }]);
    },
  );

  test("does within its domain what is to be done, each with its name in the audit", async () => {
    const made = await ofA("Account/set", { create: { n: { login: "carl@a.test", password, name: "Carl" } } });
    const { id } = (made.created as { n: { id: string } }).n;
    expect((await ofA("Account/get", { ids: [id], properties: ["name", "addresses"] })).list).toEqual([
      { id, name: "Carl", addresses: [{ address: "carl@a.test", forwards: [], keepsCopy: true }] },
    ]);
    const patch = {
      name: "C",
      quota: 5_000_000,
      password: "another one",
      signIns: "end",
      shares: { add: ["ann@a.test"] },
    };
    expect((await ofA("Account/set", { update: { [id]: patch } })).updated).toEqual({ [id]: null });
    await ofA("Address/set", { create: { n: { address: "c@a.test", login: "carl@a.test" } } });
    const token = await ofA("Credential/set", {
      create: { n: { accountId: id, kind: "token", label: "script", days: 3 } },
    });
    expect(token.created).toMatchObject({ n: { secret: expect.stringMatching(/^posthorn_/) } });
    const rows = await auditBefore(store.database, decodeId("u", id)!, { before: 1e9, limit: 20 });
    expect(rows.map(({ who, what }) => [who, what.act]).reverse()).toEqual([
      ["head@a.test", "account.add"],
      ["head@a.test", "account.name"],
      ["head@a.test", "account.quota"],
      ["head@a.test", "account.password"],
      ["head@a.test", "account.sign-out"],
      ["head@a.test", "account.share"],
      ["head@a.test", "address.add"],
      ["head@a.test", "token.add"],
    ]);
    expect((await ofA("Account/set", { destroy: [id] })).destroyed).toEqual([id]);
    expect((await ofA("Account/get", { ids: [id] })).notFound).toEqual([id]);
  });

  test("is told nothing of the whole installation", async () => {
    expect(await ofA("Overview/get")).toMatchObject({ state: null, findings: [], hour: null, queue: null });
    expect(await ofA("Metrics/get")).toMatchObject({ type: "forbidden" });
    expect(await ofA("Operator/query")).toMatchObject({ type: "forbidden" });
    expect(await ofA("Operator/get", { ids: [idOfText("o", "root@a.test")] })).toMatchObject({ type: "forbidden" });
  });
});

describe("a read-only operator", () => {
  test("sees everything", async () => {
    expect(await listOf(looks, "Account")).toHaveLength(5);
    expect(await listOf(looks, "Operator")).toHaveLength(3);
    expect((await looks("Overview/get")).state).toBe("good");
  });

  test.each([
    ...["Account", "Address", "Credential", "Domain", "Operator"],
    ...["MaskedAddress", "QueuedMessage", "Quarantined", "Standing", "Suppression"],
  ])("%s/set is refused, whatever it asks", async (type) => {
    const before = await chains();
    expect(await looks(`${type}/set`, { create: { n: {} }, destroy: ["x"] })).toMatchObject({ type: "forbidden" });
    expect(await looks(`${type}/set`)).toMatchObject({ type: "forbidden" });
    expect(await chains()).toEqual(before);
  });
});

describe("lists", () => {
  test("come page by page, in order, and the last page says so", async () => {
    const seen: string[] = [];
    let after: unknown = null;
    for (let page = 0; page < 10; page++) {
      const { ids: some, next } = (await all("Account/query", { limit: 2, after })) as { ids: string[]; next: string };
      expect(some.length).toBeLessThanOrEqual(2);
      seen.push(...some);
      after = next;
      if (next === null) break;
    }
    expect(seen).toEqual(await listOf(all, "Account"));
    expect(after).toBeNull();
  });

  test("more than 100 are never listed at once, and the answer says how many were", async () => {
    expect((await all("Account/query", { limit: 5_000 })).limit).toBe(100);
  });

  test("begin with what is typed; signs of patterns stand for themselves", async () => {
    expect(await listOf(all, "Account", { begins: "Bob" })).toEqual([ids["bob@b.test"]]);
    expect(await listOf(all, "Account", { begins: "%" })).toEqual([]);
    expect(await listOf(all, "Account", { domain: "B.test" })).toEqual([ids["bob@b.test"]]);
  });

  test("an unknown property, filter or member is an error", async () => {
    expect(await all("Account/get", { ids: [], properties: ["password"] })).toMatchObject({ type: "invalidArguments" });
    expect(await all("Account/query", { filter: { password: "x" } })).toMatchObject({ type: "invalidArguments" });
    expect(await all("Account/get", { ids: ["nonsense", "u0"] })).toEqual({ list: [], notFound: ["nonsense", "u0"] });
    const bad = { create: { n: { login: "x@a.test", password, isAdmin: true } } };
    expect(refused(await all("Account/set", bad))).toMatchObject([{ type: "invalidProperties" }]);
  });
});

test("an operator cannot take its own role, nor remove its own account", async () => {
  expect(refused(await all("Operator/set", { destroy: [idOfText("o", "root@a.test")] }))).toMatchObject([
    { type: "forbidden", description: "ownRole" },
  ]);
  expect(refused(await all("Account/set", { destroy: [ids["root@a.test"]!] }))).toMatchObject([{ type: "forbidden" }]);
});

test("held mail goes, limits are set, a suppression is lifted and an infected mail delivered, each with its name", async () => {
  const id = ids["bob@b.test"]!;
  const set = async (type: string, args: Json) => expect(refused(await all(`${type}/set`, args))).toEqual([]);
  await set("Standing", { update: { [id]: { hourly: 5, daily: null } } });
  await set("Standing", { update: { [id]: { hold: null } } });
  expect((await all("Standing/get", { ids: [id], properties: ["hold", "hourly", "sent"] })).list).toMatchObject([
    { hold: null, hourly: 5, sent: { hour: { messages: 0 } } },
  ]);
  await set("Suppression", { destroy: [ids.bobSuppression!] });
  await set("Suppression", { create: { n: { accountId: id, address: "again@c.test", reason: "no" } } });
  await set("Quarantined", { update: { [ids.bothVirus!]: { isReleased: true } }, destroy: [ids.bobVirus!] });
  expect(await listOf(all, "Quarantined")).toEqual([ids.annVirus]);
  const entries = (await all("AuditEntry/get", { ids: await listOf(all, "AuditEntry", { accountId: id }) }))
    .list as Json[];
  expect(entries.slice(0, 4).map(({ who, what }) => [who, (what as Json).act])).toEqual([
    ["root@a.test", "suppression.add"],
    ["root@a.test", "suppression.remove"],
    ["root@a.test", "standing.lift"],
    ["root@a.test", "standing.limits"],
  ]);
  const ofWhole = (await all("AuditEntry/get", { ids: await listOf(all, "AuditEntry") })).list as Json[];
  expect(ofWhole.slice(0, 2).map(({ what }) => (what as Json).act)).toEqual([
    "quarantine.delete",
    "quarantine.release",
  ]);
  expect(
    (await all("Report/get", { ids: [ids.annReport!], properties: ["passed", "failed", "rows"] })).list,
  ).toMatchObject([{ passed: 3, failed: 2, rows: [{ number: 3 }, { number: 2 }] }]);
});

test("why an act is refused is told by its name, with what it is about", async () => {
  const short = { create: { n: { login: "x@a.test", password: "short" } } };
  expect(refused(await all("Account/set", short))).toMatchObject([
    { type: "invalidProperties", properties: ["password"] },
  ]);
  const twice = { create: { n: { login: "ann@a.test", password } } };
  expect(refused(await all("Account/set", twice))).toMatchObject([
    { type: "alreadyExists", refusal: { type: "taken", address: "ann@a.test" } },
  ]);
  expect(refused(await all("Domain/set", { destroy: [idOfText("d", "b.test")] }))).toMatchObject([
    { type: "invalidProperties", refusal: { type: "domainInUse", name: "b.test" } },
  ]);
});

test("an order is carried out, and audited with who gave it", async () => {
  const order = async (given: Json) => all("QueuedMessage/set", { update: { [ids.annMail!]: { order: given } } });
  const shown = async () => ((await all("QueuedMessage/get", { ids: [ids.annMail!] })).list as Json[])[0] as Json;
  await all("Standing/set", { update: { [ids["ann@a.test"]!]: { hold: null } } });
  expect((await order({ act: "hold" })).updated).toEqual({ [ids.annMail!]: { changed: 1, trying: 0 } });
  expect((await shown()).deliveries).toMatchObject([{ state: "held", nextAttemptAt: null }]);
  expect(await listOf(all, "QueuedMessage", { state: "held" })).toEqual([ids.annMail]);
  expect(refused(await order({ act: "retry" }))).toMatchObject([{ type: "forbidden", description: "nothingToChange" }]);
  await order({ act: "release" });
  await order({ act: "reroute", host: "mx.c.test:26" });
  expect((await shown()).deliveries).toMatchObject([{ state: "waiting", route: "mx.c.test:26" }]);
  for (const host of ["two words", "a;b", "", "http://x"]) {
    expect(refused(await order({ act: "reroute", host }))).toHaveLength(1);
  }
  expect(refused(await order({ act: "bounce", reply: "no code" }))).toMatchObject([{ type: "invalidProperties" }]);
  expect(refused(await order({ act: "explode" }))).toMatchObject([{ type: "invalidProperties" }]);
  const rows = await auditBefore(store.database, numbers["ann@a.test"]!, { before: 1e9, limit: 3 });
  expect(rows.map(({ who, what }) => [who, what.act])).toEqual([
    ["root@a.test", "queue.reroute"],
    ["root@a.test", "queue.release"],
    ["root@a.test", "queue.hold"],
  ]);
});

/** The ends of all chains of the audit. */
async function chains(): Promise<unknown[]> {
  const all = [0, ...Object.values(numbers)];
  return Promise.all(all.map(async (id) => (await auditBefore(store.database, id, { before: 1e9, limit: 1 }))[0]?.seq));
}

describe("the story of a mail", () => {
  const step = (mailId: number, event: string, fields: Json) => ({ mailId, event, fields });
  beforeAll(async () => {
    const log = new StoredMailLog({ database: store.database, clock: store.clock, log: silentLog });
    const from = "far@c.test";
    for (const { mailId, event, fields } of [
      step(901, "mail in", { from, to: ["ann@a.test", "bob@b.test"], accounts: [1, 2], messageId: "<both@c.test>" }),
      step(901, "delivered", { from, to: ["ann@a.test"], account: 1 }),
      step(901, "delivered", { from, to: ["bob@b.test"], account: 2, reasons: ["a secret of Bob's"] }),
      step(902, "mail in", { from: "ann@a.test", to: ["bob@b.test"], messageId: "<forged@c.test>" }),
    ]) {
      log.tell(event, { id: mailId, ...fields });
    }
    await log.flush();
  });
  const stories = async (call: typeof all, about: string) =>
    (await call("MailTrace/find", { about })) as { list: Json[] };

  test("is found by id, Message-ID and address", async () => {
    for (const about of [encodeId("q", 901), "<both@c.test>", "bob@b.test"]) {
      const { list } = await stories(all, about);
      expect(list[0]).toMatchObject({ id: encodeId("q", 901), messageId: "<both@c.test>" });
      expect(list[0]!.events).toHaveLength(3);
    }
    expect((await stories(all, "never@c.test")).list).toEqual([]);
    expect(await stories(all, "nonsense")).toMatchObject({ type: "invalidArguments", description: "notAMail" });
  });

  test("tells a domain's administrator of its own recipients alone, whoever the sender claims to be", async () => {
    const { list } = await stories(ofA, "<both@c.test>");
    expect(list).toHaveLength(1);
    expect(JSON.stringify(list)).not.toMatch(/bob|Bob/);
    expect((list[0]!.events as Json[]).map(({ event }) => event)).toEqual(["mail in", "delivered"]);
    expect((await stories(ofA, "bob@b.test")).list.map(({ id }) => id)).toEqual([encodeId("q", 901)]);
    expect((await stories(ofA, encodeId("q", 902))).list).toEqual([]);
  });
});
