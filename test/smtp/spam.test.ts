import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeId, idPrefix } from "../../src/base/ids.ts";
import { capabilities } from "../../src/jmap/capability-names.ts";
import { dispatch } from "../../src/jmap/dispatch.ts";
import { methods } from "../../src/jmap/methods.ts";
import type { Invocation } from "../../src/jmap/references.ts";
import { createRegistry } from "../../src/jmap/registry.ts";
import { Learner } from "../../src/mail/scan/learner.ts";
import type { Blobs } from "../../src/store/blobs/blobs.ts";
import { countTokens, maxTokens } from "../../src/store/mail/spam-tokens.ts";
import { TestClient, testLogin, testServices } from "../support/jmap.ts";
import { type MailHost, startMailHost } from "./host.ts";

type Json = Record<string, unknown>;
interface Scanned {
  id: string;
  scan: { score: number; reasons: { rule: string }[]; marks: { kind: string; text: string }[]; by: string };
  mailboxIds: Json;
  keywords: Json;
}

let host: MailHost;
let count = 0;

beforeAll(async () => {
  host = await startMailHost();
});
afterAll(() => host.stop());

interface Box {
  account: number;
  address: string;
  client: TestClient;
  boxes: Record<string, string>;
}

async function box(): Promise<Box> {
  const address = `user${++count}@here.test`;
  const account = await host.account(address);
  const { blobs, ingest, learner } = host;
  const client = new TestClient(methods, testServices(host.store, { blobs, ingest, learner }), testLogin([account]));
  const { list } = (await client.call("Mailbox/get", {})) as { list: { id: string; role: string }[] };
  return { account, address, client, boxes: Object.fromEntries(list.map(({ id, role }) => [role, id])) };
}

interface Mail {
  from?: string;
  subject?: string;
  body?: string;
  results?: string;
  type?: string;
}

const passes = (domain: string) =>
  `Authentication-Results: mx.posthorn.test; spf=pass smtp.mailfrom=${domain}; dmarc=pass header.from=${domain}\r\n`;

async function arrive({ account, address, client }: Box, mail: Mail): Promise<Scanned> {
  const { from = "eve@far.test", subject = "Lunch", body = "See you at noon.", type = "text/plain" } = mail;
  const id = await host.incoming.newId();
  const header = [
    `${mail.results ?? passes("far.test")}Received: from far.test by mx.posthorn.test`,
    `From: ${from}`,
    `To: ${address}`,
    `Subject: ${subject}`,
    "Date: Mon, 30 Nov 2026 10:00:00 +0000",
    `Message-ID: <m${id}@far.test>`,
    `Content-Type: ${type}; charset=utf-8`,
  ];
  const message = Buffer.from(`${header.join("\r\n")}\r\n\r\n${body}\r\n`);
  await host.incoming.accept({ id, message, mailFrom: "eve@far.test", recipients: [{ address, userId: account }] });
  await host.incoming.idle();
  return (await newest(client, 1))[0]!;
}

const properties = ["scan", "mailboxIds", "keywords"];
async function newest(client: TestClient, limit: number): Promise<Scanned[]> {
  const { ids } = (await client.call("Email/query", {
    limit,
    sort: [{ property: "receivedAt", isAscending: false }],
  })) as {
    ids: string[];
  };
  return ((await client.call("Email/get", { ids, properties })) as { list: Scanned[] }).list;
}

const phishing = {
  from: '"support@bank.test" <a@evil.test>',
  subject: "YOUR ACCOUNT IS CLOSED!!!",
  results:
    "Authentication-Results: mx.posthorn.test; spf=fail smtp.mailfrom=evil.test; dmarc=fail header.from=evil.test\r\n",
  body: '<a href="http://1.2.3.4/login">https://www.bank.test/login</a>',
  type: "text/html",
};

test("an ordinary mail goes to the inbox, with its score", async () => {
  const one = await box();
  const { scan, mailboxIds, keywords } = await arrive(one, {});
  expect(scan).toMatchObject({ by: "posthorn", marks: [] });
  expect(scan.score).toBeLessThan(2);
  expect(mailboxIds).toEqual({ [one.boxes.inbox!]: true });
  expect(keywords).toEqual({});
});

test("where strong signs meet, a mail goes to Junk without any training, with keyword, reasons and marks", async () => {
  const one = await box();
  const { scan, mailboxIds, keywords } = await arrive(one, phishing);
  expect(mailboxIds).toEqual({ [one.boxes.junk!]: true });
  expect(keywords).toEqual({ $junk: true });
  const rules = scan.reasons.map(({ rule }) => rule);
  expect(rules).toEqual(expect.arrayContaining(["dmarc-fails", "name-is-another-address", "link-to-number"]));
  const sum = scan.reasons.reduce((total, reason) => total + (reason as unknown as { points: number }).points, 0);
  expect(scan.score).toBeCloseTo(sum, 1);
  expect(scan.marks).toEqual([
    {
      kind: "link",
      shown: "https://www.bank.test/login",
      actual: "1.2.3.4",
      text: 'the link "https://www.bank.test/login" leads to 1.2.3.4',
    },
  ]);
});

test("the property exists only for requests that use its capability", async () => {
  const one = await box();
  await arrive(one, {});
  const { services, login, account: accountId } = one.client;
  const args = { accountId, ids: null, properties: ["id", "scan"] };
  const asked = (...more: string[]) =>
    services.octets.leased((octets) => {
      const using = new Set([capabilities.core, capabilities.mail, ...more]);
      const calls: Invocation[] = [["Email/get", args, "0"]];
      return dispatch(createRegistry(methods), services, { login, using, calls, createdIds: {}, octets });
    });
  expect((await asked()).responses[0]).toMatchObject(["error", { type: "invalidArguments" }, "0"]);
  expect((await asked(capabilities.scan)).responses[0]).toMatchObject(["Email/get", { list: [{ scan: {} }] }, "0"]);
  expect(
    Object.keys(((await one.client.call("Email/get", { ids: null })) as { list: object[] }).list[0]!),
  ).not.toContain("scan");
});

async function update({ client }: Box, id: string, patch: Json): Promise<void> {
  const answer = await client.call("Email/set", { update: { [id]: patch } });
  expect(answer.updated).toHaveProperty(id);
  await host.learner.idle();
}

const spamWords = "viagra lottery winner jackpot casino bonus unbelievable pills discount pharmacy";
const hamWords = "meeting agenda minutes budget quarter review colleagues deadline project attached";

test("what the user moves to Junk and out of it teaches: the same words are then judged by it", async () => {
  const one = await box();
  const far = { ...phishing, from: "eve@far.test", results: passes("far.test"), subject: "Now", type: "text/plain" };
  for (let n = 0; n < 10; n++) {
    const mail = await arrive(one, { ...far, body: `${spamWords} ${n}x${n}` });
    await update(one, mail.id, { mailboxIds: { [one.boxes.junk!]: true } });
    const wanted = await arrive(one, { body: `${hamWords} ${n}y${n}` });
    await update(one, wanted.id, { "keywords/$notjunk": true });
  }
  const spam = await arrive(one, { ...far, body: spamWords });
  expect(spam.mailboxIds).toEqual({ [one.boxes.junk!]: true });
  expect(spam.scan.reasons).toEqual([expect.objectContaining({ rule: "words", points: 6 })]);
  const ham = await arrive(one, { body: hamWords });
  expect(ham.mailboxIds).toEqual({ [one.boxes.inbox!]: true });
  // Another account has learned nothing from it.
  const other = await arrive(await box(), { ...far, body: spamWords });
  expect(other.scan.reasons).not.toContainEqual(expect.objectContaining({ points: 6 }));
}, 30_000);

const taught = (account: number) =>
  host.rows("SELECT token, ham, spam FROM spam_token WHERE user_id = $1 AND token = 0", [account]);

test("what is said twice counts once, and a change of mind takes it back; the trash is no praise", async () => {
  const one = await box();
  const { id } = await arrive(one, {});
  await update(one, id, { mailboxIds: { [one.boxes.junk!]: true } });
  await update(one, id, { "keywords/$junk": true });
  expect(await taught(one.account)).toEqual([{ token: 0, ham: 0, spam: 1 }]);
  await update(one, id, { mailboxIds: { [one.boxes.trash!]: true } });
  expect(await taught(one.account)).toEqual([{ token: 0, ham: 0, spam: 1 }]);
  await update(one, id, { mailboxIds: { [one.boxes.junk!]: true } });
  await update(one, id, { mailboxIds: { [one.boxes.inbox!]: true } });
  expect(await taught(one.account)).toEqual([{ token: 0, ham: 1, spam: 0 }]);
});

test("of each mail the head is read, and a few mails are learned at a time", async () => {
  const one = await box();
  const ids: number[] = [];
  for (let n = 0; n < 20; n++) {
    const { id } = await arrive(one, { body: `${hamWords} ${n}\r\n`.repeat(n === 0 ? 40_000 : 1) });
    ids.push(decodeId(idPrefix.email, id)!);
  }
  const taughtMails = async () => Number((await taught(one.account))[0]?.ham ?? 0);
  const reads: { end: number; behind: number }[] = [];
  const blobs = new Proxy(host.blobs, {
    get: (all, name) => {
      if (name !== "readObject") return Reflect.get(all, name);
      return async (...[blob, start, end]: Parameters<Blobs["readObject"]>) => {
        reads.push({ end: end ?? blob.size, behind: reads.length - (await taughtMails()) });
        return all.readObject(blob, start, end);
      };
    },
  });
  const learner = new Learner({ store: host.store, blobs, log: host.log, rspamd: undefined });
  // Of the same mail over and over while it waits, one lesson is left: nothing else is dropped for it.
  for (let again = 0; again < 3_000; again++) learner.noticed(one.account, new Map([[ids[0]!, false]]));
  await learner.idle();
  learner.noticed(one.account, new Map(ids.map((id) => [id, false])));
  await learner.idle();
  expect(await taughtMails()).toBe(20);
  expect(Math.max(...reads.map(({ end }) => end))).toBe(1_000_000);
  expect(Math.max(...reads.map(({ behind }) => behind))).toBeLessThanOrEqual(16);
}, 30_000);

test("an account's rows stay within their number, and the count of mails among them", async () => {
  const one = await box();
  for (let mail = 0; mail < 45; mail++) {
    const body = Array.from({ length: 280 }, (_, n) => `word${mail}x${n}`).join(" ");
    await host.learner.learnMessage(one.account, Buffer.from(`Subject: x\r\n\r\n${body}`), true);
  }
  expect(await countTokens(host.store.reader(one.account, "server"))).toBeLessThanOrEqual(maxTokens);
  expect(await taught(one.account)).toEqual([{ token: 0, ham: 0, spam: 45 }]);
  const [size] = await host.rows(
    "SELECT sum(pg_column_size(t.*))::int AS octets FROM spam_token t WHERE user_id = $1",
    [one.account],
  );
  // With 28 octets and more for an index entry.
  expect((size!.octets as number) + maxTokens * 36).toBeLessThan(1_000_000);
}, 30_000);

test("whom the account writes to is known; who looks like them is marked, and the score of what it sends is kept", async () => {
  const one = await box();
  const { client, account, boxes } = one;
  const { created } = (await client.call("Email/set", {
    create: {
      d: {
        mailboxIds: { [boxes.drafts!]: true },
        from: [{ email: one.address }],
        to: [
          { name: "Bo Miller", email: "bo@modern-bank.test" },
          { name: "Cy Adams", email: "cy@here.test" },
        ],
        subject: "Hello",
        textBody: [{ partId: "1", type: "text/plain" }],
        bodyValues: { 1: { value: "See you on Thursday." } },
      },
    },
  })) as { created: Record<string, { id: string }> };
  const made = await client.call("Identity/set", { create: { i: { name: "", email: one.address } } });
  const identityId = (made.created as Record<string, { id: string }>).i!.id;
  const sent = await client.call("EmailSubmission/set", { create: { s: { identityId, emailId: created.d!.id } } });
  expect(sent.created).toHaveProperty("s");
  const [row] = await host.rows("SELECT spam_tenths FROM submission WHERE user_id = $1", [account]);
  expect(row!.spam_tenths).toBeLessThan(20);

  const rulesOf = ({ scan }: Scanned) => scan.reasons.map(({ rule }) => rule);
  const known = await arrive(one, { from: "bo@modern-bank.test", results: passes("modern-bank.test") });
  expect(rulesOf(known)).toContain("known-sender");
  expect(known.scan.marks).toEqual([]);
  const alike = await arrive(one, { from: "bo@rnodernbank.test", results: passes("rnodernbank.test") });
  expect(alike.scan.marks).toEqual([
    {
      kind: "look-alike",
      shown: "modern-bank.test",
      actual: "rnodernbank.test",
      text: "rnodernbank.test looks like modern-bank.test, but is another domain",
    },
  ]);
  const namesake = await arrive(one, { from: "Cy Adams <cy@far.test>" });
  expect(namesake.scan.marks).toEqual([
    {
      kind: "namesake",
      shown: "cy@here.test",
      actual: "cy@far.test",
      text: "it has the name of cy@here.test, but comes from cy@far.test",
    },
  ]);
});
