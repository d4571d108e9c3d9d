import { request } from "node:http";
import { text as bodyOf } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { one } from "../conformance/client/client.ts";
import { deliver } from "../conformance/client/smtp.ts";
import type { GetResult } from "../conformance/client/types.ts";
import { dmarcReport } from "../src/mail/reports/dmarc-report.ts";
import { parseStsPolicy, stsId } from "../src/smtp/outbound/tls-policy/sts-policy.ts";
import { stsIdOf, stsModes, stsText } from "../src/store/directory/mta-sts.ts";
import { type DnsServer, startDns } from "./support/dns.ts";
import { until } from "./support/ports.ts";
import { startServer, type TestServer } from "./support/server.ts";
import { type SmtpSink, startSink } from "./support/smtp-sink.ts";

/** The commands about a domain's keys, records and reports, beside a running server. */
let dns: DnsServer;
let server: TestServer;
let sink: SmtpSink;

beforeAll(async () => {
  const far = { MX: { preference: 10, exchange: "mx.far.test" } };
  const record = "v=DMARC1; p=none; rua=mailto:d@far.test";
  dns = await startDns({ "far.test": far, "mx.far.test": { A: "127.0.0.1" }, "_dmarc.far.test": { TXT: record } });
  sink = await startSink();
  const env = {
    ...{ POSTHORN_RESOLVER: dns.address, POSTHORN_DEMO: "false", POSTHORN_HOSTNAME: "mx.home.test" },
    ...{ POSTHORN_MX_PORT: String(sink.port), POSTHORN_ALLOW_PRIVATE_TARGETS: "true" },
    ...{ POSTHORN_REPORTS_FROM: "postmaster@home.test", POSTHORN_TLS_RULES: "strict.test=verify" },
  };
  server = await startServer({ isShared: true, env });
  await server.addAccount("postmaster@home.test", "correct horse");
}, 120_000);
afterAll(async () => {
  await server?.dispose();
  await sink?.stop();
  await dns?.stop();
});

const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await server.cli(args);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
};

test("domain show prints all records, and what it suggests for TLS", async () => {
  const text = await run("domain", "show", "home.test");
  expect(text).toMatch(/^home\.test\. 3600 IN MX 10 mx\.home\.test\.$/m);
  expect(text).toMatch(/^posthorn\._domainkey\.home\.test\. 3600 IN TXT "v=DKIM1; k=rsa; p=/m);
  expect(text).toMatch(/^posthorn-ed\._domainkey\.home\.test\. 3600 IN TXT "v=DKIM1; k=ed25519; p=[\w+/]{43}="$/m);
  expect(text).toMatch(/^_smtp\._tls\.home\.test\. 3600 IN TXT "v=TLSRPTv1; rua=mailto:postmaster@home\.test"$/m);
  expect(text).toContain("posthorn domain mta-sts home.test --mode testing");
  const { records } = JSON.parse(await run("domain", "show", "home.test", "--json")) as { records: object[] };
  expect(records).toHaveLength(5);
  expect(await server.cli(["domain", "show", "other.test"])).toMatchObject({ code: 1 });
});

test("domain mta-sts publishes a policy, whose id in DNS changes with it; others read it as RFC 8461 asks", async () => {
  const set = (...more: string[]) => run("domain", "mta-sts", "home.test", ...more);
  const ask = (host: string, method = "GET") => {
    const { hostname, port } = new URL(server.url);
    const path = "/.well-known/mta-sts.txt";
    return new Promise<{ status: number; type: string | undefined; body: string }>((resolve, reject) => {
      const asked = request({ hostname, port, path, method, headers: { host }, agent: false }, async (res) =>
        resolve({ status: res.statusCode!, type: res.headers["content-type"], body: await bodyOf(res) }),
      );
      asked.on("error", reject).end();
    });
  };
  expect((await ask("mta-sts.home.test")).status).toBe(404);
  const ids: string[] = [];
  for (const [mode, ...mx] of [["testing"], ["enforce", "mx1.home.test", "*.mx.home.test"]]) {
    const text = await set("--mode", mode!, ...(mx.length > 0 ? ["--mx", ...mx] : []));
    ids.push(/^_mta-sts\.home\.test\. 3600 IN TXT "v=STSv1; id=([0-9a-z]{1,32});"/m.exec(text)![1]!);
    expect(text).toMatch(/^mta-sts\.home\.test\. 3600 IN CNAME mx\.home\.test\.$/m);
    const { status, type, body } = await ask("MTA-STS.home.test:443");
    expect([status, type]).toEqual([200, "text/plain; charset=utf-8"]);
    expect(parseStsPolicy(body)).toMatchObject({ mode, mx: mx.length > 0 ? mx : ["mx.home.test"] });
    expect(stsId([[`v=STSv1; id=${ids.at(-1)};`]])).toBe(ids.at(-1));
  }
  expect(ids[0]).not.toBe(ids[1]);
  expect(await run("domain", "show", "home.test")).toContain(`id=${ids[1]};`);
  for (const host of ["mta-sts.other.test", "home.test", "mx.home.test"]) expect((await ask(host)).status).toBe(404);
  expect((await ask("mta-sts.home.test", "POST")).status).toBe(405);
  expect(await server.cli(["domain", "mta-sts", "home.test", "--mode", "none", "--mx", "a b"])).toMatchObject({
    code: 1,
  });
  await set("--mode", "off");
  expect((await ask("mta-sts.home.test")).status).toBe(404);
}, 60_000);

test("each policy has an id of its own, and a form that others read", () => {
  const policies = stsModes.flatMap((mode) => [["a.test"], ["a.test", "b.test"]].map((mx) => ({ mode, mx })));
  for (const policy of policies) expect(parseStsPolicy(stsText(policy))).toMatchObject(policy);
  expect(new Set(policies.map(stsIdOf)).size).toBe(policies.length);
});

test("domain rotate-key goes on where it was: publish, wait for DNS, switch, retire", async () => {
  const rotate = (...more: string[]) => run("domain", "rotate-key", "home.test", ...more);
  expect(await rotate("--dry-run")).toContain("makes new keys");
  const published = await rotate();
  expect(published).toContain("DNS does not have");
  const records = [...published.matchAll(/^(\S+)\. 3600 IN TXT (.*)$/gm)].map(([, name, value]) => [name!, value!]);
  expect(records.map(([name]) => name!.slice(0, 1))).toEqual(["e", "r"]);
  expect(await rotate("--dry-run")).toContain("waits for DNS");
  for (const [name, value] of records) dns.set(name!, "TXT", value!.replace(/"( ")?/g, ""));
  expect(await rotate("--dry-run")).toContain("lets them sign");
  expect(await rotate("--wait")).toContain("The new keys sign from now on");
  expect(await rotate()).toContain("must stay in DNS; then run this again");
  expect(await rotate("--retire-after", "0s", "--dry-run")).toContain("forgets posthorn-ed._domainkey.home.test");
  const shown = await run("domain", "show", "home.test");
  for (const [name] of records) expect(shown).toContain(`${name}. 3600`);
  expect(shown).toMatch(/^posthorn\._domainkey.* ; signs no more since /m);
  expect(await run("audit")).toMatch(/dkim\.publish[\s\S]*dkim\.switch|dkim\.switch[\s\S]*dkim\.publish/);
});

test("a report that comes by mail is listed, shown and summed up", async () => {
  const head = {
    domain: "home.test",
    day: "2026-03-01",
    organization: "Big Mail",
    contact: "x@big.test",
    reportId: "1",
  };
  const what = {
    ...{ policy: { p: "none" }, source: "192.0.2.1", disposition: "none", dkim: "fail", spf: "fail", reason: null },
    ...{ headerFrom: "home.test", envelopeFrom: "", auth: { dkim: [], spf: null } },
  };
  const attached = gzipSync(dmarcReport(head, [{ what, number: 7 }])).toString("base64");
  const data = [
    ...["From: reports@big.test", "To: postmaster@home.test", "Subject: Report Domain: home.test", "MIME-Version: 1.0"],
    ...["Content-Type: application/gzip; name=a.xml.gz", "Content-Transfer-Encoding: base64", ""],
    ...attached.match(/.{1,76}/g)!,
  ];
  const mail = `${data.join("\r\n")}\r\n`;
  await deliver({ port: server.smtpPort, from: "reports@big.test", to: "postmaster@home.test", data: mail });
  const list = async () => JSON.parse(await run("reports", "list", "--json")) as { id: string; failed: number }[];
  const found = await until("a report", async () => (await list())[0], { everyMs: 300 });
  expect(found).toMatchObject({ kind: "dmarc", domain: "home.test", organization: "Big Mail", failed: 7, passed: 0 });
  expect(await run("reports", "list")).toMatch(new RegExp(`^${found.id} +dmarc +home\\.test +Big Mail`, "m"));
  expect(await run("reports", "show", found.id)).toMatch(/^7 +192\.0\.2\.1 +fail /m);
  // It is of days long ago.
  expect(await run("reports", "top", "--days", "1")).toContain("No reports");
  expect(await run("reports", "top", "--days", "100000")).toMatch(/^7 +dmarc +home\.test +192\.0\.2\.1 +fail +1$/m);
  expect(await server.cli(["reports", "show", "none"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no report none"),
  });
});

test("mail and connections of other domains are counted for their reports", async () => {
  const client = await server.login("postmaster@home.test", "correct horse");
  const { accountId } = client;
  const { list: mailboxes } = await one<GetResult>(client, "Mailbox/get", { accountId });
  const { list: identities } = await one<GetResult>(client, "Identity/get", { accountId });
  const email = {
    mailboxIds: { [mailboxes.find(({ role }) => role === "drafts")!.id as string]: true },
    ...{ from: [{ email: "postmaster@home.test" }], to: [{ email: "zoe@far.test" }], subject: "Counted" },
    ...{ bodyStructure: { type: "text/plain", partId: "1" }, bodyValues: { 1: { value: "x" } } },
  };
  const { created } = (await one(client, "Email/set", { accountId, create: { d: email } })) as {
    created: { d: { id: string } };
  };
  const create = { s: { emailId: created.d.id, identityId: identities[0]!.id } };
  await one(client, "EmailSubmission/set", { accountId, create });
  await sink.waitFor(1, 15_000);
  const data = "From: a@far.test\r\nTo: postmaster@home.test\r\nSubject: x\r\n\r\nx\r\n";
  await deliver({ port: server.smtpPort, from: "a@far.test", to: "postmaster@home.test", data });
  expect(await (await fetch(server.metricsUrl)).text()).toMatch(
    /^posthorn_tls_sessions_total\{policy="no-policy-found",result="success"\} 1$/m,
  );
  const database = new pg.Client(server.connection);
  await database.connect();
  const counted = await until(
    "counts of both kinds",
    async () => {
      const { rows } = await database.query("SELECT kind, domain, number FROM report_count ORDER BY kind");
      return rows.length === 2 ? rows : undefined;
    },
    { timeoutMs: 15_000, everyMs: 200 },
  );
  expect(counted).toEqual([
    { kind: "dmarc", domain: "far.test", number: "1" },
    { kind: "tls", domain: "far.test", number: "1" },
  ]);
  await database.end();
});
