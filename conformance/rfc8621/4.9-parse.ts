import type { Json } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, matches, ok, same, sameMembers, show } from "../runner/expect.ts";
import { rawMessage } from "../runner/message.ts";
import { type Email, getEmail, mailGroup, message, nowhere } from "./support.ts";

const group = mailGroup("4.9", "Email/parse");

type ParseResult = {
  accountId: string;
  parsed: Record<string, Email> | null;
  notParsable: string[] | null;
  notFound: string[] | null;
};

function parse(t: TestContext, blobIds: readonly string[], args: Json = {}): Promise<ParseResult> {
  return t.one<ParseResult>("Email/parse", { blobIds, ...args });
}

async function parseOne(t: TestContext, raw: string | Uint8Array, args: Json = {}): Promise<Email> {
  const { blobId } = await t.upload(raw, "message/rfc822");
  const answer = await parse(t, [blobId], args);
  const email = answer.parsed?.[blobId];
  ok(email, `not parsed: ${show(answer)}`);
  return email;
}

const defaults = [
  "messageId",
  "inReplyTo",
  "references",
  "sender",
  "from",
  "to",
  "cc",
  "bcc",
  "replyTo",
  "subject",
  "sentAt",
  "hasAttachment",
  "preview",
  "bodyValues",
  "textBody",
  "htmlBody",
  "attachments",
];

export const emailParse = defineTests(group, [
  {
    id: "parse",
    level: "MUST",
    says: "This method allows you to parse blobs as messages [RFC5322] to get Email objects.",
    run: async (t) => {
      const raw = rawMessage({ subject: "parsed", from: "Ann <ann@example.com>", messageId: "<p@example.com>" });
      const expected = {
        subject: "parsed",
        from: [{ name: "Ann", email: "ann@example.com" }],
        messageId: ["p@example.com"],
      };
      matches(await parseOne(t, raw), expected, "Email");
    },
  },
  {
    id: "default-properties",
    level: "MUST",
    says: "properties: If supplied, only the properties listed in the array are returned for each Email object. If omitted, defaults to: […]",
    run: async (t) => {
      const names = Object.keys(await parseOne(t, rawMessage()));
      sameMembers(names, defaults, "names of the properties");
    },
  },
  {
    id: "properties",
    level: "MUST",
    says: "properties: If supplied, only the properties listed in the array are returned for each Email object.",
    run: async (t) => {
      const email = await parseOne(t, rawMessage({ subject: "only" }), {
        properties: ["subject", "header:SUBJECT:asText"],
      });
      same(email, { subject: "only", "header:SUBJECT:asText": "only" }, "Email");
    },
  },
  {
    id: "metadata-null",
    level: "MUST",
    says: "The following metadata properties on the Email objects will be null if requested: id, mailboxIds, keywords, receivedAt.",
    run: async (t) => {
      const properties = ["id", "mailboxIds", "keywords", "receivedAt"];
      const email = await parseOne(t, rawMessage(), { properties });
      same(email, { id: null, mailboxIds: null, keywords: null, receivedAt: null }, "Email");
    },
  },
  {
    id: "thread-id",
    level: "MUST",
    says: 'The "threadId" property of the Email MAY be present if the server can calculate which Thread the Email would be assigned to were it to be imported. Otherwise, this too is null if fetched.',
    run: async (t) => {
      const { threadId } = await parseOne(t, rawMessage(), { properties: ["threadId"] });
      ok(threadId === null || typeof threadId === "string", `threadId is ${show(threadId)}`);
    },
  },
  {
    id: "blob-id-and-size",
    level: "MUST",
    says: "blobId: The id representing the raw octets of the message. size: The size, in octets, of the raw data for the message.",
    run: async (t) => {
      const raw = rawMessage({ text: "żółw" });
      const { blobId } = await t.upload(raw, "message/rfc822");
      const answer = await parse(t, [blobId], { properties: ["blobId", "size"] });
      same(answer.parsed?.[blobId], { blobId, size: Buffer.byteLength(raw) }, "Email");
    },
  },
  {
    id: "not-found",
    level: "MUST",
    says: "notFound: A list of blob ids given that could not be found, or null if none.",
    run: async (t) => {
      const answer = await parse(t, [nowhere]);
      same(answer.notFound, [nowhere], "notFound");
      same(
        [answer.parsed ?? null, answer.notParsable ?? null].map((one) =>
          one && Object.keys(one).length === 0 ? null : one,
        ),
        [null, null],
        "parsed and notParsable",
      );
    },
  },
  {
    id: "nulls",
    level: "MUST",
    says: "parsed: […] or null if none. notParsable: […] or null if none. notFound: […] or null if none.",
    run: async (t) => {
      const none = await parse(t, [nowhere]);
      same([none.parsed, none.notParsable], [null, null], "parsed and notParsable");
      const { blobId } = await t.upload(rawMessage(), "message/rfc822");
      const all = await parse(t, [blobId]);
      same([all.notFound, all.notParsable], [null, null], "notFound and notParsable");
    },
  },
  {
    id: "not-parsable",
    level: "MUST",
    says: "notParsable: A list of ids given that corresponded to blobs that could not be parsed as Emails, or null if none.",
    run: async (t) => {
      const octets = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0xff, 0xfe]);
      const { blobId } = await t.upload(octets, "image/png");
      const answer = await parse(t, [blobId]);
      same(answer.notParsable, [blobId], "notParsable");
    },
  },
  {
    id: "several",
    level: "MUST",
    says: "parsed: A map of blob id to parsed Email representation for each successfully parsed blob.",
    run: async (t) => {
      const one = await t.upload(rawMessage({ subject: "one" }), "message/rfc822");
      const two = await t.upload(rawMessage({ subject: "two" }), "message/rfc822");
      const answer = await parse(t, [one.blobId, nowhere, two.blobId], { properties: ["subject"] });
      same(answer.parsed, { [one.blobId]: { subject: "one" }, [two.blobId]: { subject: "two" } }, "parsed");
      same(answer.notFound, [nowhere], "notFound");
    },
  },
  {
    id: "attached-message",
    level: "MUST",
    says: 'This can be used to parse and display attached messages without having to import them as top-level Email objects. Attached messages may be fetched using the "Email/parse" method and the "blobId".',
    run: async (t) => {
      const inner = [
        "From: inner@example.com",
        "Subject: =?utf-8?q?inner_=C5=BC?=",
        "Content-Type: multipart/mixed; boundary=in",
        "",
        "--in",
        "",
        "inner text",
        "--in",
        "Content-Type: application/pdf",
        "Content-Disposition: attachment; filename=a.pdf",
        "",
        "PDF",
        "--in--",
      ];
      const raw = message(
        "From: outer@example.com",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=out",
        "",
        "--out",
        "",
        "outer text",
        "--out",
        "Content-Type: message/rfc822",
        "",
        ...inner,
        "--out--",
      );
      const { id } = await t.email({ raw });
      const { attachments } = await getEmail(t, id, ["attachments"]);
      const blobId = attachments[0]?.blobId as string;
      const answer = await parse(t, [blobId], { fetchTextBodyValues: true });
      const email = answer.parsed?.[blobId];
      ok(email, `not parsed: ${show(answer)}`);
      equal(email.subject, "inner ż", "subject");
      equal(Object.values(email.bodyValues)[0]?.value.trimEnd(), "inner text", "value of the text");
      matches(email.attachments, [{ name: "a.pdf", type: "application/pdf" }], "attachments");
      const pdf = (await t.client.download(email.attachments[0]?.blobId as string)).body;
      equal(pdf.toString().trimEnd(), "PDF", "the attachment of the attached message");
    },
  },
  {
    id: "stored-email",
    level: "MUST",
    says: "blobIds: The ids of the blobs to parse. (The blob of an Email is one.)",
    run: async (t) => {
      const { blobId } = await t.email({ subject: "stored" });
      equal((await parse(t, [blobId], { properties: ["subject"] })).parsed?.[blobId]?.subject, "stored", "subject");
    },
  },
  {
    id: "eai",
    level: "MUST",
    says: "The server MUST support messages with EAI headers [RFC6532].",
    run: async (t) => {
      const raw = message("From: Żółw <żółw@exämple.com>", "Subject: Zażółć", "", "text");
      const expected = { from: [{ name: "Żółw", email: "żółw@exämple.com" }], subject: "Zażółć" };
      matches(await parseOne(t, raw), expected, "Email");
    },
  },
  {
    id: "body-values",
    level: "MUST",
    says: "fetchTextBodyValues, fetchHTMLBodyValues, fetchAllBodyValues: […]",
    run: async (t) => {
      const raw = rawMessage({ text: "plain", html: "<p>html</p>" });
      const cases: [string, string[]][] = [
        ["fetchTextBodyValues", ["plain"]],
        ["fetchHTMLBodyValues", ["<p>html</p>"]],
        ["fetchAllBodyValues", ["plain", "<p>html</p>"]],
      ];
      for (const [name, expected] of cases) {
        const { bodyValues } = await parseOne(t, raw, { [name]: true });
        sameMembers(
          Object.values(bodyValues).map(({ value }) => value.trimEnd()),
          expected,
          name,
        );
      }
      same((await parseOne(t, raw)).bodyValues, {}, "bodyValues by default");
    },
  },
  {
    id: "max-body-value-bytes",
    level: "MUST",
    says: "maxBodyValueBytes: […] MUST be truncated if necessary so it does not exceed this number of octets in size. The server MUST ensure the truncation results in valid UTF-8 and does not occur mid-codepoint.",
    run: async (t) => {
      const args = { fetchAllBodyValues: true, maxBodyValueBytes: 5 };
      const { bodyValues } = await parseOne(t, rawMessage({ text: "żółwie" }), args);
      matches(Object.values(bodyValues), [{ value: "żó", isTruncated: true }], "bodyValues");
    },
  },
  {
    id: "truncated-tag",
    level: "SHOULD",
    says: 'If the part is of type "text/html", the server SHOULD NOT truncate inside an HTML tag.',
    run: async (t) => {
      const raw = rawMessage({ html: '<p>one <a href="https://example.com/long">link</a></p>' });
      const { bodyValues } = await parseOne(t, raw, { fetchAllBodyValues: true, maxBodyValueBytes: 20 });
      const [body] = Object.values(bodyValues);
      ok(body && body.value.lastIndexOf("<") <= body.value.lastIndexOf(">"), `the value is ${show(body?.value)}`);
    },
  },
  {
    id: "body-properties",
    level: "MUST",
    says: 'bodyProperties: A list of properties to fetch for each EmailBodyPart returned. If omitted, defaults to the same value as the "Email/get" "bodyProperties" default argument.',
    run: async (t) => {
      const raw = rawMessage({ text: "plain" });
      const only = await parseOne(t, raw, { properties: ["textBody"], bodyProperties: ["type"] });
      same(only, { textBody: [{ type: "text/plain" }] }, "Email");
      const names = [
        "partId",
        "blobId",
        "size",
        "name",
        "type",
        "charset",
        "disposition",
        "cid",
        "language",
        "location",
      ];
      const { textBody } = await parseOne(t, raw, { properties: ["textBody"] });
      sameMembers(Object.keys(textBody[0] ?? {}), names, "names of the properties of a part");
    },
  },
  {
    id: "forbidden-form",
    level: "MUST",
    says: 'Attempting to fetch a form that is forbidden (e.g., "header:From:asDate") MUST result in the method call being rejected with an "invalidArguments" error.',
    run: async (t) => {
      const { blobId } = await t.upload(rawMessage(), "message/rfc822");
      for (const property of ["header:From:asDate", "header:Subject:asAddresses", "header:date:asText"]) {
        await t.error("Email/parse", { blobIds: [blobId], properties: [property] }, "invalidArguments");
      }
    },
  },
  {
    id: "unknown-property",
    level: "MUST",
    says: "properties: If supplied, only the properties listed in the array are returned. (One that does not exist is an invalid argument.)",
    run: async (t) => {
      const { blobId } = await t.upload(rawMessage(), "message/rfc822");
      await t.error("Email/parse", { blobIds: [blobId], properties: ["noSuch"] }, "invalidArguments");
    },
  },
]);
