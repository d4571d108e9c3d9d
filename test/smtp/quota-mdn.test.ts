import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { methods } from "../../src/jmap/methods.ts";
import { parseMdn } from "../../src/mime/mdn.ts";
import { setQuota } from "../../src/store/mail/quota.ts";
import { isOnCitus } from "../support/citus.ts";
import { TestClient, testLogin, testServices } from "../support/jmap.ts";
import { until } from "../support/ports.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";
import { tripsOf } from "../support/trips.ts";
import { type MailHost, startMailHost } from "./host.ts";

type Json = Record<string, unknown>;

let host: MailHost;
let sink: SmtpSink;
let bob: number;
let client: TestClient;
let identityId: string;
let inbox: string;

beforeAll(async () => {
  [host, sink] = await Promise.all([startMailHost(), startSink()]);
  // As a server does.
  await host.database.nodes.start();
  host.startMailOut(sink.port);
  const ada = await host.account("ada@here.test");
  bob = await host.account("bob@here.test");
  const services = testServices(host.store, { blobs: host.blobs, ingest: host.ingest, random: randomBytes });
  client = new TestClient(methods, services, testLogin([ada]));
  identityId = ((await client.call("Identity/get", {})).list as Json[])[0]!.id as string;
  const { list } = await client.call("Mailbox/get", {});
  inbox = (list as Json[]).find(({ role }) => role === "inbox")!.id as string;
  host.dns.set("far.test", "MX", { preference: 10, exchange: "mx.far.test" });
  host.dns.set("mx.far.test", "A", "127.0.0.1");
});
afterAll(async () => {
  await host.stop();
  await sink.stop();
});

const made = (answer: Json) => (answer.created as Record<string, Json>).a!;

async function email(text: string): Promise<string> {
  const blob = made(await client.call("Blob/upload", { create: { a: { data: [{ "data:asText": text }] } } }));
  const emails = { a: { blobId: blob.id, mailboxIds: { [inbox]: true } } };
  return made(await client.call("Email/import", { emails })).id as string;
}

test("mail to a full local account waits until there is room and is delivered once; other recipients get it at once", async () => {
  await host.store.write(bob, "server", (tx) => setQuota(tx, 100));
  const emailId = await email(
    "From: ada@here.test\r\nTo: bob@here.test, ada@here.test\r\nSubject: Waits\r\n\r\nHello.\r\n",
  );
  const { id } = made(await client.call("EmailSubmission/set", { create: { a: { identityId, emailId } } }));
  const status = async () => {
    const { list } = await client.call("EmailSubmission/get", { ids: [id] });
    return (list as { deliveryStatus: Record<string, Json> }[])[0]!.deliveryStatus;
  };
  await until("both answers", async () => (await status())["ada@here.test"]!.delivered === "yes");
  expect(await status()).toMatchObject({
    "bob@here.test": { smtpReply: "452 4.2.2 this mailbox is full", delivered: "queued" },
  });
  await host.store.write(bob, "server", (tx) => setQuota(tx, null));
  host.clock.ahead += 5 * 60_000;
  host.mailOut!.wake();
  await until("bob's", async () => (await status())["bob@here.test"]!.delivered === "yes");
  await until("mail to Bob", async () => (await host.mails(bob)).length > 0);
  expect((await host.mails(bob)).map(({ subject }) => subject)).toEqual(["Waits"]);
});

test("the room of all recipients here is asked for at once, and each full account alone is left out", async () => {
  const names = Array.from({ length: 6 }, (_, at) => `many${at}@here.test`);
  const accounts = await Promise.all(names.map((name) => host.account(name)));
  const [full, wide] = accounts as [number, number];
  await host.store.write(full, "server", (tx) => setQuota(tx, 100));
  await host.store.write(wide, "server", (tx) => setQuota(tx, 1_000_000));
  const emailId = await email(`From: ada@here.test\r\nTo: ${names.join(", ")}\r\nSubject: To many\r\n\r\nHello.\r\n`);
  const isThere = async (id: number) => (await host.mails(id)).length === 1;
  const trips = await tripsOf(async () => {
    await client.call("EmailSubmission/set", { create: { a: { identityId, emailId } } });
    for (const id of accounts.slice(1)) await until("the mail", () => isThere(id));
  });
  const asked = trips.flat().filter((text) => /\bfrom "account"/.test(text) && text.includes('"quota"'));
  expect(asked).toHaveLength(isOnCitus ? accounts.length : 1);
  expect(await host.mails(full)).toEqual([]);
});

test("a read receipt leaves with the null sender, and no row of it stays", async () => {
  const asked = "From: john@far.test\r\nTo: ada@here.test\r\nSubject: Read me\r\nMessage-ID: <r@far.test>\r\n";
  const emailId = await email(`${asked}Disposition-Notification-To: john@far.test\r\n\r\nHello.\r\n`);
  const disposition = { actionMode: "manual-action", sendingMode: "mdn-sent-manually", type: "displayed" };
  const answer = await client.call("MDN/send", {
    identityId,
    send: { a: { forEmailId: emailId, disposition } },
    onSuccessUpdateEmail: { "#a": { "keywords/$mdnsent": true } },
  });
  expect(answer).toMatchObject({ notSent: null });
  const [message] = await sink.waitFor(1);
  expect([message!.from, message!.to]).toEqual(["", ["john@far.test"]]);
  expect(parseMdn(message!.raw)).toMatchObject({
    subject: "Read: Read me",
    finalRecipient: "rfc822; ada@here.test",
    originalMessageId: "<r@far.test>",
    disposition,
  });
  await until("the record gone", async () => {
    const rows = await host.rows("SELECT id FROM submission WHERE destroyed");
    return rows.length === 0;
  });
});
