import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { encodeId } from "../../base/ids.ts";
import { unprepared } from "../../store/core/sql.ts";
import type { Store } from "../../store/core/store.ts";
import { addAlias } from "../../store/directory/directory.ts";
import { findMailboxes } from "../../store/mail/mailbox-places.ts";
import { findUsed, setQuota } from "../../store/mail/quota.ts";
import { leaseDeliveries, recordOutcomes } from "../../store/queues/deliveries.ts";
import { hintQueued } from "../../store/queues/due.ts";
import type { Services } from "../method.ts";
import { methods } from "../methods.ts";

type Json = Record<string, unknown>;

let store: Store;
let services: Services;
let account: number;
let address: string;
let identityId: string;
let client: TestClient;
let inbox: string;
let count = 0;

beforeAll(async () => {
  store = await createTestStore();
  services = testServices(store, createMailServices(store));
});
beforeEach(async () => {
  address = `reader${++count}@example.com`;
  account = await createTestAccount(store, address);
  client = new TestClient(methods, services, testLogin([account]));
  const places = await findMailboxes(store.reader(account, "server"));
  inbox = encodeId("m", places.find((place) => place.role === "inbox")!.id);
  const { list } = await client.call("Identity/get", {});
  identityId = (list as Json[])[0]!.id as string;
});

const disposition = { actionMode: "manual-action", sendingMode: "mdn-sent-manually", type: "displayed" };
const asking = (extra = "") =>
  `From: John <john@example.org>\r\nTo: ${address}\r\nSubject: World domination\r\nMessage-ID: <w${count}@example.org>\r\nDisposition-Notification-To: John <john@example.org>\r\n${extra}\r\nSoon.\r\n`;

async function upload(text: string): Promise<string> {
  const answer = await client.call("Blob/upload", { create: { b: { data: [{ "data:asText": text }] } } });
  return (answer.created as Record<string, Json>).b!.id as string;
}

async function receive(text: string, keywords: Json = {}): Promise<string> {
  const emails = { e: { blobId: await upload(text), mailboxIds: { [inbox]: true }, keywords } };
  const answer = await client.call("Email/import", { emails });
  return (answer.created as Record<string, Json>).e!.id as string;
}

function send(forEmailId: string, mdn: Json = {}, args: Json = {}) {
  const patch = { "keywords/$mdnsent": true };
  return client.request([
    [
      "MDN/send",
      {
        accountId: client.account,
        identityId,
        send: { k1: { forEmailId, disposition, ...mdn } },
        onSuccessUpdateEmail: { [forEmailId]: patch },
        ...args,
      },
      "0",
    ],
  ]);
}

async function refusal(forEmailId: string, mdn: Json = {}): Promise<unknown> {
  const { responses } = await send(forEmailId, mdn);
  expect(responses).toHaveLength(1);
  expect(responses[0]![1].sent).toBeNull();
  return (responses[0]![1].notSent as Record<string, Json>).k1;
}

const rows = (text: string) => store.database.run(unprepared<Json>(text), [account]);

/** The only submission's message as it is sent. */
async function outgoing(): Promise<{ envelope: Json; message: string; id: number }> {
  const [row] = await rows(`
    SELECT s.id, s.envelope, s.sha256, b.day, b.size FROM submission s
    JOIN blob_ref b ON b.user_id = $1 AND b.sha256 = s.sha256 WHERE s.user_id = $1`);
  const blob = { sha256: row!.sha256 as Buffer, day: row!.day as string, size: row!.size as number };
  const message = (await services.blobs.readObject(blob)).toString();
  return { envelope: row!.envelope as Json, message, id: row!.id as number };
}

describe("MDN/send", () => {
  test("builds a report, queues it and sets the keyword, and no client sees a submission", async () => {
    const emailId = await receive(asking("Original-Recipient: rfc822;joe@example.com\r\n"));
    const { state } = await client.call("EmailSubmission/get", {});
    const { responses } = await send(emailId, {
      subject: "Read receipt for: World domination",
      reportingUA: "joes-pc.cs.example.com; Foomail 97.1",
      extension: { "EXTENSION-EXAMPLE": "example.com" },
    });
    expect(responses.map(([name, , callId]) => [name, callId])).toEqual([
      ["MDN/send", "0"],
      ["Email/set", "0"],
    ]);
    expect(responses[0]![1]).toMatchObject({
      notSent: null,
      sent: {
        k1: {
          finalRecipient: `rfc822; ${address}`,
          originalRecipient: "rfc822;joe@example.com",
          originalMessageId: `<w${count}@example.org>`,
          includeOriginalMessage: false,
          textBody: expect.stringContaining('"World domination" was displayed'),
        },
      },
    });
    expect(responses[0]![1].sent).not.toHaveProperty("k1.subject");
    expect(responses[1]![1]).toMatchObject({ updated: { [emailId]: null } });
    const email = await client.call("Email/get", { ids: [emailId], properties: ["keywords"] });
    expect(email.list).toMatchObject([{ keywords: { $mdnsent: true } }]);

    const { envelope, message, id } = await outgoing();
    expect(envelope).toMatchObject({ mailFrom: { email: "" }, rcptTo: [{ email: "john@example.org" }] });
    expect(message).toMatch(new RegExp(`^From: ${address}\r$`, "m"));
    expect(message).toMatch(/^To: John <john@example\.org>\r$/m);
    expect(message).toMatch(/^EXTENSION-EXAMPLE: example\.com\r$/m);
    expect(await client.call("EmailSubmission/get", {})).toMatchObject({ list: [] });
    expect(await client.call("EmailSubmission/changes", { sinceState: state })).toMatchObject({
      created: [],
      updated: [],
      destroyed: [],
    });

    // Once it is sent, nothing of it remains.
    expect(await hintQueued(store.database, account, store.clock.now())).toBe(1);
    const until = new Date(Date.now() + 60_000);
    const due = [{ submissionId: id, incomingId: 1 }];
    const lease = { holder: "h", until, now: new Date(Date.now() + 1000) };
    expect(await leaseDeliveries(store.database, account, due, lease)).toMatchObject([{ mailFrom: "" }]);
    const outcome = { no: 0, smtpReply: "250 ok", result: "sent", nextAttemptAt: null, delivered: "unknown" } as const;
    await store.write(account, "server", (tx) => recordOutcomes(tx, [{ submissionId: id, outcomes: [outcome] }], "h"));
    expect(await rows("SELECT id FROM submission WHERE user_id = $1")).toEqual([]);
  });

  test("a creation id may name the email; the original may be included", async () => {
    const emailId = await receive(asking());
    const { responses } = await send(
      emailId,
      { includeOriginalMessage: true, extensionFields: null },
      { onSuccessUpdateEmail: { "#k1": { keywords: { $mdnsent: true, $seen: true } } } },
    );
    expect(responses[1]![1]).toMatchObject({ updated: { [emailId]: null } });
    expect((await outgoing()).message).toContain(asking());
  });

  test("each email gets at most one notification", async () => {
    const emailId = await receive(asking());
    const mdn = { forEmailId: emailId, disposition };
    const { responses } = await send(emailId, {}, { send: { a: mdn, b: mdn } });
    expect(responses[0]![1]).toMatchObject({
      sent: { a: expect.anything() },
      notSent: { b: { type: "mdnAlreadySent" } },
    });
    expect(await refusal(emailId)).toMatchObject({ type: "mdnAlreadySent" });
    expect(await refusal(await receive(asking("X: y\r\n"), { $mdnsent: true }))).toMatchObject({
      type: "mdnAlreadySent",
    });
  });

  test("all MDNs of a call together must fit into the account's room", async () => {
    const [one, two] = [await receive(asking()), await receive(asking("X: 2\r\n"))];
    const limit = async (room: number) => {
      await store.write(account, "server", async (tx) => setQuota(tx, (await findUsed(tx, account)) + room));
    };
    await limit(100);
    expect(await refusal(one)).toMatchObject({ type: "overQuota" });
    await limit(5000);
    const mdn = { disposition, textBody: "Read. ".repeat(400) };
    const { responses } = await send(
      one,
      {},
      {
        send: { a: { forEmailId: one, ...mdn }, b: { forEmailId: two, ...mdn } },
        onSuccessUpdateEmail: Object.fromEntries([one, two].map((id) => [id, { "keywords/$mdnsent": true }])),
      },
    );
    expect(responses[0]![1]).toMatchObject({ sent: { a: expect.anything() }, notSent: { b: { type: "overQuota" } } });
    expect(responses[1]![1].updated).toEqual({ [one]: null });
  });

  test("the final recipient must be an address of the account", async () => {
    const emailId = await receive(asking());
    expect(await refusal(emailId, { finalRecipient: "rfc822; other@example.com" })).toMatchObject({
      type: "forbiddenFrom",
    });
    await addAlias(store, `alias.${address}`, account);
    const { responses } = await send(emailId, { finalRecipient: `rfc822; alias.${address}` });
    expect(responses[0]![1]).toMatchObject({ sent: { k1: expect.anything() } });
    expect((await outgoing()).message).toContain(`Final-Recipient: rfc822; alias.${address}\r\n`);
  });

  test("wrong records are refused one by one", async () => {
    const emailId = await receive(asking());
    expect(await refusal("e99999")).toMatchObject({ type: "notFound" });
    const silent = await receive("From: a@example.org\r\nSubject: x\r\n\r\n");
    expect(await refusal(silent)).toMatchObject({ type: "notFound" });
    const bad = await receive("From: a@example.org\r\nDisposition-Notification-To: nobody\r\n\r\n");
    expect(await refusal(bad)).toMatchObject({ type: "notFound" });
    const report = "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n";
    expect(await refusal(await receive(asking(report)))).toMatchObject({ type: "forbidden" });
    const properties = async (mdn: Json) => ((await refusal(emailId, mdn)) as Json).properties;
    expect(await properties({ disposition: { ...disposition, type: "denied" } })).toEqual(["disposition"]);
    expect(await properties({ disposition: undefined })).toEqual(["disposition"]);
    expect(await properties({ originalMessageId: "<forged@example.org>" })).toEqual(["originalMessageId"]);
    expect(await properties({ extensionFields: { "Final-Recipient": "x" } })).toEqual(["extensionFields"]);
    expect(await properties({ nonsense: 1 })).toContain("nonsense");
    expect(await rows("SELECT id FROM submission WHERE user_id = $1")).toEqual([]);
  });

  test("wrong arguments fail the call", async () => {
    const emailId = await receive(asking());
    const failure = async (args: Json) => (await send(emailId, {}, args)).responses[0]![1].type;
    expect(await failure({ identityId: "i9999" })).toBe("invalidArguments");
    expect(await failure({ onSuccessUpdateEmail: null })).toBe("invalidArguments");
    expect(await failure({ onSuccessUpdateEmail: { [emailId]: { "keywords/$seen": true } } })).toBe("invalidArguments");
    expect(await failure({ onSuccessUpdateEmail: { e9: { "keywords/$mdnsent": true } } })).toBe("invalidArguments");
  });
});

describe("MDN/parse", () => {
  test("names the email that the notification is about", async () => {
    const emailId = await receive(asking());
    await send(emailId, { textBody: "Read.\n", subject: "Receipt" });
    const { message } = await outgoing();
    const blobId = await upload(message);
    const plain = await upload("Subject: no report\r\n\r\n");
    expect(await client.call("MDN/parse", { blobIds: [blobId, plain, "bnone"] })).toEqual({
      accountId: client.account,
      parsed: {
        [blobId]: {
          forEmailId: emailId,
          subject: "Receipt",
          textBody: "Read.\n",
          includeOriginalMessage: false,
          reportingUA: null,
          disposition,
          mdnGateway: null,
          originalRecipient: null,
          finalRecipient: `rfc822; ${address}`,
          originalMessageId: `<w${count}@example.org>`,
          error: null,
          extensionFields: null,
        },
      },
      notParsable: [plain],
      notFound: ["bnone"],
    });
    await receive(asking("X-Copy: 2\r\n"));
    const answer = await client.call("MDN/parse", { blobIds: [blobId] });
    expect(answer).toMatchObject({ parsed: { [blobId]: { forEmailId: null } }, notParsable: null, notFound: null });
  });
});
