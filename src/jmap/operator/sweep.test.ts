import { beforeAll, describe, expect, test } from "vitest";
import { testAdmin } from "../../../test/support/admin.ts";
import { startDns } from "../../../test/support/dns.ts";
import { operatorClient } from "../../../test/support/operator-client.ts";
import { createTestStore } from "../../../test/support/postgres.ts";
import { queueMail } from "../../../test/support/queued-mail.ts";
import { addAccount } from "../../admin/accounts.ts";
import type { Admin } from "../../admin/admin.ts";
import { addSuppression } from "../../admin/feedback.ts";
import { encodeId } from "../../base/ids.ts";
import type { Store } from "../../store/core/store.ts";
import { auditBefore } from "../../store/directory/audit.ts";
import { addToQuarantine } from "../../store/queues/quarantine.ts";
import { addTraffic } from "../../store/queues/traffic.ts";
import { idOfText } from "./records.ts";

type Json = Record<string, unknown>;
type Client = ReturnType<typeof operatorClient>;
interface Swept {
  changed: number;
  left: number;
  next: string | null;
}

let store: Store;
let admin: Admin;
let all: Client;
let ofA: Client;
let looks: Client;
let dns: Awaited<ReturnType<typeof startDns>>;
const ids: Record<string, number> = {};
beforeAll(async () => {
  store = await createTestStore();
  admin = testAdmin(store);
  dns = await startDns({});
  const means = { resolver: dns.resolver() };
  all = operatorClient(store, { login: "root@a.test", role: "admin", domains: null }, means);
  ofA = operatorClient(store, { login: "head@a.test", role: "domain-admin", domains: ["a.test"] }, means);
  looks = operatorClient(store, { login: "eye@a.test", role: "read-only", domains: null }, means);
  for (const name of ["ann@a.test", "bob@b.test"]) {
    ids[name] = (await addAccount(admin, { address: name, name: "", password: "correct horse", quota: 0 })).userId;
  }
});

/** All pages, as the page in the browser asks for them. */
async function sweep(
  call: Client,
  name: string,
  args: Json,
): Promise<{ changed: number; left: number; calls: number }> {
  const sum = { changed: 0, left: 0, calls: 0 };
  for (let after: string | null = null; ; ) {
    const page = (await call(name, { ...args, after })) as unknown as Swept;
    if (page.changed === undefined) throw new Error(JSON.stringify(page));
    sum.changed += page.changed;
    sum.left += page.left;
    sum.calls++;
    if (page.next === null) return sum;
    after = page.next;
  }
}

describe("all mail that matches", () => {
  const states = async (filter: Json = {}) => {
    const { ids: found } = (await all("QueuedMessage/query", { filter, limit: 100 })) as { ids: string[] };
    return found.length;
  };

  test("is held and let go page by page; a dry run counts the same, and changes nothing", async () => {
    for (let at = 0; at < 103; at++) await queueMail(store, ids["ann@a.test"]!, "ann@a.test", `x${at}@many.test`);
    await queueMail(store, ids["ann@a.test"]!, "ann@a.test", "one@other.test");
    const filter = { domain: "many.test" };
    const order = { act: "hold" };
    const counted = await sweep(all, "QueuedMessage/order", { filter, order, isDryRun: true });
    expect(counted).toEqual({ changed: 103, left: 0, calls: 2 });
    expect(await states({ state: "held" })).toBe(0);
    expect(await sweep(all, "QueuedMessage/order", { filter, order })).toEqual(counted);
    expect(await sweep(all, "QueuedMessage/order", { filter, order })).toMatchObject({ changed: 0 });
    expect(await states({ state: "held" })).toBe(100);
    expect(await states({ state: "waiting" })).toBe(1);
    const [row] = await auditBefore(store.database, ids["ann@a.test"]!, { before: 1e9, limit: 1 });
    expect([row!.who, row!.what.act]).toEqual(["root@a.test", "queue.hold"]);
    // What waits is not what the filter means.
    const held = { filter: { state: "held" }, order: { act: "bounce", reply: "550 5.7.0 Sorry" } };
    expect(await sweep(all, "QueuedMessage/order", held)).toMatchObject({ changed: 103 });
    expect(await states({ state: "held" })).toBe(0);
    expect(await states({ domain: "other.test", state: "waiting" })).toBe(1);
  });

  test("is changed up to the number that was asked for; what comes after it is not counted", async () => {
    for (const to of ["a@most.test", "b@most.test", "c@most.test"]) {
      await queueMail(store, ids["ann@a.test"]!, "ann@a.test", to);
    }
    const args = { filter: { domain: "most.test" }, order: { act: "hold" } };
    expect(await all("QueuedMessage/order", { ...args, most: 2 })).toMatchObject({ changed: 2, left: 0 });
    expect(await all("QueuedMessage/order", { ...args, isDryRun: true })).toMatchObject({ changed: 1 });
    expect(await all("QueuedMessage/order", { ...args, most: 0 })).toMatchObject({ type: "invalidArguments" });
  });

  test("is within the domains of who asks, and nothing for who only looks", async () => {
    await queueMail(store, ids["ann@a.test"]!, "ann@a.test", "x@far.test");
    await queueMail(store, ids["bob@b.test"]!, "bob@b.test", "x@far.test");
    const hold = (filter: Json) => sweep(ofA, "QueuedMessage/order", { filter, order: { act: "hold" } });
    expect(await hold({ domain: "far.test" })).toMatchObject({ changed: 1 });
    expect(await hold({ sender: "bob@b.test" })).toEqual({ changed: 0, left: 0, calls: 1 });
    expect(await states({ sender: "bob@b.test", state: "held" })).toBe(0);
    for (const isDryRun of [true, false]) {
      expect(await looks("QueuedMessage/order", { order: { act: "hold" }, isDryRun })).toMatchObject({
        type: "forbidden",
      });
      expect(await looks("Quarantined/decide", { act: "delete", isDryRun })).toMatchObject({ type: "forbidden" });
      expect(await looks("Suppression/lift", { isDryRun })).toMatchObject({ type: "forbidden" });
    }
  });

  test.each<[string, Json]>([
    ["no order", {}],
    ["an unknown order", { order: { act: "explode" } }],
    ["an unknown filter", { order: { act: "hold" }, filter: { password: "x" } }],
    ["another argument", { order: { act: "hold" }, all: true }],
  ])("needs sense: %s", async (_, args) => {
    expect(await all("QueuedMessage/order", args)).toMatchObject({ type: "invalidArguments" });
  });
});

test("infected mail that matches is decided on, but for what is for others too", async () => {
  const add = async (id: number, virus: string, to: string[]) => {
    const recipients = to.map((address) => ({ address, userId: ids[address]!, done: false }));
    const blob = { sha256: Buffer.alloc(32, id), day: "2026-12-01", size: 10 };
    const more = { attempts: 0, failures: 0, junkReason: null, authentication: null, unscanned: false, spam: null };
    const message = { id, createdAt: new Date(), blob, mailFrom: "x@c.test", recipients, ...more };
    await addToQuarantine(store.database, message, virus);
  };
  for (let id = 1; id <= 60; id++) await add(id, "Eicar-Test", ["ann@a.test"]);
  await add(61, "Eicar-Test", ["ann@a.test", "bob@b.test"]);
  await add(62, "Worm.Other", ["ann@a.test"]);
  const args = { filter: { contains: "eicar" }, act: "delete" };
  expect(await sweep(ofA, "Quarantined/decide", { ...args, isDryRun: true })).toEqual({
    changed: 60,
    left: 1,
    calls: 2,
  });
  expect(await sweep(ofA, "Quarantined/decide", args)).toEqual({ changed: 60, left: 1, calls: 2 });
  expect((await all("Quarantined/query")).ids).toEqual([encodeId("q", 62), encodeId("q", 61)]);
  expect(await sweep(all, "Quarantined/decide", { ...args, act: "release" })).toMatchObject({ changed: 1, left: 0 });
  expect((await all("Quarantined/query")).ids).toEqual([encodeId("q", 62)]);
});

test("suppressed addresses that match are lifted, of one list alone", async () => {
  for (let at = 0; at < 120; at++) {
    await addSuppression(admin, `gone${at}@full.test`, { account: "ann@a.test", reason: "552 5.2.2 full" });
  }
  await addSuppression(admin, "gone@away.test", { account: "ann@a.test", reason: "550 5.1.1" });
  await addSuppression(admin, "gone@full.test", { account: undefined, reason: "552 5.2.2 full" });
  const filter = { accountId: encodeId("u", ids["ann@a.test"]!), contains: "5.2.2" };
  expect(await sweep(ofA, "Suppression/lift", { filter, isDryRun: true })).toEqual({ changed: 120, left: 0, calls: 2 });
  expect(await all("Suppression/lift", { filter, most: 7 })).toMatchObject({ changed: 7, left: 0 });
  expect(await sweep(ofA, "Suppression/lift", { filter })).toMatchObject({ changed: 113 });
  expect((await all("Suppression/query", { filter: { accountId: filter.accountId } })).ids).toHaveLength(1);
  expect((await all("Suppression/query")).ids).toHaveLength(1);
  // The list of all is beyond a domain's administrator.
  expect(await sweep(ofA, "Suppression/lift", {})).toMatchObject({ changed: 0 });
});

describe("a domain", () => {
  const id = idOfText("d", "a.test");
  const get = async (property: string) => {
    const { list } = (await all("Domain/get", { ids: [id], properties: [property] })) as { list: Json[] };
    return list[0]![property] as Json;
  };
  const update = async (patch: Json) => {
    const { notUpdated } = (await all("Domain/set", { update: { [id]: patch } })) as { notUpdated: Json | null };
    return (notUpdated?.[id] as Json | undefined)?.description;
  };

  test("gets new keys step by step: made, published, signing, and not again before the old ones may go", async () => {
    expect(await get("rotation")).toEqual({ step: "begin", fresh: [], retired: [], until: null });
    expect(await update({ rotation: "go-on" })).toBeUndefined();
    const begun = await get("rotation");
    expect(begun).toMatchObject({ step: "publish", fresh: [{ isPublished: false }, { isPublished: false }] });
    expect(await update({ rotation: "go-on" })).toBe("notPublished");
    for (const { name, value } of begun.fresh as { name: string; value: string }[]) dns.set(name, "TXT", value);
    expect((await get("rotation")).step).toBe("switch");
    expect(await update({ rotation: "go-on" })).toBeUndefined();
    const after = await get("rotation");
    expect(after).toMatchObject({ step: "wait", fresh: [], until: expect.any(String) });
    expect(after.retired).toHaveLength(2);
    expect(await update({ rotation: "go-on" })).toBe("keysInUse");
    const entries = (await auditBefore(store.database, 0, { before: 1e9, limit: 2 })).map(({ who, what }) => [
      who,
      what.act,
    ]);
    expect(entries).toEqual([
      ["root@a.test", "dkim.switch"],
      ["root@a.test", "dkim.publish"],
    ]);
  });

  test("has a policy for TLS, which is set and taken away", async () => {
    expect(await get("mtaSts")).toEqual({ mode: null, mx: ["mx.test"], records: [] });
    expect(await update({ mtaSts: { mode: "testing", mx: ["mx1.a.test"] } })).toBeUndefined();
    const set = await get("mtaSts");
    expect(set).toMatchObject({ mode: "testing", mx: ["mx1.a.test"] });
    expect(set.records).toHaveLength(2);
    expect(await update({ mtaSts: { mode: "testing", mx: ["two words"] } })).toBe("notAHost");
    expect(await update({ mtaSts: null })).toBeUndefined();
    expect((await get("mtaSts")).mode).toBeNull();
  });
});

test("masked addresses are made, closed and opened, and count what came", async () => {
  const accountId = encodeId("u", ids["ann@a.test"]!);
  const { created } = (await ofA("MaskedAddress/set", { create: { n: { accountId, label: "A shop" } } })) as Json;
  const { id, email } = (created as { n: { id: string; email: string } }).n;
  const state = async () => ((await ofA("MaskedAddress/get", { ids: [id] })) as { list: Json[] }).list;
  expect(await state()).toMatchObject([{ id, accountId, email, label: "A shop", state: "enabled", messages: 0 }]);
  await ofA("MaskedAddress/set", { update: { [id]: { isPaused: true } } });
  expect(await state()).toMatchObject([{ state: "disabled" }]);
  await ofA("MaskedAddress/set", { update: { [id]: { isPaused: false } } });
  expect(await state()).toMatchObject([{ state: "enabled" }]);
});

test("metrics add up what was counted, in 60 steps of an hour, six or a day", async () => {
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  const row = (ago: number, kind: string, what: string, count: number) => ({
    ...{ kind, what, count },
    minute: new Date(minute - ago * 60_000),
  });
  await addTraffic(store.database, [
    row(0, "in", "accepted", 5),
    row(2, "in", "accepted", 1),
    row(90, "in", "accepted", 7),
    row(3, "out", "sent near.test", 4),
    row(3, "out", "deferred near.test", 2),
    row(3, "out", "failed far.test", 1),
    row(1, "feedback", "complaint", 3),
    row(1, "filed", "virus", 2),
    row(1, "api", "25", 19),
    row(1, "api", "250", 1),
  ]);
  interface Answer {
    steps: { in: { accepted: number }; out: Json; filed: Json; feedback: Json; api: Json }[];
    destinations: Json[];
  }
  const metrics = async (hours?: string) => (await all("Metrics/get", hours ? { hours } : {})) as unknown as Answer;
  const hour = await metrics();
  expect(hour.steps).toHaveLength(60);
  expect(hour.steps.reduce((sum, step) => sum + step.in.accepted, 0)).toBe(6);
  expect(hour.steps.at(-1)!.in.accepted).toBe(5);
  expect(hour.steps.at(-2)).toMatchObject({ feedback: { complaint: 3 }, filed: { virus: 2 }, api: { mostMs: 25 } });
  expect(hour.destinations).toEqual([
    { domain: "near.test", sent: 4, deferred: 2, failed: 0 },
    { domain: "far.test", sent: 0, deferred: 0, failed: 1 },
  ]);
  const day = await metrics("24");
  expect(day.steps).toHaveLength(60);
  expect(day.steps.reduce((sum, step) => sum + step.in.accepted, 0)).toBe(13);
  expect(await all("Metrics/get", { hours: "7" })).toMatchObject({ type: "invalidArguments" });
});
