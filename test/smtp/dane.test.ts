import { createHash, X509Certificate } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DnssecResolver } from "../../src/smtp/outbound/tls-policy/dnssec-resolver.ts";
import { type TlsSession, tlsRulesBy } from "../../src/smtp/outbound/tls-policy/find-tls-rules.ts";
import type { FindTlsRules } from "../../src/smtp/outbound/tls-rules.ts";
import { queuedReply } from "../../src/store/queues/submissions.ts";
import { type Authority, makeAuthority } from "../support/authority.ts";
import { until } from "../support/ports.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";
import { startUnbound, whyNoUnbound } from "../support/unbound.ts";
import { get, host, mail, sent, sink, useOutbox } from "./outbox.ts";

let rules: FindTlsRules;
let authority: Authority;
let secure: SmtpSink;
let plain: SmtpSink;
let unbound: { address: string; stop(): void } | undefined;
const sessions: TlsSession[] = [];
let mails = 0;

/** What each domain's server publishes; "" for nothing. */
const published: Record<string, (leaf: X509Certificate, ca: X509Certificate) => string> = {
  "ee-key-256": (leaf) => `3 1 1 ${digest("sha256", spki(leaf))}`,
  "ee-cert-512": (leaf) => `3 0 2 ${digest("sha512", leaf.raw)}`,
  "ee-key-whole": (leaf) => `3 1 0 ${spki(leaf).toString("hex")}`,
  "ta-cert-256": (_, ca) => `2 0 1 ${digest("sha256", ca.raw)}`,
  "ta-key-512": (_, ca) => `2 1 2 ${digest("sha512", spki(ca))}`,
  "ta-key-whole": (_, ca) => `2 1 0 ${spki(ca).toString("hex")}`,
  "another-key": (_, ca) => `3 1 1 ${digest("sha256", spki(ca))}`,
  "another-authority": (leaf) => `2 1 1 ${digest("sha256", spki(leaf))}`,
  unusable: () => `1 1 1 ${"00".repeat(32)}`,
  none: () => "",
};
const spki = (one: X509Certificate) => one.publicKey.export({ type: "spki", format: "der" });
const digest = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest("hex");

useOutbox({ tlsRules: (domain, server) => rules(domain, server) });
beforeAll(async () => {
  authority = await makeAuthority();
  const pems = await authority.certify("mx.signed.test");
  const { port } = sink;
  secure = await startSink({ host: "127.0.0.2", port, pems });
  plain = await startSink({ host: "127.0.0.3", port, tls: false });
  if (whyNoUnbound) return;
  const [leaf, ca] = [new X509Certificate(pems.cert), new X509Certificate(authority.cert)];
  const tlsa = (name: string, text: string) => (text === "" ? [] : [`_${port}._tcp.${name} TLSA ${text}`]);
  const names = Object.keys(published);
  const ee = published["ee-key-256"]!(leaf, ca);
  const signed = [
    ...names.flatMap((name) => [
      `${name} MX 10 mx-${name}`,
      `mx-${name} A 127.0.0.2`,
      ...tlsa(`mx-${name}`, published[name]!(leaf, ca)),
    ]),
    // Its certificate's name is the right one for DANE-TA(2).
    ...["mx A 127.0.0.2", "ta-named MX 10 mx", ...tlsa("mx", published["ta-cert-256"]!(leaf, ca))],
    ...["plain MX 10 mx-plain", "mx-plain A 127.0.0.3", ...tlsa("mx-plain", ee)],
    ...["alias MX 10 mx-alias", "mx-alias CNAME mx-ee-key-256"],
    ...["elsewhere MX 10 mx.unsigned.test.", "other MX 10 mx-none"],
    // More records than fit into a UDP answer.
    ...["many MX 10 mx-many", "mx-many A 127.0.0.2", ...tlsa("mx-many", ee)],
    ...Array.from({ length: 30 }, (_, no) => tlsa("mx-many", `3 1 2 ${digest("sha512", Buffer.from([no]))}`)).flat(),
    ...tlsa("mx-many", published["ee-key-whole"]!(leaf, ca)),
  ];
  unbound = await startUnbound([
    { name: "signed.test", isSigned: true, records: signed },
    {
      name: "unsigned.test",
      isSigned: false,
      records: ["@ MX 10 mx", "mx A 127.0.0.2", ...tlsa("mx", published["another-key"]!(leaf, ca))],
    },
    {
      ...{ name: "bogus.test", isSigned: true, records: ["@ MX 10 mx", "mx A 127.0.0.2"] },
      spoil: (text) => text.replace(/(\bMX\s+)10(\s)/, "$120$2"),
    },
  ]);
  const resolved = [...names, "plain", "alias", "elsewhere", "many"];
  for (const name of resolved) {
    const exchange = name === "elsewhere" ? "mx.unsigned.test" : `mx-${name}.signed.test`;
    host.dns.set(`${name}.signed.test`, "MX", { preference: 10, exchange });
    host.dns.set(exchange, "A", name === "plain" ? "127.0.0.3" : "127.0.0.2");
  }
  // The resolver that is not trusted names a server that signed DNS does not.
  host.dns.set("other.signed.test", "MX", { preference: 10, exchange: "mx-plain.signed.test" });
  host.dns.set("ta-named.signed.test", "MX", { preference: 10, exchange: "mx.signed.test" });
  host.dns.set("mx.signed.test", "A", "127.0.0.2");
  for (const name of ["unsigned.test", "bogus.test"]) {
    host.dns.set(name, "MX", { preference: 10, exchange: `mx.${name}` });
    host.dns.set(`mx.${name}`, "A", "127.0.0.2");
  }
});
afterAll(async () => {
  unbound?.stop();
  await secure.stop();
  await plain.stop();
});
beforeEach(async () => {
  // A connection is kept for the next mail, and judged once.
  await host.mailOut?.close();
  host.startMailOut(sink.port, { tlsRules: (domain, server) => rules(domain, server) });
  sessions.length = 0;
  secure.reset();
  plain.reset();
  if (unbound) ask(unbound.address);
});

function ask(address: string): void {
  rules = tlsRulesBy({
    ...{ levels: new Map(), dnssec: new DnssecResolver(address), clock: host.clock },
    sts: { find: async () => undefined },
    onSession: (session) => void sessions.push(session),
  });
}

async function outcome(domain: string): Promise<{ delivered: string; smtpReply: string }> {
  const address = `x${++mails}@${domain}`;
  const { id } = await sent(await mail(address, "DANE"));
  return until(`an attempt for ${address}`, async () => {
    const found = (await get(id)).deliveryStatus[address];
    return found && found.smtpReply !== queuedReply ? found : undefined;
  });
}

const faults = () => sessions.map(({ policy: { type }, fault }) => [type, fault?.result]);

describe.skipIf(whyNoUnbound)("DANE, with a validating resolver", () => {
  test.each(["ee-key-256", "ee-cert-512", "ee-key-whole", "many"])(
    "mail goes to a server whose certificate is the one of TLSA %s, whatever its name",
    async (name) => {
      expect(await outcome(`${name}.signed.test`)).toMatchObject({ delivered: "unknown" });
      expect(secure.messages.map(({ tls }) => tls)).toEqual([true]);
      expect(faults()).toEqual([["tlsa", undefined]]);
    },
  );

  test("mail goes to a server whom the authority of TLSA 2 0 1 vouches for by name, and to no other", async () => {
    expect(await outcome("ta-named.signed.test")).toMatchObject({ delivered: "unknown" });
    for (const name of ["ta-cert-256", "ta-key-512", "ta-key-whole"]) {
      const { delivered, smtpReply } = await outcome(`${name}.signed.test`);
      expect([delivered, smtpReply]).toEqual(["queued", expect.stringMatching(/^451 4\.7\.5 .*TLSA/)]);
    }
  });

  test.each(["another-key", "another-authority"])("mail waits when no record matches, as %s", async (name) => {
    const { delivered, smtpReply } = await outcome(`${name}.signed.test`);
    expect([delivered, smtpReply]).toEqual(["queued", expect.stringMatching(/^451 4\.7\.5 .*TLSA/)]);
    expect(secure.messages).toEqual([]);
    expect(faults()).toEqual([["tlsa", "validation-failure"]]);
  });

  test("mail waits when a server with records offers no TLS", async () => {
    expect(await outcome("plain.signed.test")).toMatchObject({
      delivered: "queued",
      smtpReply: expect.stringMatching(/^451 4\.7\./),
    });
    expect(plain.messages).toEqual([]);
    expect(faults()).toEqual([["tlsa", "starttls-not-supported"]]);
  });

  test("records that can't be used still ask for TLS, with any certificate", async () => {
    expect(await outcome("unusable.signed.test")).toMatchObject({ delivered: "unknown" });
    expect(faults()).toEqual([["tlsa", undefined]]);
    const { key, isRequired } = await rules("unusable.signed.test", {
      ...{ name: "mx-unusable.signed.test", address: "127.0.0.2", port: sink.port },
    });
    expect([key, isRequired]).toEqual([expect.stringMatching(/^dane /), true]);
  });

  test("a server behind a signed alias has the records of its last name", async () => {
    expect(await outcome("alias.signed.test")).toMatchObject({ delivered: "unknown" });
    expect(faults()).toEqual([["tlsa", undefined]]);
    const server = { name: "mx-alias.signed.test", address: "127.0.0.2", port: sink.port };
    expect(await rules("alias.signed.test", server)).toMatchObject({ servername: "mx-ee-key-256.signed.test" });
  });

  test.each(["none.signed.test", "unsigned.test", "elsewhere.signed.test"])(
    "without records that DNSSEC proves there is no DANE, as for %s",
    async (domain) => {
      expect(await outcome(domain)).toMatchObject({ delivered: "unknown" });
      expect(faults()).toEqual([["no-policy-found", undefined]]);
    },
  );

  test("mail waits when DNSSEC proves the answer false", async () => {
    expect(await outcome("bogus.test")).toMatchObject({
      delivered: "queued",
      smtpReply: expect.stringMatching(/^451 4\.7\.5 .*DNS/),
    });
    expect(faults()).toEqual([["tlsa", "dnssec-invalid"]]);
  });

  test("mail waits when another resolver names a server that signed DNS does not", async () => {
    const { delivered, smtpReply } = await outcome("other.signed.test");
    expect([delivered, smtpReply]).toEqual(["queued", expect.stringMatching(/^451 4\.7\.5 .*signed DNS/)]);
    expect(plain.messages).toEqual([]);
  });

  test("an answer whose AD bit was stripped proves nothing", async () => {
    const [name, port] = unbound!.address.split(":");
    const relay = createSocket("udp4");
    relay.on("message", (query, from) => {
      const out = createSocket("udp4");
      out.once("message", (answer) => {
        answer[3]! &= ~0x20;
        relay.send(answer, from.port, from.address, () => out.close());
      });
      out.send(query, Number(port), name);
    });
    relay.bind(0, "127.0.0.1");
    await once(relay, "listening");
    ask(`127.0.0.1:${relay.address().port}`);
    expect(await outcome("another-key.signed.test")).toMatchObject({ delivered: "unknown" });
    expect(faults()).toEqual([["no-policy-found", undefined]]);
    relay.close();
  });
});

test("mail waits while the resolver that is trusted does not answer", async () => {
  host.dns.fail("far.test", "SERVFAIL");
  ask(host.dns.address);
  const server = { name: "mx.far.test", address: "127.0.0.1", port: sink.port };
  await expect(rules("far.test", server)).rejects.toMatchObject({
    answer: { kind: "deferred", smtpReply: expect.stringMatching(/^451 4\.7\.5 .*DNS has no valid answer/) },
  });
  host.dns.fail("far.test", undefined);
});
