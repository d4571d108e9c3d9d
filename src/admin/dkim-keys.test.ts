import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { beforeAll, expect, test } from "vitest";
import { testAdmin } from "../../test/support/admin.ts";
import { type DnsServer, startDns } from "../../test/support/dns.ts";
import { createTestDatabase } from "../../test/support/postgres.ts";
import { silentLog } from "../base/log.ts";
import { dkimSignatures } from "../mail/submit/dkim.ts";
import { Store } from "../store/core/store.ts";
import { findSigningKeys } from "../store/directory/dkim-keys.ts";
import type { Admin } from "./admin.ts";
import { beginRotation, dkimRecord, forgetRetired, isRsa, rotationOf, switchKeys, unpublished } from "./dkim-keys.ts";
import { dnsRecords } from "./dns-records.ts";
import { ensureDomain, keysOf, showDomain } from "./domains.ts";

let admin: Admin;
let dns: DnsServer;
let now = new Date("2026-03-01T12:00:00Z");
beforeAll(async () => {
  const { database } = await createTestDatabase();
  admin = testAdmin(new Store({ database, clock: { now: () => now }, log: silentLog, onCommit: () => {} }));
  dns = await startDns();
  await ensureDomain(admin, "here.test");
  return () => dns.stop();
});

const publish = (key: Parameters<typeof dkimRecord>[0]) => {
  const { name, value } = dkimRecord(key);
  dns.set(name, "TXT", value);
};
const signing = async () =>
  (await findSigningKeys(admin.store.database, "here.test")).map(({ selector }) => selector).sort();

/** Signs a mail now; the results of its signatures by their selectors. */
async function results(): Promise<Record<string, string>> {
  const message = Buffer.from("From: ada@here.test\r\nSubject: x\r\n\r\nHello.\r\n");
  const keys = await findSigningKeys(admin.store.database, "here.test");
  const signed = Buffer.concat([Buffer.from(await dkimSignatures(message, keys, new Date())), message]);
  const resolver = (name: string, type: string) => dns.resolver().resolve(name, type) as Promise<string[]>;
  const { results: found } = await dkimVerify(signed, { resolver, strict: true });
  return Object.fromEntries(found.map(({ selector, status }) => [selector, status.result]));
}

test("a new domain signs with RSA and Ed25519, and both verify", async () => {
  const domain = await showDomain(admin, "here.test");
  for (const { name, type, value } of dnsRecords(domain, "mx.here.test", await keysOf(admin, "here.test"))) {
    if (type === "TXT") dns.set(name.slice(0, -1), "TXT", value.replace(/"( ")?/g, ""));
  }
  expect(await results()).toEqual({ posthorn: "pass", "posthorn-ed": "pass" });
});

test("a rotation publishes, waits for DNS, switches and retires; each step may be made again", async () => {
  const { fresh } = await beginRotation(admin, "here.test");
  expect(fresh.map(({ selector }) => selector).sort()).toEqual(["e20260301", "r20260301"]);
  expect((await beginRotation(admin, "here.test")).fresh).toEqual(fresh);
  expect(await signing()).toEqual(["posthorn", "posthorn-ed"]);
  expect(await unpublished(fresh, dns.resolver())).toEqual(fresh);
  publish(fresh.find(isRsa)!);
  expect((await unpublished(fresh, dns.resolver())).map(({ selector }) => selector)).toEqual(["e20260301"]);
  // Another key under the name is not this one.
  dns.set("e20260301._domainkey.here.test", "TXT", "v=DKIM1; k=ed25519; p=AAAA");
  expect(await unpublished(fresh, dns.resolver())).toHaveLength(1);
  for (const key of fresh) publish(key);
  expect(await unpublished(fresh, dns.resolver())).toEqual([]);
  const { retired } = await switchKeys(admin, "here.test");
  expect(retired.map(({ selector }) => selector).sort()).toEqual(["posthorn", "posthorn-ed"]);
  expect(await switchKeys(admin, "here.test")).toMatchObject({ fresh: [] });
  expect(await signing()).toEqual(["e20260301", "r20260301"]);
  expect(await results()).toEqual({ e20260301: "pass", r20260301: "pass" });
  const records = dnsRecords(await showDomain(admin, "here.test"), "mx.here.test", await keysOf(admin, "here.test"));
  const notes = records
    .filter(({ name }) => name.includes("_domainkey"))
    .map(({ name, note }) => [name.split(".")[0], note]);
  expect(notes.sort()).toEqual([
    ["e20260301", undefined],
    ["posthorn", "signs no more since 2026-03-01"],
    ["posthorn-ed", "signs no more since 2026-03-01"],
    ["r20260301", undefined],
  ]);
});

test("retired keys are forgotten when their time is over, and a rotation of the same day has other names", async () => {
  const rotation = await rotationOf(admin, "here.test");
  expect(await forgetRetired(admin, rotation, new Date(now.getTime() - 1_000))).toEqual([]);
  expect(await forgetRetired(admin, rotation, now)).toHaveLength(2);
  expect((await rotationOf(admin, "here.test")).retired).toEqual([]);
  const { fresh } = await beginRotation(admin, "here.test");
  expect(fresh.map(({ selector }) => selector).sort()).toEqual(["e20260301-2", "r20260301-2"]);
  now = new Date("2026-04-01T00:00:00Z");
  await expect(rotationOf(admin, "other.test")).rejects.toThrow("noDomain");
});
