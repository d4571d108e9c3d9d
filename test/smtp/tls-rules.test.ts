import { setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { forwardAddress } from "../../src/admin/addresses.ts";
import { type TlsLevel, type TlsSession, tlsRulesBy } from "../../src/smtp/outbound/tls-policy/find-tls-rules.ts";
import { StsPolicies } from "../../src/smtp/outbound/tls-policy/sts-policies.ts";
import type { FindTlsRules } from "../../src/smtp/outbound/tls-rules.ts";
import { queuedReply } from "../../src/store/queues/submissions.ts";
import { testAdmin } from "../support/admin.ts";
import { type Authority, makeAuthority } from "../support/authority.ts";
import { type PolicyHost, saying, startPolicyHost } from "../support/policy-host.ts";
import { until } from "../support/ports.ts";
import { SmtpConnection } from "../support/smtp-client.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";
import { get, host, mail, sent, sink, status, useOutbox } from "./outbox.ts";

let rules: FindTlsRules;
let sts: StsPolicies;
let policies: PolicyHost;
let authority: Authority;
/** Servers at other addresses of loopback and the same port: with a certificate of the authority, for its name or another, and without TLS. */
const sinks: Record<string, SmtpSink> = {};
const levels = new Map<string, TlsLevel>();
const sessions: TlsSession[] = [];
let domains = 0;

useOutbox({ tlsRules: (...asked) => rules(...asked) });
beforeAll(async () => {
  authority = await makeAuthority();
  setDefaultCACertificates([authority.cert]);
  const [valid, wrong, old, web] = await Promise.all([
    authority.certify("mx.good.test"),
    authority.certify("mx.other.test"),
    authority.certify("mx.old.test", { until: new Date(Date.now() - 86_400_000) }),
    authority.certify("mta-sts.good.test"),
  ]);
  const { port } = sink;
  sinks.good = await startSink({ host: "127.0.0.2", port, pems: valid });
  sinks.wrong = await startSink({ host: "127.0.0.3", port, pems: wrong });
  sinks.plain = await startSink({ host: "127.0.0.4", port, tls: false });
  sinks.old = await startSink({ host: "127.0.0.5", port, pems: old });
  policies = await startPolicyHost(web);
  for (const [name, at] of Object.entries(sinks)) host.dns.set(`mx.${name}.test`, "A", at.host);
  host.dns.set("mta-sts.good.test", "A", "127.0.0.1");
  host.dns.set("good.test", "MX", { preference: 10, exchange: "mx.good.test" });
});
afterAll(async () => {
  await policies.stop();
  for (const one of Object.values(sinks)) await one.stop();
});
beforeEach(async () => {
  sessions.length = 0;
  levels.clear();
  for (const one of Object.values(sinks)) one.reset();
  policies.asked.length = 0;
  host.dns.set("_mta-sts.good.test", "TXT", "v=STSv1; id=1");
  await host.rows("DELETE FROM sts_policy");
  await freshConnections();
  begin();
});

/** A connection is kept for the next mail, and judged once. */
async function freshConnections(): Promise<void> {
  await host.mailOut?.close();
  host.startMailOut(sink.port, { tlsRules: (...asked) => rules(...asked) });
}

/** As a process that has just started: it remembers no policy. */
function begin(): void {
  const { database, clock, log, dns } = host;
  const means = { database, clock, log, resolver: dns.resolver(), allowPrivateTargets: true };
  sts = new StsPolicies({ ...means, port: policies.port });
  rules = tlsRulesBy({ levels, dnssec: undefined, sts, clock, onSession: (session) => void sessions.push(session) });
}

const policy = (mode: string, mx = "mx.good.test", maxAge = 86_400 * 30) =>
  `version: STSv1\nmode: ${mode}\nmx: ${mx}\nmax_age: ${maxAge}\n`;
const serve = (name: string) => host.dns.set("good.test", "MX", { preference: 10, exchange: `mx.${name}.test` });

interface Wish {
  /** REQUIRETLS. */
  isRequired?: boolean;
  /** Further fields. */
  fields?: string;
}

/** Sends a mail to a domain; resolves with what became of it. */
async function outcome(
  domain: string,
  { isRequired = false, fields = "" }: Wish = {},
): Promise<{ delivered: string; smtpReply: string }> {
  const address = `x${++domains}@${domain}`;
  const parameters = isRequired ? { requiretls: null } : null;
  const envelope = { mailFrom: { email: "ada@here.test", parameters }, rcptTo: [{ email: address }] };
  const { id } = await sent(Buffer.concat([Buffer.from(fields), await mail(address, "TLS")]), { envelope });
  return until(`an attempt for ${address}`, async () => {
    const found = (await get(id)).deliveryStatus[address];
    return found && found.smtpReply !== queuedReply ? found : undefined;
  });
}
const faults = () => sessions.map(({ policy: { type }, fault }) => [type, fault?.result]);

describe("MTA-STS", () => {
  test("in mode enforce, mail goes to a server that the policy names and whose certificate is valid", async () => {
    policies.answer = saying(policy("enforce"));
    serve("good");
    expect(await outcome("good.test")).toMatchObject({ delivered: "unknown" });
    expect(sinks.good!.messages.map(({ tls }) => tls)).toEqual([true]);
    expect(policies.asked).toEqual(["mta-sts.good.test/.well-known/mta-sts.txt"]);
    expect(faults()).toEqual([["sts", undefined]]);
    expect(sessions[0]).toMatchObject({ domain: "good.test", policy: { mx: ["mx.good.test"] } });
    // Other processes find it in the database.
    begin();
    expect(await outcome("good.test")).toMatchObject({ delivered: "unknown" });
    expect(policies.asked).toHaveLength(1);
  });

  test.each([
    ["wrong", "*.wrong.test", "certificate-host-mismatch"],
    ["plain", "*.plain.test", "starttls-not-supported"],
    ["old", "*.old.test", "certificate-expired"],
    ["good", "mx.elsewhere.test", "validation-failure"],
  ])("in mode enforce, mail waits rather than go to the server %s", async (name, mx, result) => {
    policies.answer = saying(policy("enforce", mx));
    serve(name);
    const { delivered, smtpReply } = await outcome("good.test");
    expect(delivered).toBe("queued");
    expect(smtpReply).toMatch(/^451 4\.7\.\d+ mx\./);
    expect(sinks[name]!.messages).toEqual([]);
    expect(faults()).toEqual([["sts", result]]);
  });

  test.each([
    ["wrong", "*.wrong.test", "certificate-host-mismatch"],
    ["plain", "*.plain.test", "starttls-not-supported"],
    ["good", "mx.elsewhere.test", "validation-failure"],
  ])("in mode testing, mail goes to the server %s, and its fault is counted", async (name, mx, result) => {
    policies.answer = saying(policy("testing", mx));
    serve(name);
    expect(await outcome("good.test")).toMatchObject({ delivered: "unknown" });
    expect(sinks[name]!.messages).toHaveLength(1);
    expect(faults()).toEqual([["sts", result]]);
  });

  test("a policy holds until it ends, whatever becomes of its host and its record", async () => {
    policies.answer = saying(policy("enforce", "mx.elsewhere.test"));
    serve("good");
    expect(await outcome("good.test")).toMatchObject({ delivered: "queued" });
    policies.answer = (response) => response.writeHead(503).end();
    for (const record of ["v=STSv1; id=2", undefined]) {
      if (record === undefined) host.dns.remove("_mta-sts.good.test");
      else host.dns.set("_mta-sts.good.test", "TXT", record);
      begin();
      expect(await outcome("good.test")).toMatchObject({ delivered: "queued" });
    }
    expect(policies.asked).toHaveLength(2);
    host.clock.ahead += 31 * 86_400_000;
    begin();
    expect(await outcome("good.test")).toMatchObject({ delivered: "unknown" });
    host.clock.ahead = 0;
  });

  test("a new id in DNS brings the new policy", async () => {
    policies.answer = saying(policy("enforce", "mx.elsewhere.test"));
    serve("good");
    expect(await outcome("good.test")).toMatchObject({ delivered: "queued" });
    policies.answer = saying(policy("enforce"));
    host.dns.set("_mta-sts.good.test", "TXT", "v=STSv1; id=2");
    begin();
    expect(await outcome("good.test")).toMatchObject({ delivered: "unknown" });
  });

  test("a policy is fetched again before it ends, by one process, and kept when that fails", async () => {
    policies.answer = saying(policy("enforce", "mx.good.test", 86_400 * 3));
    await sts.find("good.test");
    const ends = async () => (await host.rows("SELECT expires_at FROM sts_policy"))[0]?.expires_at as Date;
    const first = await ends();
    await sts.refresh();
    expect(policies.asked).toHaveLength(1);
    host.clock.ahead += 2.5 * 86_400_000;
    policies.answer = (response) => response.writeHead(500).end();
    await sts.refresh();
    expect(await ends()).toEqual(first);
    expect(policies.asked).toHaveLength(2);
    await sts.refresh();
    expect(policies.asked).toHaveLength(2);
    host.clock.ahead += 3_700_000;
    policies.answer = saying(policy("enforce", "mx.good.test", 86_400 * 3));
    await sts.refresh();
    expect((await ends()).getTime()).toBeGreaterThan(first.getTime());
    host.clock.ahead += 4 * 86_400_000;
    await sts.refresh();
    expect(await ends()).toBeUndefined();
    host.clock.ahead = 0;
  });

  test.each<[string, string, PolicyHost["answer"]]>([
    [
      "a redirect",
      "sts-policy-fetch-error",
      (to) => to.writeHead(302, { location: "https://mta-sts.good.test/" }).end(),
    ],
    ["a page", "sts-policy-fetch-error", saying(policy("enforce"), "text/html")],
    ["too much", "sts-policy-fetch-error", saying(`${policy("enforce")}${"x: y\n".repeat(20_000)}`)],
    ["nonsense", "sts-policy-invalid", saying("mode: enforce")],
  ])("%s is no policy: mail goes as without one, and that is counted", async (_, result, answer) => {
    policies.answer = answer;
    serve("wrong");
    expect(await outcome("good.test")).toMatchObject({ delivered: "unknown" });
    expect(faults()).toEqual([["sts", result]]);
    expect(policies.asked).toHaveLength(1);
  });

  test("a policy host without a valid certificate has no policy", async () => {
    host.dns.set("_mta-sts.wrong.test", "TXT", "v=STSv1; id=1");
    host.dns.set("mta-sts.wrong.test", "A", "127.0.0.1");
    policies.answer = saying(policy("enforce"));
    expect(await sts.find("wrong.test")).toMatchObject({ fault: { result: "sts-webpki-invalid" } });
    expect(policies.asked).toEqual([]);
  });
});

describe("the operator's rule", () => {
  test.each<[TlsLevel, string, "unknown" | "queued", boolean]>([
    ["none", "good", "unknown", false],
    ["may", "wrong", "unknown", true],
    ["encrypt", "wrong", "unknown", true],
    ["encrypt", "plain", "queued", false],
    ["verify", "good", "unknown", true],
    ["verify", "wrong", "queued", false],
    ["verify", "plain", "queued", false],
  ])("%s, for the server %s: %s", async (level, name, delivered, tls) => {
    levels.set("good.test", level);
    policies.answer = saying(policy("enforce", "mx.elsewhere.test"));
    serve(name);
    const found = await outcome("good.test");
    expect(found.delivered).toBe(delivered);
    if (delivered === "queued") expect(found.smtpReply).toMatch(/^451 4\.7\.\d+ /);
    else expect(sinks[name]!.messages.map((one) => one.tls)).toEqual([tls]);
    expect(policies.asked).toEqual([]);
  });

  test("for the domain itself goes before that for subdomains, and that before the one for all", async () => {
    const server = { name: "mx.test", address: "127.0.0.1", port: 25 };
    levels.set("*", "encrypt").set(".good.test", "verify").set("a.good.test", "none");
    const key = async (domain: string) => (await rules(domain, server)).key;
    expect(await key("a.good.test")).toBe("none");
    expect(await key("b.a.good.test")).toBe("verify");
    expect(await key("good.test")).toBe("encrypt");
  });
});

describe("what the message says itself (RFC 8689)", () => {
  const offering = () => sinks.good!.offer({ extensions: ["8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS"] });
  const required = { isRequired: true };

  test("REQUIRETLS: it goes on to a server whose name, certificate and promise are good, with the parameter", async () => {
    policies.answer = saying(policy("testing"));
    serve("good");
    offering();
    expect(await outcome("good.test", required)).toMatchObject({ delivered: "unknown" });
    expect(sinks.good!.commands.find((line) => line.startsWith("MAIL"))).toMatch(/ REQUIRETLS\b/);
    expect(sinks.good!.messages.map(({ tls }) => tls)).toEqual([true]);
  });

  test.each<[string, string, string | undefined, boolean, RegExp]>([
    ["does not offer it", "good", "mx.good.test", false, /^550 5\.7\.30 mx\.good\.test .*REQUIRETLS/],
    ["no policy names", "good", undefined, true, /^550 5\.7\.30 mx\.good\.test .*nothing proves/],
    ["has another certificate", "wrong", "*.wrong.test", true, /^550 5\.7\.10 /],
    ["has no TLS", "plain", "*.plain.test", true, /^550 5\.7\.10 /],
  ])("REQUIRETLS: it comes back from a server that %s", async (_, name, mx, isOffered, reply) => {
    if (mx === undefined) host.dns.remove("_mta-sts.good.test");
    else policies.answer = saying(policy("enforce", mx));
    serve(name);
    if (isOffered) offering();
    else sinks.good!.offer();
    const found = await outcome("good.test", { ...required, fields: "TLS-Required: No\r\n" });
    expect(found).toMatchObject({ delivered: "no", smtpReply: expect.stringMatching(reply) });
    expect(sinks[name]!.messages).toEqual([]);
  });

  test("REQUIRETLS: the next of the domain's servers may do", async () => {
    policies.answer = saying(policy("enforce", "*.good.test\nmx: mx.wrong.test"));
    host.dns.set("good.test", "MX", [
      { preference: 10, exchange: "mx.wrong.test" },
      { preference: 20, exchange: "mx.good.test" },
    ]);
    offering();
    expect(await outcome("good.test", required)).toMatchObject({ delivered: "unknown" });
    expect(sinks.wrong!.messages).toEqual([]);
  });

  test.each(["wrong", "plain"])("TLS-Required: No lets it go to the server %s in spite of the policy", async (name) => {
    policies.answer = saying(policy("enforce", "mx.elsewhere.test"));
    serve(name);
    expect(await outcome("good.test", { fields: "TLS-Required: no\r\n" })).toMatchObject({ delivered: "unknown" });
    expect(sinks[name]!.messages.map(({ tls }) => tls)).toEqual([name === "wrong"]);
    expect(sinks[name]!.messages[0]!.raw.toString()).toContain("TLS-Required: no");
  });

  test.each(["TLS-Required: Yes", "TLS-Required: No\r\nTLS-Required: No", "X-TLS-Required: No"])(
    "%s lets nothing pass",
    async (fields) => {
      policies.answer = saying(policy("enforce", "mx.elsewhere.test"));
      serve("wrong");
      expect(await outcome("good.test", { fields: `${fields}\r\n` })).toMatchObject({ delivered: "queued" });
    },
  );

  test("TLS-Required: No does not go before the operator's rule", async () => {
    levels.set("good.test", "verify");
    serve("wrong");
    expect(await outcome("good.test", { fields: "TLS-Required: No\r\n" })).toMatchObject({ delivered: "queued" });
  });

  test("mail that comes with REQUIRETLS is taken over TLS alone, and forwarded with it", async () => {
    policies.answer = saying(policy("enforce"));
    serve("good");
    offering();
    await host.listen();
    await forwardAddress(testAdmin(host.store), "bob@here.test", { to: ["x@good.test"], keepsCopy: true });
    const connection = await SmtpConnection.open({ port: host.smtpPort });
    await connection.expect("greeting", [220]);
    expect((await connection.command("EHLO there.test", [250])).lines.join(" ")).not.toContain("REQUIRETLS");
    expect((await connection.command("MAIL FROM:<eve@there.test> REQUIRETLS", [530])).line).toMatch(/^530 5\.7\.\d+ /);
    await connection.startTls();
    expect((await connection.command("EHLO there.test", [250])).lines.join(" ")).toContain("REQUIRETLS");
    await connection.command("MAIL FROM:<eve@there.test> REQUIRETLS=1", [501]);
    await connection.command("MAIL FROM:<eve@there.test> REQUIRETLS", [250]);
    await connection.command("RCPT TO:<bob@here.test>", [250]);
    await connection.command("DATA", [354]);
    await connection.command("From: eve@there.test\r\nSubject: On its way\r\n\r\nHello.\r\n.", [250]);
    await connection.quit();
    await until("it is sent on", async () => (sinks.good!.messages.length === 1 ? true : undefined));
    expect(sinks.good!.commands.find((line) => line.startsWith("MAIL"))).toMatch(/ REQUIRETLS\b/);
  });
});

test("without rules or policies, any certificate will do, and that is counted as such", async () => {
  const { id } = await sent(await mail("x@far.test", "Opportunistic"));
  expect(await status(id, "x@far.test", "unknown")).toBeDefined();
  expect(faults()).toEqual([["no-policy-found", undefined]]);
});
