import { isAscii } from "node:buffer";
import fc from "fast-check";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dnsRecords } from "../../src/admin/dns-records.ts";
import { keysOf } from "../../src/admin/domains.ts";
import { type PeerAbilities, wireMessage } from "../../src/mime/transport.ts";
import { Unsendable } from "../../src/mime/unsendable.ts";
import { findDomain } from "../../src/store/directory/directory.ts";
import { timeFor, tries } from "../support/fuzz.ts";
import { until } from "../support/ports.ts";
import { type Offer, type SmtpSink, startSink } from "../support/smtp-sink.ts";
import { expectLegal } from "../support/wire.ts";
import { ada, client, draft, get, host, type Submission, sink, submit, useOutbox } from "./outbox.ts";
import { expectSame, randomDraft, randomMail } from "./random-mail.ts";

/** Servers with every combination of extensions, each the mail host of a domain. */
const offers: Record<string, Offer> = {
  "old.test": { extensions: [] },
  "eight.test": { extensions: ["8BITMIME", "PIPELINING"] },
  "utf8.test": { extensions: ["8BITMIME", "SMTPUTF8", "DSN", "PIPELINING"] },
  "small.test": { extensions: ["DSN"], size: 6000 },
};
const sinks = new Map<string, SmtpSink>();

useOutbox();
beforeAll(async () => {
  for (const [index, [domain, offer]] of Object.entries(offers).entries()) {
    const address = `127.0.0.${index + 2}`;
    sinks.set(domain, await startSink({ host: address, port: sink.port, offer, tls: index === 0 }));
    host.dns.set(domain, "MX", { preference: 10, exchange: `mx.${domain}` });
    host.dns.set(`mx.${domain}`, "A", address);
  }
  const domain = await findDomain(host.database, "here.test");
  for (const record of dnsRecords(domain!, "mx.posthorn.test", await keysOf(host, domain!.name))) {
    if (record.type === "TXT") host.dns.set(record.name.slice(0, -1), "TXT", record.value.replace(/"( ")?/g, ""));
  }
});
afterAll(() => Promise.all([...sinks.values()].map((one) => one.stop())));

const abilitiesOf = ({ extensions }: Offer): PeerAbilities => ({
  eightBit: extensions.includes("8BITMIME"),
  utf8: extensions.includes("SMTPUTF8"),
});

async function expectSigned(bytes: Buffer): Promise<void> {
  const resolver = (name: string, type: string) => host.dns.resolver().resolve(name, type) as Promise<string[]>;
  const { results } = await dkimVerify(bytes, { resolver, strict: true });
  expect(results.map(({ status }) => status.result)).toEqual(["pass", "pass"]);
}

const rcptTo = Object.keys(offers).flatMap((domain) => [{ email: `zoe@${domain}` }, { email: `jörg@${domain}` }]);
const envelope = { mailFrom: { email: "ada@here.test" }, rcptTo };

/** Sends the message to all servers and checks what arrived. */
async function expectSent(emailId: string, source: Buffer): Promise<void> {
  for (const one of sinks.values()) one.reset();
  const { created, notCreated } = await submit(emailId, { envelope });
  if (notCreated) {
    expect(notCreated).toMatchObject({
      s: { type: "invalidEmail", description: expect.stringMatching(/signed part/) },
    });
    return;
  }
  const { id } = (created as Record<string, Submission>).s!;
  const statuses = await until("all are answered", async () => {
    host.mailOut!.wake();
    const { deliveryStatus } = await get(id);
    return Object.values(deliveryStatus).every(({ delivered }) => delivered !== "queued") ? deliveryStatus : undefined;
  });
  for (const [domain, offer] of Object.entries(offers)) {
    const { messages, commands } = sinks.get(domain)!;
    const { delivered, smtpReply } = statuses[`zoe@${domain}`]!;
    const isUtf8 = offer.extensions.includes("SMTPUTF8");
    if (delivered === "no") {
      expect(smtpReply).toMatch(/^550 5\.6\.3 .*signed part holds 8-bit text|^552 5\.3\.4 /);
      expect(messages).toEqual([]);
      continue;
    }
    expect(statuses[`jörg@${domain}`]!.smtpReply).toMatch(isUtf8 ? /^250 / : /^553 5\.6\.7 /);
    expect(messages.length).toBe(1);
    const { raw } = messages[0]!;
    expectLegal(raw, abilitiesOf(offer));
    expect(raw.length).toBeLessThanOrEqual(offer.size ?? Number.POSITIVE_INFINITY);
    const mailCommand = commands.find((line) => line.startsWith("MAIL"))!;
    expect(/ BODY=8BITMIME\b/.test(mailCommand)).toBe(!isAscii(raw));
    expect(/ SMTPUTF8\b/.test(mailCommand)).toBe(isUtf8);
    expect(/ SIZE=/.test(mailCommand)).toBe(offer.size !== undefined);
    await expectSigned(raw);
    expectSame(source, raw);
  }
}

test("any imported message leaves in a form that its server takes, signed, with the same meaning", {
  timeout: timeFor(24, 400),
}, async () => {
  await fc.assert(
    fc.asyncProperty(randomMail, async (message) => expectSent(await draft(message), message)),
    { ...tries(24, 3000), endOnFailure: true },
  );
});

test("any message written with Email/set does so too", { timeout: timeFor(12, 400) }, async () => {
  const { list } = await client.call("Mailbox/get", { ids: null });
  const drafts = (list as { id: string; role: string }[]).find(({ role }) => role === "drafts")!.id;
  await fc.assert(
    fc.asyncProperty(randomDraft, async (email) => {
      const create = { e: { ...email, mailboxIds: { [drafts]: true }, keywords: { $draft: true } } };
      const { created, notCreated } = await client.call("Email/set", { create });
      expect(notCreated).toBeNull();
      const { id, blobId } = (created as { e: { id: string; blobId: string } }).e;
      const source = await host.blobs.read(host.store.reader(ada, "server"), blobId);
      await expectSent(id, source!);
    }),
    { ...tries(12, 1000), endOnFailure: true },
  );
});

test("the form of a message for any server keeps its meaning", () => {
  fc.assert(
    fc.property(randomMail, fc.constantFrom("old.test", "eight.test", "utf8.test"), (message, domain) => {
      const peer = abilitiesOf(offers[domain]!);
      let out: Buffer;
      try {
        out = wireMessage(message, peer);
      } catch (error) {
        if (error instanceof Unsendable && /signed part/.test(error.message)) return;
        throw error;
      }
      expectLegal(out, peer);
      expect(wireMessage(out, peer)).toBe(out);
      expectSame(message, out);
    }),
    tries(1000, 30_000),
  );
});
