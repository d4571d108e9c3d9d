import type { ImportResult, Json } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { differs, equal, isId, isUnsignedInt, matches, ok, same, setError, show } from "../runner/expect.ts";
import { rawMessage } from "../runner/message.ts";
import { getEmail, mailGroup, message, nowhere, source, table, yes } from "./support.ts";

const group = mailGroup("4.8", "Email/import");

/** One import into the test's own mailbox, with what differs from a good one. */
async function importOne(t: TestContext, raw: string | Uint8Array, properties: Json = {}): Promise<ImportResult> {
  const { blobId } = await t.upload(raw, "message/rfc822");
  const emails = { k: { blobId, mailboxIds: yes(await t.box()), ...properties } };
  return await t.one<ImportResult>("Email/import", { emails });
}

async function imports(t: TestContext, raw: string | Uint8Array, properties: Json = {}): Promise<string> {
  const answer = await importOne(t, raw, properties);
  ok(answer.created?.k, `not imported: ${show(answer.notCreated)}`);
  return answer.created.k.id;
}

const good = defineTests(group, [
  {
    id: "response",
    level: "MUST",
    says: 'created: A map of the creation id to an object containing the "id", "blobId", "threadId", and "size" properties for each successfully imported Email, or null if none. notCreated: […] or null if all successful.',
    run: async (t) => {
      await t.box();
      const oldState = await t.state("Email");
      const raw = rawMessage({ subject: "imported" });
      const answer = await importOne(t, raw);
      equal(answer.accountId, t.accountId, "accountId");
      ok(answer.oldState === null || typeof answer.oldState === "string", "oldState is neither null nor a string");
      differs(answer.newState, oldState, "newState");
      const made = answer.created?.k;
      ok(made, "not imported");
      for (const name of ["id", "blobId", "threadId"] as const) isId(made[name], name);
      isUnsignedInt(made.size, "size");
      equal(answer.notCreated ?? null, null, "notCreated");
      same(await source(t, made.blobId), raw, "the stored message");
    },
  },
  {
    id: "applies-properties",
    level: "MUST",
    says: "Importing successfully creates a new Email object from the data referenced by the blobId and applies the given Mailboxes, keywords, and receivedAt date.",
    run: async (t) => {
      const boxes = [await t.box(), await t.mailbox()];
      const set = { mailboxIds: yes(...boxes), keywords: yes("$seen", "todo"), receivedAt: "2012-03-04T05:06:07Z" };
      const id = await imports(t, rawMessage({ subject: "applied" }), set);
      matches(await getEmail(t, id, null), { ...set, subject: "applied" }, "Email");
    },
  },
  ...table(["1 Jan 0000 00:00:00 +0000", "1 Jan 2000 00:00:00 +2359", "31 Dec 9999 23:59:59 -2359"], (date) => ({
    id: `strange-date/${date.replace(/\D+/g, "-")}`,
    level: "MUST" as const,
    says: "Importing successfully creates a new Email object: no Date field makes the message unacceptable.",
    run: async (t: TestContext) => {
      const raw = message("From: a@example.com", `Date: ${date}`, "Subject: strange date", "", "text");
      const { subject } = await getEmail(t, await imports(t, raw), ["subject", "sentAt"]);
      equal(subject, "strange date", "subject");
    },
  })),
  {
    id: "keywords-default",
    level: "MUST",
    says: 'keywords: "String[Boolean]" (default: {}).',
    run: async (t) => same((await getEmail(t, await imports(t, rawMessage()), ["keywords"])).keywords, {}, "keywords"),
  },
  {
    id: "received-at-from-header",
    level: "MUST",
    says: "receivedAt: (default: time of most recent Received header, or time of import on server if none).",
    run: async (t) => {
      const lines = [
        "Received: from b.example by c.example with SMTP id x;\r\n Wed, 1 Jan 2020 12:00:05 +0100",
        "Received: from a.example by b.example; Wed, 1 Jan 2020 09:00:00 +0000",
        "From: a@example.com",
        "Date: Tue, 31 Dec 2019 09:00:00 +0000",
      ];
      const id = await imports(t, message(...lines, "", "text"));
      equal((await getEmail(t, id, ["receivedAt"])).receivedAt, "2020-01-01T11:00:05Z", "receivedAt");
    },
  },
  {
    id: "received-at-now",
    level: "MUST",
    says: "receivedAt: (default: time of most recent Received header, or time of import on server if none).",
    run: async (t) => {
      const { receivedAt } = await getEmail(t, await imports(t, rawMessage()), ["receivedAt"]);
      ok(Math.abs(Date.now() - Date.parse(String(receivedAt))) < 24 * 3600_000, `receivedAt is ${receivedAt}`);
    },
  },
  {
    id: "eai",
    level: "MUST",
    says: "The server MUST support messages with Email Address Internationalization (EAI) headers [RFC6532].",
    run: async (t) => {
      const id = await imports(t, message("From: Żółw <żółw@exämple.com>", "Subject: Zażółć 日本", "", "text"));
      const expected = { from: [{ name: "Żółw", email: "żółw@exämple.com" }], subject: "Zażółć 日本" };
      matches(await getEmail(t, id, ["from", "subject"]), expected, "Email");
    },
  },
  {
    id: "several",
    level: "MUST",
    says: "Each Email to import is considered an atomic unit that may succeed or fail individually.",
    run: async (t) => {
      const { blobId } = await t.upload(rawMessage(), "message/rfc822");
      const mailboxIds = yes(await t.box());
      const emails = { good: { blobId, mailboxIds }, bad: { blobId: nowhere, mailboxIds } };
      const answer = await t.one<ImportResult>("Email/import", { emails });
      ok(answer.created?.good, "the good one was not imported");
      setError(answer.notCreated, "bad", "invalidProperties");
    },
  },
  {
    id: "mailbox-created-before",
    level: "MUST",
    says: "Creation ids may be used in place of ids for records created earlier in the request.",
    run: async (t) => {
      const { blobId } = await t.upload(rawMessage(), "message/rfc822");
      const { accountId } = t;
      const create = { m: { name: t.unique("new"), parentId: await t.world.parentMailbox() } };
      const [made, answer] = await t.call([
        ["Mailbox/set", { accountId, create }, "0"],
        ["Email/import", { accountId, emails: { k: { blobId, mailboxIds: { "#m": true } } } }, "1"],
      ]);
      const { m } = (made?.[1].created ?? {}) as Record<string, { id: string }>;
      ok(m, "the Mailbox was not created");
      t.destroyLater("Mailbox", m.id);
      ok(answer?.[1].created, `not imported: ${show(answer)}`);
    },
  },
  {
    id: "attached-message",
    level: "MUST",
    says: "blobId: The id of the blob containing the raw message [RFC5322]. (That of an attached message is one.)",
    run: async (t) => {
      const inner = rawMessage({ subject: t.unique("inner") });
      const lines = ["From: o@example.com", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=out", ""];
      const raw = message(...lines, "--out", "Content-Type: message/rfc822", "", `${inner}--out--`);
      const { id } = await t.email({ raw });
      const blobId = (await getEmail(t, id, ["attachments"])).attachments[0]?.blobId;
      const emails = { k: { blobId, mailboxIds: yes(await t.box()) } };
      const answer = await t.one<ImportResult>("Email/import", { emails });
      ok(answer.created?.k, `not imported: ${show(answer.notCreated)}`);
      ok(
        String((await getEmail(t, answer.created.k.id, ["subject"])).subject).startsWith("inner"),
        "the wrong message",
      );
    },
  },
  {
    id: "duplicate",
    level: "MUST",
    says: 'The server MAY forbid two Email objects with the same exact content. In this case, it MUST reject attempts to import an Email considered to be a duplicate with an "alreadyExists" SetError. An "existingId" property of type "Id" MUST be included.',
    run: async (t) => {
      const raw = rawMessage({ subject: t.unique("twice") });
      const first = await imports(t, raw);
      const second = await importOne(t, raw);
      if (second.created?.k) return differs(second.created.k.id, first, "id of the second Email");
      equal(setError(second.notCreated, "k", "alreadyExists").existingId, first, "existingId");
    },
  },
  {
    id: "in-email-changes",
    level: "MUST",
    says: 'The "Email/import" method adds messages [RFC5322] to the set of Emails in an account.',
    run: async (t) => {
      await t.box();
      const sinceState = await t.state("Email");
      const id = await imports(t, rawMessage());
      const { created } = await t.one<{ created: string[] }>("Email/changes", { sinceState });
      ok(created.includes(id), "Email/changes does not name the Email");
    },
  },
]);

type Row = { id: string; properties: Json };
const invalid =
  'If the "blobId", "mailboxIds", or "keywords" properties are invalid (e.g., missing, wrong type, id not found), the server MUST reject the import with an "invalidProperties" SetError.';
const rows: Row[] = [
  { id: "blob-missing", properties: { blobId: undefined } },
  { id: "blob-not-found", properties: { blobId: nowhere } },
  { id: "blob-wrong-type", properties: { blobId: 5 } },
  { id: "mailboxes-missing", properties: { mailboxIds: undefined } },
  { id: "mailboxes-empty", properties: { mailboxIds: {} } },
  { id: "mailboxes-not-found", properties: { mailboxIds: yes(nowhere) } },
  { id: "mailboxes-wrong-type", properties: { mailboxIds: ["a"] } },
  { id: "keywords-bad", properties: { keywords: { "two words": true } } },
  { id: "keywords-wrong-type", properties: { keywords: ["$seen"] } },
];

const bad = defineTests(group, [
  ...table<Row>(rows, ({ id, properties }) => ({
    id: `refused-${id}`,
    level: "MUST",
    says: invalid,
    run: async (t) =>
      void setError((await importOne(t, rawMessage(), properties)).notCreated, "k", "invalidProperties"),
  })),
  {
    id: "state-mismatch",
    level: "MUST",
    says: '"stateMismatch": An "ifInState" argument was supplied, and it does not match the current state.',
    run: async (t) => {
      const { blobId } = await t.upload(rawMessage(), "message/rfc822");
      const emails = { k: { blobId, mailboxIds: yes(await t.box()) } };
      await t.error("Email/import", { ifInState: "no-such-state", emails }, "stateMismatch");
      const { ids } = await t.one<{ ids: string[] }>("Email/query", { filter: { inMailbox: await t.box() } });
      same(ids, [], "ids in the Mailbox");
    },
  },
  {
    id: "state-match",
    level: "MUST",
    exclusive: true,
    says: "ifInState: If supplied, the string must match the current state of the account referenced by the accountId. If null, any changes will be applied to the current state.",
    run: async (t) => {
      const { blobId } = await t.upload(rawMessage(), "message/rfc822");
      const mailboxIds = yes(await t.box());
      for (const ifInState of [await t.state("Email"), null]) {
        const answer = await t.one<ImportResult>("Email/import", { ifInState, emails: { k: { blobId, mailboxIds } } });
        ok(answer.created?.k ?? answer.notCreated?.k?.type === "alreadyExists", `not imported: ${show(answer)}`);
      }
    },
  },
  {
    id: "no-message",
    level: "MUST",
    says: "Email/import may repair (line endings and the like); bytes that are no message at all are refused (invalidEmail).",
    run: async (t) => {
      const octets = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0xff, 0xfe]);
      setError((await importOne(t, octets)).notCreated, "k", "invalidEmail");
    },
  },
  {
    id: "repaired-has-new-blob",
    level: "MUST",
    says: 'The server MAY modify the message to fix errors. If it does this, the "blobId" on the response MUST represent the new representation and therefore be different to the "blobId" on the EmailImport object.',
    run: async (t) => {
      const raw = "From: a@example.com\nSubject: bare line feeds\n\ntext\u0000\n";
      const { blobId } = await t.upload(raw, "message/rfc822");
      const emails = { k: { blobId, mailboxIds: yes(await t.box()) } };
      const answer = await t.one<ImportResult>("Email/import", { emails });
      const made = answer.created?.k;
      if (!made) return void setError(answer.notCreated, "k", "invalidEmail");
      if ((await source(t, made.blobId)) !== raw) differs(made.blobId, blobId, "blobId");
      equal(made.size, (await t.client.download(made.blobId)).body.length, "size");
    },
  },
]);

export const emailImport = [...good, ...bad];
