import { responseArgs } from "../client/client.ts";
import { core, type Invocation, type Json, mail, type SetError, submission } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isObject, matches, ok, same, setError } from "../runner/expect.ts";

const mdn = "urn:ietf:params:jmap:mdn";
const rfc = "rfc9007";
const requires = [core, mail, mdn];
const using = [core, mail, mdn];

const report = (messageId: string): string =>
  [
    "From: Reader <reader@conformance.example>",
    "To: Sender <sender@conformance.example>",
    "Subject: Disposition notification",
    "Date: Tue, 14 Jan 2025 10:20:30 +0000",
    "MIME-Version: 1.0",
    'Content-Type: multipart/report; report-type=disposition-notification; boundary="edge"',
    "",
    "--edge",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "The message has been displayed.",
    "--edge",
    "Content-Type: message/disposition-notification",
    "",
    "Reporting-UA: conformance.example; Suite 1.0",
    "Original-Recipient: rfc822;reader@conformance.example",
    "Final-Recipient: rfc822;reader@conformance.example",
    `Original-Message-ID: ${messageId}`,
    "Disposition: Manual-Action/MDN-Sent-Manually; Displayed",
    "X-Extension: some value",
    "",
    "--edge--",
    "",
  ].join("\r\n");

type ParseResult = { parsed: Record<string, Json> | null; notParsable: string[] | null; notFound: string[] | null };

function parse(t: TestContext, blobIds: string[]): Promise<ParseResult> {
  return t.one<ParseResult>("MDN/parse", { blobIds }, using);
}

const parsing = defineTests({ rfc, section: "2.2", title: "MDN/parse", requires }, [
  {
    id: "parsed",
    level: "MUST",
    says: "parsed: a map of blob id to parsed MDN representation for each successfully parsed blob. The fields of Disposition MUST be converted to lowercase by MDN/parse.",
    run: async (t) => {
      const messageId = `<${t.unique("mdn")}@conformance.example>`;
      const { blobId } = await t.upload(report(messageId), "message/rfc822");
      const { parsed, notParsable, notFound } = await parse(t, [blobId]);
      same([notParsable ?? null, notFound ?? null], [null, null], "notParsable and notFound");
      matches(
        parsed?.[blobId],
        {
          subject: "Disposition notification",
          textBody: /The message has been displayed\./,
          reportingUA: /Suite 1\.0/,
          originalRecipient: /reader@conformance\.example/,
          finalRecipient: /reader@conformance\.example/,
          originalMessageId: messageId,
          disposition: { actionMode: "manual-action", sendingMode: "mdn-sent-manually", type: "displayed" },
        },
        "the MDN",
      );
    },
  },
  {
    id: "extension-fields",
    level: "MUST",
    says: "extensionFields: object where keys are extension-field names and values are extension-field values. Servers MUST support all properties.",
    run: async (t) => {
      const { blobId } = await t.upload(report("<x@conformance.example>"), "message/rfc822");
      matches(
        (await parse(t, [blobId])).parsed?.[blobId]?.extensionFields,
        { "X-Extension": "some value" },
        "extensionFields",
      );
    },
  },
  {
    id: "not-parsable-and-not-found",
    level: "MUST",
    says: "notParsable: ids that corresponded to blobs that could not be parsed as MDNs. notFound: blob ids given that could not be found.",
    run: async (t) => {
      const { blobId } = await t.upload("From: a@conformance.example\r\n\r\nno report\r\n", "message/rfc822");
      const { parsed, notParsable, notFound } = await parse(t, [blobId, "no-such-blob"]);
      same([parsed ?? null, notParsable, notFound], [null, [blobId], ["no-such-blob"]], "answer");
    },
  },
]);

type SendResult = { sent: Record<string, Json> | null; notSent: Record<string, SetError> | null };

const disposition = { actionMode: "manual-action", sendingMode: "mdn-sent-manually", type: "displayed" };

async function identity(t: TestContext): Promise<{ id: string; email: string }> {
  const [first] = await t.get<{ id: string; email: string }>("Identity", null);
  return first ?? t.skip("the account has no identity");
}

function sending(t: TestContext, identityId: string, forEmailId: string, more: Json = {}): Promise<SendResult> {
  const send = { k: { forEmailId, subject: "Read", textBody: "It was displayed.", disposition } };
  const onSuccessUpdateEmail = { "#k": { "keywords/$mdnsent": true } };
  return t.one<SendResult>("MDN/send", { identityId, send, onSuccessUpdateEmail, ...more }, [...using, submission]);
}

const refusals = defineTests({ rfc, section: "2.1", title: "MDN/send", requires: [...requires, submission] }, [
  {
    id: "not-found",
    level: "MUST",
    says: "notFound: the reference Email id cannot be found, or has no valid Disposition-Notification-To header field.",
    run: async (t) => {
      const { id } = await identity(t);
      setError((await sending(t, id, "no-such-email")).notSent, "k", "notFound");
      setError((await sending(t, id, (await t.email()).id)).notSent, "k", "notFound");
    },
  },
  {
    id: "already-sent",
    level: "MUST",
    says: "mdnAlreadySent: the message has the $mdnsent keyword already set.",
    run: async (t) => {
      const { id, email } = await identity(t);
      const headers = [`Disposition-Notification-To: <${email}>`];
      const sent = await t.email({ headers, keywords: ["$mdnsent"] });
      setError((await sending(t, id, sent.id)).notSent, "k", "mdnAlreadySent");
    },
  },
  {
    id: "unknown-identity",
    level: "MUST",
    says: "If the accountId or identityId given cannot be found, the method call is rejected with an invalidArguments error.",
    run: async (t) => {
      const send = { k: { forEmailId: (await t.email()).id, disposition } };
      const onSuccessUpdateEmail = { "#k": { "keywords/$mdnsent": true } };
      const args = { identityId: "no-such-identity", send, onSuccessUpdateEmail };
      await t.error("MDN/send", args, "invalidArguments", [...using, submission]);
    },
  },
]);

const sends = defineTests({ rfc, section: "2.1", requires: [...requires, submission] }, [
  {
    id: "sent",
    level: "MUST",
    says: "sent: a map of creation id to MDN containing any properties that were not set by the client. The server generates originalRecipient, originalMessageId and finalRecipient; $mdnsent is set by the implicit Email/set.",
    run: async (t) => {
      const { id, email } = await identity(t);
      const messageId = `<${t.unique("asked")}@conformance.example>`;
      // To the account itself, so that nothing leaves the server.
      const asked = await t.email({ messageId, headers: [`Disposition-Notification-To: <${email}>`] });
      const send = { k: { forEmailId: asked.id, subject: t.unique("receipt"), textBody: "Displayed.", disposition } };
      const onSuccessUpdateEmail = { "#k": { "keywords/$mdnsent": true } };
      const args = { accountId: t.accountId, identityId: id, send, onSuccessUpdateEmail };
      const answers = await t.call([["MDN/send", args, "0"]], [...using, submission]);
      const { sent, notSent } = responseArgs<SendResult>(answers[0] as Invocation, "MDN/send");
      isObject(sent?.k, `sent/k (${JSON.stringify(notSent)})`);
      matches(sent.k, { originalMessageId: messageId }, "sent/k");
      equal(answers[1]?.[0], "Email/set", "name of the implicit response");
      const { keywords } = await t.find<{ keywords: Json }>("Email", asked.id, ["keywords"]);
      equal(keywords.$mdnsent, true, "$mdnsent");
      t.defer(() => removeReceipt(t, send.k.subject));
    },
  },
  {
    id: "keyword-must-be-set",
    level: "MUST",
    says: "The server MUST reject an MDN/send which does not result in setting the keyword $mdnsent.",
    run: async (t) => {
      const { id, email } = await identity(t);
      const asked = await t.email({ headers: [`Disposition-Notification-To: <${email}>`] });
      const send = { k: { forEmailId: asked.id, textBody: "Displayed.", disposition } };
      const args = { accountId: t.accountId, identityId: id, send };
      const [answer] = await t.call([["MDN/send", args, "0"]], [...using, submission]);
      ok(answer, "no response");
      if (answer[0] === "error") return;
      setError((answer[1] as SendResult).notSent, "k", ["invalidProperties", "forbidden"]);
    },
  },
]);

/** The receipt that came to the account itself. */
async function removeReceipt(t: TestContext, subject: string): Promise<void> {
  const ids = await t.eventually(async () => {
    const found = (await t.one<{ ids: string[] }>("Email/query", { filter: { subject } })).ids;
    if (found.length === 0) throw new Error("not yet");
    return found;
  }, 5000);
  await t.set("Email", { destroy: ids });
}

export const mdns = [...parsing, ...refusals, ...sends];
