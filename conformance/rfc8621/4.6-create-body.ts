import type { Json } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { equal, matches, ok, same, sameMembers } from "../runner/expect.ts";
import { create, getEmail, mailGroup, type Part, textBody } from "./support.ts";

const group = mailGroup("4.6", "Email/set: bodies");
const both = {
  textBody: [{ partId: "t", type: "text/plain" }],
  htmlBody: [{ partId: "h", type: "text/html" }],
  bodyValues: { t: { value: "plain" }, h: { value: "<p>html</p>" } },
};
const args = {
  fetchAllBodyValues: true,
  bodyProperties: [
    "partId",
    "blobId",
    "type",
    "name",
    "cid",
    "disposition",
    "size",
    "language",
    "location",
    "charset",
    "subParts",
  ],
};

function text(values: Record<string, { value: string }>, part: Part | undefined): string | undefined {
  return values[part?.partId ?? ""]?.value;
}

const bodies = defineTests(group, [
  {
    id: "body-text",
    level: "MUST",
    says: 'If given, textBody MUST contain exactly one body part and it MUST be of type "text/plain".',
    run: async (t) => {
      const value = "Zażółć\n\n  two spaces \n.dot\nFrom x\n=3D = \u00a0😀\n-- \nsignature";
      const made = await create(t, textBody(value));
      const email = await getEmail(t, made.id, ["bodyValues", "textBody", "htmlBody", "attachments"], args);
      equal(text(email.bodyValues, email.textBody[0])?.replace(/\n$/, ""), value, "value");
      equal(email.textBody[0]?.type, "text/plain", "type");
      same(email.attachments, [], "attachments");
    },
  },
  {
    id: "body-text-line-ends",
    level: "MUST",
    says: "value: […] with any CRLF replaced with a single LF.",
    run: async (t) => {
      const made = await create(t, textBody("one\r\ntwo\nthree"));
      const email = await getEmail(t, made.id, ["bodyValues", "textBody"], args);
      equal(text(email.bodyValues, email.textBody[0])?.trimEnd(), "one\ntwo\nthree", "value");
    },
  },
  {
    id: "body-text-long-lines",
    level: "MUST",
    says: "The server may choose any appropriate encoding.",
    run: async (t) => {
      const value = `${"a".repeat(5000)}\n${"ż".repeat(3000)}\n${"word ".repeat(2000)}`;
      const made = await create(t, textBody(value));
      const email = await getEmail(t, made.id, ["bodyValues", "textBody"], args);
      equal(text(email.bodyValues, email.textBody[0])?.replace(/\n$/, ""), value, "value");
    },
  },
  {
    id: "body-html",
    level: "MUST",
    says: 'If given, htmlBody MUST contain exactly one body part and it MUST be of type "text/html".',
    run: async (t) => {
      const { htmlBody, bodyValues } = both;
      const made = await create(t, { htmlBody, bodyValues: { h: bodyValues.h } });
      const email = await getEmail(t, made.id, ["bodyValues", "htmlBody"], args);
      equal(text(email.bodyValues, email.htmlBody[0])?.trimEnd(), "<p>html</p>", "value");
    },
  },
  {
    id: "body-both",
    level: "MUST",
    says: 'textBody: with a preference for "text/plain" when alternative versions are available; htmlBody: with a preference for "text/html".',
    run: async (t) => {
      const made = await create(t, both);
      const email = await getEmail(
        t,
        made.id,
        ["bodyValues", "textBody", "htmlBody", "attachments", "bodyStructure"],
        args,
      );
      same([email.textBody.length, email.htmlBody.length, email.attachments.length], [1, 1, 0], "number of parts");
      equal(text(email.bodyValues, email.textBody[0])?.trimEnd(), "plain", "value of the text");
      equal(text(email.bodyValues, email.htmlBody[0])?.trimEnd(), "<p>html</p>", "value of the HTML");
      equal(email.bodyStructure.type, "multipart/alternative", "type of bodyStructure");
    },
  },
  {
    id: "body-attachments",
    level: "MUST",
    says: "The client may specify a partId OR a blobId. attachments: a list of parts.",
    run: async (t) => {
      const octets = Buffer.from(Array.from({ length: 1000 }, (_, at) => (at * 7) % 256));
      const { blobId } = await t.upload(octets, "application/octet-stream");
      const attachments = [
        { blobId, type: "application/x-one", name: 'żółw "1".bin', disposition: "attachment" },
        { blobId, type: "image/png", cid: "image.1@example.com", disposition: "inline" },
      ];
      const made = await create(t, { ...both, attachments });
      const email = await getEmail(t, made.id, ["textBody", "htmlBody", "attachments"], args);
      const shape = [
        { type: "application/x-one", name: 'żółw "1".bin', disposition: "attachment", size: 1000 },
        { type: "image/png", cid: "image.1@example.com", disposition: "inline", size: 1000 },
      ];
      const found = shape.map(({ type }) => email.attachments.find((part) => part.type === type));
      matches(found, shape, "attachments");
      for (const part of found) {
        const { body } = await t.client.download(part?.blobId as string);
        ok(body.equals(octets), "the octets of an attachment changed");
      }
    },
  },
  {
    id: "body-type-as-header",
    level: "MUST",
    says: 'In addition, the client may request/send EmailBodyPart properties representing individual header fields, following the same syntax and semantics as for the Email object, e.g., "header:Content-Type".',
    run: async (t) => {
      const { blobId } = await t.upload("BEGIN:VCALENDAR", "text/calendar");
      const attachments = [
        {
          blobId,
          "header:Content-Type": " text/calendar; method=REQUEST",
          "header:Content-Description": " an invitation",
        },
      ];
      const made = await create(t, { ...textBody("see"), attachments });
      const bodyProperties = ["type", "header:Content-Type", "header:Content-Description:asText"];
      const [part] = (await getEmail(t, made.id, ["attachments"], { bodyProperties })).attachments;
      matches(part, { type: "text/calendar", "header:Content-Description:asText": "an invitation" }, "attachment");
      ok(/method="?REQUEST/.test(String((part as Json)["header:Content-Type"])), "the parameter is lost");
    },
  },
  {
    id: "body-attachment-only",
    level: "MUST",
    says: "attachments: a list of parts.",
    run: async (t) => {
      const { blobId } = await t.upload("hello", "text/plain");
      const attachments = [{ blobId, type: "text/plain", name: "a.txt", disposition: "attachment", charset: "utf-8" }];
      const made = await create(t, { attachments });
      const email = await getEmail(t, made.id, ["attachments", "hasAttachment"], args);
      matches(email.attachments, [{ name: "a.txt", size: 5, type: "text/plain" }], "attachments");
    },
  },
  {
    id: "body-attached-message",
    level: "MUST",
    says: "blobId: This may be used to download the raw original message or to attach it directly to another Email, etc.",
    run: async (t) => {
      const other = await t.email({ subject: "attached żółw", text: "inner żółw" });
      const attachments = [{ blobId: other.blobId, type: "message/rfc822", disposition: "attachment" }];
      const made = await create(t, { ...textBody("see"), attachments });
      const email = await getEmail(t, made.id, ["attachments"], args);
      matches(email.attachments, [{ type: "message/rfc822", size: other.size }], "attachments");
      const [inner] = email.attachments;
      const octets = (await t.client.download(inner?.blobId as string)).body;
      ok(octets.equals((await t.client.download(other.blobId)).body), "the attached message changed");
    },
  },
  {
    id: "body-part-of-another",
    level: "MUST",
    says: "blobId: The id representing the raw octets of the contents of the part, after decoding. (It may be attached to another Email.)",
    run: async (t) => {
      const octets = Buffer.from([0, 1, 2, 250, 251, 252, 13, 10, 13]);
      const { blobId } = await t.upload(octets, "application/x-a");
      const first = await create(t, { ...textBody("one"), attachments: [{ blobId, type: "application/x-a" }] });
      const part = (await getEmail(t, first.id, ["attachments"])).attachments[0]?.blobId;
      const second = await create(t, { ...textBody("two"), attachments: [{ blobId: part, type: "application/x-a" }] });
      const found = (await getEmail(t, second.id, ["attachments"])).attachments[0]?.blobId;
      ok((await t.client.download(found as string)).body.equals(octets), "the octets changed");
    },
  },
  {
    id: "body-structure",
    level: "MUST",
    says: "bodyStructure: the full MIME structure of the message body.",
    run: async (t) => {
      const { blobId } = await t.upload("PNG", "image/png");
      const bodyStructure: Json = {
        type: "multipart/mixed",
        subParts: [
          {
            type: "multipart/related",
            subParts: [
              { type: "text/html", partId: "h", "header:Content-Language": " en" },
              { type: "image/png", blobId, cid: "i@example.com", name: "i.png", disposition: "inline" },
            ],
          },
          { type: "text/plain", partId: "t", disposition: "attachment", name: "t.txt" },
        ],
      };
      const made = await create(t, { bodyStructure, bodyValues: both.bodyValues });
      const email = await getEmail(t, made.id, ["bodyStructure", "bodyValues"], args);
      const shape = {
        type: "multipart/mixed",
        subParts: [
          {
            type: "multipart/related",
            subParts: [
              { type: "text/html", language: ["en"] },
              { type: "image/png", cid: "i@example.com", name: "i.png", size: 3 },
            ],
          },
          { type: "text/plain", disposition: "attachment", name: "t.txt" },
        ],
      };
      matches(email.bodyStructure, shape, "bodyStructure");
      const values = Object.values(email.bodyValues).map(({ value }) => value.trimEnd());
      sameMembers(values, ["plain", "<p>html</p>"], "values");
    },
  },
  {
    id: "body-structure-single",
    level: "MUST",
    says: '(Example) "bodyStructure": { "type": "text/plain", "partId": "bd48", "header:Content-Language": "en" }',
    run: async (t) => {
      const bodyStructure = { type: "text/plain", partId: "bd48", "header:Content-Language": "en" };
      const bodyValues = { bd48: { value: "I have the most brilliant plan.", isTruncated: false } };
      const made = await create(t, { bodyStructure, bodyValues });
      const email = await getEmail(t, made.id, ["bodyStructure", "bodyValues"], args);
      matches(email.bodyStructure, { type: "text/plain", language: ["en"] }, "bodyStructure");
      equal(text(email.bodyValues, email.bodyStructure)?.trimEnd(), bodyValues.bd48.value, "value");
    },
  },
  {
    id: "body-part-properties",
    level: "MUST",
    says: "EmailBodyPart: type, disposition, cid, language, location, name.",
    run: async (t) => {
      const part = {
        type: "text/plain",
        partId: "1",
        disposition: "inline",
        cid: "c@example.com",
        language: ["en", "de"],
        location: "https://example.com/x",
        name: "n.txt",
      };
      const made = await create(t, { bodyStructure: part, bodyValues: { 1: { value: "text" } } });
      const { partId: _, ...expected } = part;
      matches((await getEmail(t, made.id, ["bodyStructure"], args)).bodyStructure, expected, "bodyStructure");
    },
  },
  {
    id: "body-same-value-twice",
    level: "MUST",
    says: 'If a partId is given, this partId MUST be present in the "bodyValues" property.',
    run: async (t) => {
      const bodyStructure = {
        type: "multipart/mixed",
        subParts: [
          { type: "text/plain", partId: "1" },
          { type: "text/plain", partId: "2" },
        ],
      };
      const bodyValues = { 1: { value: "first" }, 2: { value: "second" }, 3: { value: "unused" } };
      const made = await create(t, { bodyStructure, bodyValues });
      const email = await getEmail(t, made.id, ["bodyStructure", "bodyValues"], args);
      const values = email.bodyStructure.subParts?.map((part) => text(email.bodyValues, part)?.trimEnd());
      same(values, ["first", "second"], "values");
    },
  },
  {
    id: "body-size-of-blob-ignored",
    level: "MUST",
    says: "If a blobId is given, it (the size) may be included but is ignored by the server (the size is actually calculated from the blob content itself).",
    run: async (t) => {
      const { blobId } = await t.upload("hello", "application/x-a");
      const attachments = [{ blobId, type: "application/x-a", size: 999, disposition: "attachment" }];
      const made = await create(t, { ...textBody("text"), attachments });
      matches((await getEmail(t, made.id, ["attachments"], args)).attachments, [{ size: 5 }], "attachments");
    },
  },
  {
    id: "body-type-default",
    level: "SHOULD",
    says: 'type: The value of the Content-Type header field of the part, if present; otherwise, the implicit type as per the MIME standard ("text/plain" […]): so of a part that is created without one.',
    run: async (t) => {
      const { blobId } = await t.upload("hello", "application/x-a");
      const made = await create(t, {
        ...textBody("text"),
        attachments: [{ blobId, name: "a", disposition: "attachment" }],
      });
      matches(
        (await getEmail(t, made.id, ["attachments"], args)).attachments,
        [{ type: "text/plain", size: 5 }],
        "attachments",
      );
      const alone = await create(t, { bodyStructure: { partId: "1" }, bodyValues: { 1: { value: "text" } } });
      matches(
        (await getEmail(t, alone.id, ["bodyStructure"], args)).bodyStructure,
        { type: "text/plain" },
        "bodyStructure",
      );
    },
  },
  {
    id: "body-type-default-in-digest",
    level: "SHOULD",
    says: 'type: […] the implicit type as per the MIME standard ("text/plain" or "message/rfc822" if inside a "multipart/digest").',
    run: async (t) => {
      const { blobId, size } = await t.upload("Subject: inner\r\n\r\nWithin.\r\n", "message/rfc822");
      const made = await create(t, { bodyStructure: { type: "multipart/digest", subParts: [{ blobId }] } });
      const { bodyStructure } = await getEmail(t, made.id, ["bodyStructure"], args);
      matches(bodyStructure.subParts, [{ type: "message/rfc822", size }], "subParts");
    },
  },
  {
    id: "body-value-flags-false",
    level: "MUST",
    says: "Within an EmailBodyValue object, isEncodingProblem and isTruncated MUST be either false or omitted.",
    run: async (t) => {
      const bodyValues = { 1: { value: "text", isEncodingProblem: false, isTruncated: false } };
      await create(t, { textBody: [{ partId: "1", type: "text/plain" }], bodyValues });
    },
  },
]);

export const createBodies = bodies;
