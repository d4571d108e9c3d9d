import { generateKeyPairSync } from "node:crypto";
import { authenticate, dkimSign, sealMessage } from "mailauth";
import { beforeAll, expect, test } from "vitest";
import { why } from "../../src/admin/trace.ts";
import { capabilities } from "../../src/jmap/capability-names.ts";
import { dispatch } from "../../src/jmap/dispatch.ts";
import { methods } from "../../src/jmap/methods.ts";
import type { Invocation } from "../../src/jmap/references.ts";
import { createRegistry } from "../../src/jmap/registry.ts";
import type { Override } from "../../src/smtp/inbound/disposition.ts";
import { testAdmin } from "../support/admin.ts";
import { deliver, SmtpFailure } from "../support/smtp-client.ts";
import { ada, client, host, useOutbox } from "./outbox.ts";

useOutbox();

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const overrides = new Map<string, Override>([
  ["open.test", "accept"],
  ["closed.test", "reject"],
  ["doubtful.test", "junk"],
]);

beforeAll(async () => {
  await host.listen({ policies: { overrides, trustedSealers: ["lists.test"] } });
  const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: "spki", format: "der" }).toString("base64")}`;
  for (const domain of ["bank.test", "lists.test", "other-lists.test"]) {
    host.dns.set(`s._domainkey.${domain}`, "TXT", record);
  }
  for (const domain of ["bank.test", "open.test", "doubtful.test"]) {
    host.dns.set(`_dmarc.${domain}`, "TXT", "v=DMARC1; p=reject");
  }
  host.dns.set("_dmarc.closed.test", "TXT", "v=DMARC1; p=none");
  host.dns.set("default._bimi.bank.test", "TXT", "v=BIMI1; l=https://bank.test/logo.svg; a=");
});

type Json = Record<string, unknown>;
const written = (subject: string, from: string) =>
  `From: ${from}\r\nTo: ada@here.test\r\nSubject: ${subject}\r\nMessage-ID: <${subject.replace(/\W/g, "")}@x.test>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\nHello.\r\n`;
async function signed(text: string): Promise<string> {
  const signatureData = [{ signingDomain: "bank.test", selector: "s", privateKey: key }];
  return (await dkimSign(text, { signatureData } as never)).signatures + text;
}
async function comes(data: string): Promise<string> {
  const to = "ada@here.test";
  const outcome = await deliver({ port: host.smtpPort, from: "x@far.test", to, data }).catch((e: unknown) => e);
  await host.incoming.idle();
  return outcome instanceof SmtpFailure ? outcome.line : "taken";
}
async function request(calls: Invocation[], ...using: string[]): Promise<Invocation[]> {
  const { services, login } = client;
  const all = new Set<string>([capabilities.core, capabilities.mail, ...using]);
  const made = await services.octets.leased((octets) =>
    dispatch(createRegistry(methods), services, { login, using: all, calls, createdIds: {}, octets }),
  );
  return made.responses;
}
async function of(subject: string): Promise<{ authentication: Json; mailboxIds: Json; keywords: Json }> {
  const { ids } = await client.call("Email/query", { filter: { subject } });
  const { list } = await client.call("Email/get", { ids, properties: ["authentication", "mailboxIds", "keywords"] });
  return (list as never[])[0]!;
}
const isJunk = async (subject: string) => (await of(subject)).keywords.$junk === true;

test("what was found is a property of the mail, and the record of a logo is looked up", async () => {
  expect(await comes(await signed(written("Statement", "a@bank.test")))).toBe("taken");
  expect((await of("Statement")).authentication).toEqual({
    spf: { result: "none", domain: "far.test" },
    dkim: [{ result: "pass", domain: "bank.test", selector: "s" }],
    dmarc: [{ result: "pass", domain: "bank.test", policy: "reject", override: null }],
    arc: { result: "none", sealers: [] },
    bimi: { result: "pass", domain: "bank.test" },
  });
  const [mail] = (await host.mails(ada)).filter(({ subject }) => subject === "Statement");
  expect(mail!.raw).toMatch(/bimi=pass header\.d=bank\.test header\.selector=default/);
});

test("mail is found by its results, where the capability is in use", async () => {
  expect(await comes(written("Unproved", "a@plain.test"))).toBe("taken");
  const found = async (authentication: Json) => {
    const { ids } = await client.call("Email/query", { filter: { authentication } });
    const { list } = await client.call("Email/get", { ids, properties: ["subject"] });
    return (list as { subject: string }[]).map(({ subject }) => subject).sort();
  };
  expect(await found({ dmarc: "pass" })).toEqual(["Statement"]);
  expect(await found({ dkim: "none" })).toEqual([]);
  expect(await found({ spf: "none", dmarc: "none" })).toEqual(["Unproved"]);
  expect(await found({ spf: "none" })).toEqual(["Statement", "Unproved"]);
  const negated = { operator: "NOT", conditions: [{ authentication: { dmarc: "pass" } }] };
  const { ids } = await client.call("Email/query", { filter: negated, calculateTotal: true });
  expect(ids).toHaveLength(1);
  const accountId = client.account;
  const query: Invocation = ["Email/query", { accountId, filter: { authentication: { dmarc: "pass" } } }, "0"];
  const get: Invocation = ["Email/get", { accountId, ids: [], properties: ["authentication"] }, "1"];
  expect(await request([query, get])).toMatchObject([
    ["error", { type: "unsupportedFilter" }, "0"],
    ["error", { type: "invalidArguments" }, "1"],
  ]);
  expect(await request([query, get], capabilities.authentication)).toMatchObject([
    ["Email/query", { ids: [expect.any(String)] }, "0"],
    ["Email/get", {}, "1"],
  ]);
  const bad = await client.call("Email/query", { filter: { authentication: { dmark: "pass" } } });
  expect(bad).toMatchObject({ type: "invalidArguments" });
});

test("an operator's word goes before the policy", async () => {
  expect(await comes(written("Let in", "a@sub.open.test"))).toBe("taken");
  expect(await isJunk("Let in")).toBe(false);
  expect((await of("Let in")).authentication.dmarc).toMatchObject([{ result: "fail", override: "accept" }]);
  expect(await comes(written("Doubtful", "a@doubtful.test"))).toBe("taken");
  expect(await isJunk("Doubtful")).toBe(true);
  const line = await comes(written("Closed", "a@closed.test"));
  expect(line).toMatch(/^550 5\.7\.1 closed\.test did not send this \(DMARC\)/);
  const id = /\((q\w+)\)$/.exec(line)![1]!;
  await host.mailLog.flush();
  const reasons = await why(testAdmin(host.store), id, 3_600_000);
  expect(JSON.stringify(reasons)).toContain("dmarc=fail (p=none dis=reject local=reject) header.from=closed.test");
});

test("a forwarder that is trusted vouches for what it has altered; others do not", async () => {
  const sealedBy = async (subject: string, domain: string) => {
    const original = await signed(written(subject, "a@bank.test"));
    const resolver = ((name: string, type: string) => host.dns.resolver().resolve(name, type)) as never;
    const { arc, headers } = await authenticate(original, {
      ip: "192.0.2.9",
      sender: "a@bank.test",
      mta: domain,
      resolver,
    });
    const seen = /^Authentication-Results: ([\s\S]*?)\r\n(?![ \t])/im.exec(`${headers}\r\n`)![1]!;
    // As a list does: the signature of the author breaks, the seal is made after.
    const altered = original.replace("Hello.\r\n", "Hello.\r\n-- \r\nA list\r\n");
    expect(arc).toMatchObject({ status: { result: "none" } });
    const seal = { signingDomain: domain, selector: "s", privateKey: key, authResults: seen, cv: "none", i: 1 };
    return (await sealMessage(altered, seal as never)).toString() + altered;
  };
  expect(await comes(await sealedBy("By a good list", "lists.test"))).toBe("taken");
  expect((await of("By a good list")).authentication).toMatchObject({
    dmarc: [{ result: "fail", override: "lists.test" }],
    arc: { result: "pass", sealers: ["lists.test"] },
    bimi: { result: "skipped" },
  });
  expect(await isJunk("By a good list")).toBe(false);
  expect(await comes(await sealedBy("By another list", "other-lists.test"))).toBe("taken");
  expect(await isJunk("By another list")).toBe(true);
  expect((await of("By another list")).authentication).toMatchObject({ arc: { result: "pass" } });
});
