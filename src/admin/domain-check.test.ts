import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type DnsServer, startDns } from "../../test/support/dns.ts";
import type { Domain } from "../store/directory/directory.ts";
import { makeEd25519Key, makeRsaKey } from "./dkim-keys.ts";
import { type Site, unquote } from "./dns-records.ts";
import { isWhole } from "./domain-check/checked.ts";
import { checkListing } from "./domain-check/host.ts";
import { checkDomain, recordsOf } from "./domain-check.ts";

const since = new Date("2026-01-01T00:00:00Z");
const domain: Domain = { name: "here.test", dkimSelector: "posthorn", dkimKey: makeRsaKey() } as Domain;
const key = { domain: "here.test", selector: "posthorn-ed", privateKey: makeEd25519Key(), createdAt: since, since };
const about = { domain, keys: [{ ...key, state: "active" as const }] };
const site: Site = {
  hostname: "mail.here.test",
  addresses: ["192.0.2.7", "2001:db8::7"],
  jmap: { host: "mail.here.test", port: 443 },
  submissions: 465,
  submission: 587,
};

let dns: DnsServer;
beforeAll(async () => {
  dns = await startDns();
});
afterAll(() => dns.stop());

const look = (more: Partial<Site> = {}) =>
  checkDomain(about, { resolver: dns.resolver(), site: { ...site, ...more }, allowPrivateTargets: false });
const only = async (record: string, name?: string, more: Partial<Site> = {}) => {
  const found = (await look(more)).filter((one) => one.record === record && (name === undefined || one.name === name));
  expect(found).toHaveLength(1);
  return found[0]!;
};

/** Publishes just what is asked for. */
beforeEach(() => {
  for (const { name, type, value } of recordsOf(about, site)) {
    const [place, parts] = [name.slice(0, -1), value.split(" ")];
    if (type === "TXT") dns.set(place, "TXT", unquote(value));
    else if (type === "MX") dns.set(place, "MX", { preference: Number(parts[0]), exchange: parts[1]!.slice(0, -1) });
    else if (type === "SRV") {
      const [priority, weight, port] = parts.map(Number) as [number, number, number];
      dns.set(place, "SRV", { priority, weight, port, target: parts[3]!.slice(0, -1) });
    } else dns.set(place, type, type === "CNAME" ? value.slice(0, -1) : value);
  }
  dns.set("7.2.0.192.in-addr.arpa", "PTR", "mail.here.test");
  dns.set("7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "PTR", "mail.here.test");
  dns.fail("here.test", undefined);
});

test("what is published as it was asked for is right, all of it", async () => {
  const all = await look();
  expect(all.filter(({ state }) => state !== "right")).toEqual([]);
  expect(isWhole(all)).toBe(true);
  expect(new Set(all.map(({ record }) => record))).toEqual(
    new Set([
      ...["address", "MX", "SPF", "DKIM", "DMARC", "JMAP", "submissions", "submission", "autoconfig"],
      ...["TLS reports", "MTA-STS", "reverse DNS"],
    ]),
  );
});

test("in an empty zone all is missing, each with the line to publish", async () => {
  const empty = await startDns();
  const all = await checkDomain(about, { resolver: empty.resolver(), site, allowPrivateTargets: false });
  await empty.stop();
  expect(new Set(all.map(({ state }) => state))).toEqual(new Set(["missing"]));
  expect(isWhole(all)).toBe(false);
  expect(all.find(({ record }) => record === "MX")).toEqual({
    record: "MX",
    name: "here.test",
    state: "missing",
    found: [],
    expected: "here.test. 3600 IN MX 10 mail.here.test.",
    advice: "publish: here.test. 3600 IN MX 10 mail.here.test.",
    needed: true,
  });
  expect(all.find(({ record }) => record === "JMAP")!.expected).toBe(
    "_jmap._tcp.here.test. 3600 IN SRV 0 1 443 mail.here.test.",
  );
});

test("a DNS that gives no answer is not taken for one that has nothing", async () => {
  dns.fail("here.test", "SERVFAIL");
  expect(await only("MX")).toMatchObject({ state: "unknown", advice: expect.stringContaining("no answer") });
  expect(await only("SPF")).toMatchObject({ state: "unknown" });
  expect(await only("DMARC")).toMatchObject({ state: "right" });
});

test("mail that goes elsewhere, or elsewhere first, is wrong", async () => {
  const ours = { preference: 10, exchange: "mail.here.test" };
  dns.set("here.test", "MX", { preference: 10, exchange: "mx.far.test" });
  expect(await only("MX")).toMatchObject({ state: "wrong", found: ["10 mx.far.test"] });
  dns.set("here.test", "MX", [ours, { preference: 5, exchange: "mx.far.test" }]);
  expect(await only("MX")).toMatchObject({ state: "wrong", advice: expect.stringContaining("mx.far.test first") });
  dns.set("here.test", "MX", [ours, { preference: 20, exchange: "backup.far.test" }]);
  expect(await only("MX")).toMatchObject({ state: "right" });
  // RFC 7505: the domain says that it takes no mail.
  dns.set("here.test", "MX", { preference: 0, exchange: "." });
  expect(await only("MX")).toMatchObject({ state: "wrong", found: ["0 ."] });
});

test("SPF is evaluated for the server's own addresses, and an amended line is offered", async () => {
  dns.set("here.test", "TXT", ["site-verification=1", "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"]);
  expect(await only("SPF")).toMatchObject({ state: "right" });
  dns.set("here.test", "TXT", "v=spf1 include:_spf.far.test ~all");
  dns.set("_spf.far.test", "TXT", "v=spf1 ip4:198.51.100.1 -all");
  expect(await only("SPF")).toMatchObject({
    state: "wrong",
    expected: 'here.test. 3600 IN TXT "v=spf1 mx include:_spf.far.test ~all"',
    advice: expect.stringContaining("192.0.2.7: softfail, 2001:db8::7: softfail"),
  });
  // One of the two addresses alone may send.
  dns.set("here.test", "TXT", "v=spf1 ip4:192.0.2.7 -all");
  expect((await only("SPF")).advice).toMatch(/\(2001:db8::7: fail\)/);
  dns.set("here.test", "TXT", ["v=spf1 mx -all", "v=spf1 a -all"]);
  expect(await only("SPF")).toMatchObject({ state: "wrong", advice: expect.stringContaining("keep one") });
});

test("a DKIM record must have the key that signs, and be the only one", async () => {
  const name = "posthorn._domainkey.here.test";
  const [right] = (await dns.resolver().resolveTxt(name)).map((strings) => strings.join(""));
  dns.set(name, "TXT", `v=DKIM1; k=rsa; p=${"A".repeat(300)}`);
  expect(await only("DKIM", name)).toMatchObject({ state: "wrong" });
  dns.set(name, "TXT", [right!, "v=DKIM1; p="]);
  expect(await only("DKIM", name)).toMatchObject({ state: "wrong" });
  // The same key in other words.
  dns.set(name, "TXT", `k=rsa;p=${/p=(.*)/.exec(right!)![1]} ; t=s`);
  expect(await only("DKIM", name)).toMatchObject({ state: "right" });
});

test("a key that does not sign yet is not needed", async () => {
  const waits = { ...about, keys: [{ ...about.keys[0]!, selector: "e20260101", state: "new" as const }] };
  const all = await checkDomain(waits, { resolver: dns.resolver(), site, allowPrivateTargets: false });
  expect(all.find(({ name }) => name === "e20260101._domainkey.here.test")).toMatchObject({
    state: "missing",
    needed: false,
  });
  expect(isWhole(all)).toBe(true);
});

test("DMARC, TLS reports and MTA-STS must say what makes them count", async () => {
  for (const [record, name, texts] of [
    ["DMARC", "_dmarc.here.test", ["v=DMARC1; rua=mailto:a@here.test"]],
    ["DMARC", "_dmarc.here.test", ["v=DMARC1; p=none", "v=DMARC1; p=reject"]],
    ["TLS reports", "_smtp._tls.here.test", ["v=TLSRPTv1; rua="]],
    ["MTA-STS", "_mta-sts.here.test", ["v=STSv1;"]],
  ] as const) {
    dns.set(name, "TXT", [...texts]);
    expect(await only(record, name)).toMatchObject({ state: "wrong", found: texts.map((text) => `"${text}"`) });
  }
});

test("a service at another port or host is wrong; autoconfig may be an address too", async () => {
  dns.set("_jmap._tcp.here.test", "SRV", { priority: 0, weight: 1, port: 8443, target: "mail.here.test" });
  expect(await only("JMAP")).toMatchObject({ state: "wrong", found: ["0 1 8443 mail.here.test"], needed: false });
  dns.remove("autoconfig.here.test");
  expect(await only("autoconfig")).toMatchObject({ state: "missing", needed: false });
  dns.set("autoconfig.here.test", "A", "192.0.2.7");
  expect(await only("autoconfig")).toMatchObject({ state: "right" });
  dns.set("autoconfig.here.test", "A", "198.51.100.9");
  expect(await only("autoconfig")).toMatchObject({ state: "wrong" });
});

test("an address must have the server's name, and the name lead back", async () => {
  dns.set("7.2.0.192.in-addr.arpa", "PTR", "customer-7.provider.test");
  expect(await only("reverse DNS", "192.0.2.7")).toMatchObject({
    state: "wrong",
    found: ["customer-7.provider.test"],
    advice: "have whoever gave you 192.0.2.7 set its name (reverse DNS, PTR) to mail.here.test",
    needed: true,
  });
  dns.set("7.2.0.192.in-addr.arpa", "PTR", "mail.here.test");
  dns.set("mail.here.test", "A", "192.0.2.8");
  expect(await only("reverse DNS", "192.0.2.7")).toMatchObject({
    state: "wrong",
    advice: expect.stringContaining("lead back"),
  });
  expect(await only("address", undefined, { addresses: ["192.0.2.7"] })).toMatchObject({ state: "wrong" });
  dns.remove("7.2.0.192.in-addr.arpa");
  expect(await only("reverse DNS", "192.0.2.7")).toMatchObject({ state: "missing" });
});

test("a machine that does not know its addresses goes by those of its name, if others reach them", async () => {
  expect(await only("address", "mail.here.test", { addresses: [] })).toMatchObject({ state: "right" });
  dns.set("mail.here.test", "A", "10.0.0.7");
  dns.remove("mail.here.test", "AAAA");
  expect(await only("address", "mail.here.test", { addresses: [] })).toMatchObject({
    state: "wrong",
    found: ["10.0.0.7"],
  });
  const all = await look({ addresses: [] });
  expect(all.some(({ record }) => record === "reverse DNS")).toBe(false);
});

test("a blocklist that refuses to answer is told from one that lists the address", async () => {
  const listing = async () => (await checkListing("192.0.2.7", "bl.test", dns.resolver())).state;
  expect(await listing()).toBe("right");
  dns.set("7.2.0.192.bl.test", "A", "127.0.0.4");
  expect(await listing()).toBe("wrong");
  dns.set("7.2.0.192.bl.test", "A", "127.255.255.254");
  expect(await listing()).toBe("unknown");
});
