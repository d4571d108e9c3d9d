import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { methods } from "../../src/jmap/methods.ts";
import { summarise } from "../../src/mime/summary.ts";
import { addAlias } from "../../src/store/directory/directory.ts";
import { TestClient, testLogin, testServices } from "../support/jmap.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";
import { type MailHost, startMailHost } from "./host.ts";

type Json = Record<string, unknown>;

const day = 86_400_000;
let host: MailHost;
let sink: SmtpSink;
let account: number;
let address: string;
let client: TestClient;
let count = 0;

beforeAll(async () => {
  [host, sink] = await Promise.all([startMailHost(), startSink()]);
  host.startMailOut(sink.port);
  host.dns.set("far.test", "MX", { preference: 10, exchange: "mx.far.test" });
  host.dns.set("mx.far.test", "A", "127.0.0.1");
});
afterAll(async () => {
  await host.stop();
  await sink.stop();
});
beforeEach(async () => {
  sink.reset();
  address = `user${++count}@here.test`;
  account = await host.account(address);
  client = clientOf(account);
  await away(client, {});
});

function clientOf(id: number): TestClient {
  return new TestClient(
    methods,
    testServices(host.store, { blobs: host.blobs, ingest: host.ingest, random: randomBytes }),
    testLogin([id]),
  );
}

async function away(who: TestClient, values: Json): Promise<void> {
  const answer = await who.call("VacationResponse/set", { update: { singleton: { isEnabled: true, ...values } } });
  expect(answer.updated).toHaveProperty("singleton");
}

async function arrive(
  fields: Json = {},
  { from = "eve@far.test", to = address, id = 0, requiresTls = false } = {},
): Promise<void> {
  const header = {
    From: from,
    To: to,
    Subject: "Lunch?",
    "Message-ID": `<m${randomBytes(6).toString("hex")}@far.test>`,
  };
  const lines = Object.entries({ ...header, ...fields }).map(([name, value]) => `${name}: ${value as string}\r\n`);
  await host.incoming.accept({
    id: id || (await host.incoming.newId()),
    message: Buffer.from(`${lines.join("")}\r\nhello\r\n`),
    mailFrom: from,
    recipients: [{ address, userId: account }],
    requiresTls,
  });
  await host.incoming.idle();
}

/** Runs the outgoing queue until it is empty; returns what was sent or delivered locally. */
async function settled(): Promise<void> {
  host.mailOut!.wake();
  await host.mailOut!.idle();
  await host.incoming.idle();
}

async function answers(): Promise<{ raw: string; from: string; to: string[] }[]> {
  await settled();
  return sink.messages.map(({ raw, from, to }) => ({ raw: raw.toString(), from, to }));
}

describe("an answer", () => {
  test("goes to the sender from the null sender, and is marked as an automatic reply", async () => {
    const { list } = await client.call("Identity/get", {});
    const identityId = (list as { id: string }[])[0]!.id;
    await client.call("Identity/set", { update: { [identityId]: { name: "Ada, née Byron" } } });
    await away(client, { subject: null, textBody: "Back on Mönday.\n" });
    await arrive({ "Message-ID": "<q@far.test>", References: "<p@far.test>" });
    const [answer, ...more] = await answers();
    expect(more).toEqual([]);
    expect(answer).toMatchObject({ from: "", to: ["eve@far.test"] });
    const summary = summarise(Buffer.from(answer!.raw));
    expect(summary).toMatchObject({
      subject: "Auto: Lunch?",
      from: [{ name: "Ada, née Byron", email: address }],
      to: [{ name: null, email: "eve@far.test" }],
      inReplyTo: ["q@far.test"],
      references: ["p@far.test", "q@far.test"],
      preview: "Back on Mönday.",
    });
    expect(summary.messageId).toHaveLength(1);
    expect(summary.sentAt).not.toBeNull();
    expect(answer!.raw).toMatch(/^Auto-Submitted: auto-replied\r$/m);
    expect(answer!.raw).toMatch(/^DKIM-Signature: /m);
  });

  test("has the subject and bodies that were set; a missing text is made from the HTML, and is empty without that", async () => {
    await away(client, { subject: "Fort 🏖", htmlBody: "<p>Bin <b>weg</b></p>" });
    await arrive();
    await away(client, { subject: null, htmlBody: null });
    await arrive({ Subject: "" }, { from: "other@far.test" });
    // Two concurrent answers may arrive in either order.
    const all = await answers();
    const [none, html] = [true, false].map((isOther) => {
      const answer = all.find(({ to }) => to.includes("other@far.test") === isOther);
      return summarise(Buffer.from(answer!.raw));
    });
    expect(html).toMatchObject({ subject: "Fort 🏖", preview: "Bin weg", structure: { type: "multipart/alternative" } });
    expect(none).toMatchObject({ subject: "Auto: your message", structure: { type: "text/plain" } });
    expect(none!.preview).toMatch(/may not be read/);
  });

  test("is a submission hidden from clients, and leaves nothing behind", async () => {
    const state = (await client.call("EmailSubmission/get", { ids: [] })).state;
    await arrive();
    expect(await answers()).toHaveLength(1);
    expect(await client.call("EmailSubmission/get", { ids: null })).toMatchObject({ list: [], state });
    expect(await client.call("EmailSubmission/query", {})).toMatchObject({ ids: [] });
    expect(await host.rows("SELECT 1 FROM submission WHERE user_id = $1", [account])).toEqual([]);
    expect(await host.rows("SELECT 1 FROM delivery WHERE user_id = $1", [account])).toEqual([]);
  });

  test("that cannot be delivered causes no report", async () => {
    sink.program({ stage: "rcpt", address: "eve@far.test", reply: "550 5.1.1 gone" });
    await arrive();
    expect(await answers()).toEqual([]);
    expect(await host.mails(account)).toHaveLength(1);
    expect(await host.rows("SELECT 1 FROM submission WHERE user_id = $1", [account])).toEqual([]);
  });

  test("to mail with REQUIRETLS goes nowhere without it, and one to mail that waives TLS waives it too", async () => {
    await arrive({}, { requiresTls: true });
    await arrive({ "TLS-Required": "No" }, { from: "other@far.test" });
    const [answer, ...more] = await answers();
    expect(more).toEqual([]);
    expect(answer).toMatchObject({ to: ["other@far.test"] });
    expect(answer!.raw).toMatch(/^TLS-Required: No\r$/m);
    await arrive({}, { from: "third@far.test" });
    expect((await answers()).at(-1)!.raw).not.toContain("TLS-Required");
  });

  test("goes to a sender once in seven days, however the address is written", async () => {
    await arrive();
    await arrive({}, { from: "EVE@far.test" });
    await arrive({}, { from: "mallory@far.test" });
    expect((await answers()).map(({ to }) => to[0]).sort()).toEqual(["eve@far.test", "mallory@far.test"]);
    host.clock.ahead += 7 * day - 60_000;
    await arrive();
    expect(await answers()).toHaveLength(2);
    host.clock.ahead += 61_000;
    await arrive();
    expect(await answers()).toHaveLength(3);
  });

  test("is not made again when a message is delivered again, but is made then if it was missing", async () => {
    const id = await host.incoming.newId();
    const fields = { "Message-ID": "<again@far.test>" };
    await arrive(fields, { id });
    await arrive(fields, { id });
    expect(await answers()).toHaveLength(1);
    await host.rows("DELETE FROM vacation_answer WHERE user_id = $1", [account]);
    await arrive(fields, { id });
    expect(await answers()).toHaveLength(2);
    expect(await host.mails(account)).toHaveLength(1);
  });

  test("is sent once for many messages that one sender sends at once", async () => {
    await Promise.all(Array.from({ length: 10 }, () => arrive()));
    expect(await answers()).toHaveLength(1);
    expect(await host.mails(account)).toHaveLength(10);
  });

  test("goes out from the alias that the message was sent to", async () => {
    const alias = `alias${count}@here.test`;
    await addAlias(host.store, alias, account);
    await arrive({ To: "someone@far.test", Cc: alias });
    const [answer] = await answers();
    expect(summarise(Buffer.from(answer!.raw)).from).toEqual([{ name: null, email: alias }]);
  });
});

describe("no answer", () => {
  test.each<[string, Json]>([
    ["to what is automatic", { "Auto-Submitted": "auto-generated" }],
    ["to a list", { "List-Id": "<l.far.test>" }],
    ["where the recipient is not named", { To: "undisclosed-recipients:;" }],
    ["to a name that is somebody else", { To: "someone@far.test" }],
  ])("%s", async (_, fields) => {
    await arrive(fields);
    expect(await answers()).toEqual([]);
    expect(await host.mails(account)).toHaveLength(1);
  });

  test("goes to the null sender or to the account itself", async () => {
    await arrive({ From: "eve@far.test" }, { from: "" });
    await arrive({}, { from: address });
    await settled();
    expect(sink.messages).toEqual([]);
    expect(await host.mails(account)).toHaveLength(2);
  });

  test("goes out when it is not enabled, or outside its dates", async () => {
    await away(client, { isEnabled: false });
    await arrive();
    const at = (ahead: number) => new Date(host.clock.now().getTime() + ahead).toISOString().replace(/\.\d+/, "");
    await away(client, { fromDate: at(day) });
    await arrive();
    await away(client, { fromDate: null, toDate: at(-1000) });
    await arrive();
    expect(await answers()).toEqual([]);
    await away(client, { fromDate: at(-day), toDate: at(day) });
    await arrive();
    expect(await answers()).toHaveLength(1);
  });
});

test("two accounts on vacation do not answer each other's answers", async () => {
  const other = `other${count}@here.test`;
  const otherAccount = await host.account(other);
  await away(clientOf(otherAccount), {});
  await arrive({}, { from: other });
  for (let round = 0; round < 4; round++) await settled();
  expect(await host.mails(account)).toHaveLength(1);
  const received = await host.mails(otherAccount);
  expect(received.map(({ subject }) => subject)).toEqual(["Auto: Lunch?"]);
  expect(received[0]!.raw).toMatch(/^Return-Path: <>/);
});
