import type { Json } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests, type Level } from "../runner/define.ts";
import { includes, ok, sameMembers, setError } from "../runner/expect.ts";
import { mailGroup, nowhere, table, textBody, tryCreate, yes } from "./support.ts";

const group = mailGroup("4.6", "Email/set: refused creations");

type Row = { id: string; level?: Level; says: string; email: Json };
const ann = [{ name: null, email: "ann@example.com" }];
const twice =
  'There MUST NOT be two properties that represent the same header field (e.g., "header:from" and "from") within the Email or particular EmailBodyPart.';
const forms = "Header fields MUST NOT be specified in parsed forms that are forbidden for that particular field.";
const content =
  'Header fields beginning with "Content-" MUST NOT be specified on the Email object, only on EmailBodyPart objects.';
const exclusive =
  'If a "bodyStructure" property is given, there MUST NOT be "textBody", "htmlBody", or "attachments" properties.';
const oneText = 'If given, textBody MUST contain exactly one body part and it MUST be of type "text/plain".';
const oneHtml = 'If given, htmlBody MUST contain exactly one body part and it MUST be of type "text/html".';
const eitherId = "The client may specify a partId OR a blobId, but not both.";
const inValues = 'If a partId is given, this partId MUST be present in the "bodyValues" property.';
const noHeaders =
  'The "headers" property MUST NOT be given on either the top-level Email or an EmailBodyPart -- the client must set each header field as an individual property.';
const flags = "Within an EmailBodyValue object, isEncodingProblem and isTruncated MUST be either false or omitted.";
const values = { 1: { value: "text" }, 2: { value: "more" } };
const plain = { partId: "1", type: "text/plain" };
const html = { partId: "2", type: "text/html" };

/** Only one text part, with something more. */
function part(more: Json): Json {
  return { bodyStructure: { ...plain, ...more }, bodyValues: values };
}

/** All of these SHOULD be rejected with invalidProperties; a server MAY change the Email instead. */
const shoulds: Row[] = [
  { id: "headers", says: noHeaders, email: { headers: [{ name: "X-A", value: " a" }], ...textBody("text") } },
  { id: "headers-of-part", says: noHeaders, email: part({ headers: [{ name: "X-A", value: " a" }] }) },
  { id: "from-twice", says: twice, email: { from: ann, "header:from": " ann@example.com", ...textBody("text") } },
  { id: "from-twice-parsed", says: twice, email: { from: ann, "header:From:asAddresses": ann, ...textBody("text") } },
  { id: "subject-twice", says: twice, email: { subject: "a", "header:SUBJECT:asText": "b", ...textBody("text") } },
  { id: "header-two-forms", says: twice, email: { "header:X-A": " a", "header:x-a:asText": "b", ...textBody("text") } },
  { id: "header-and-all", says: twice, email: { "header:X-A": " a", "header:X-A:all": [" b"], ...textBody("text") } },
  {
    id: "sent-at-twice",
    says: twice,
    email: { sentAt: "2020-01-01T00:00:00Z", "header:Date:asDate": "2020-01-01T00:00:00Z", ...textBody("text") },
  },
  { id: "part-header-twice", says: twice, email: part({ language: ["en"], "header:Content-Language": " de" }) },
  { id: "part-type-twice", says: twice, email: part({ "header:Content-Type": " text/html" }) },
  {
    id: "part-disposition-twice",
    says: twice,
    email: part({ disposition: "inline", "header:Content-Disposition": " attachment" }),
  },
  { id: "part-cid-twice", says: twice, email: part({ cid: "a@b", "header:Content-ID": " <c@d>" }) },
  { id: "form-from-date", says: forms, email: { "header:From:asDate": "2020-01-01T00:00:00Z", ...textBody("text") } },
  { id: "form-from-text", says: forms, email: { "header:From:asText": "Ann", ...textBody("text") } },
  { id: "form-date-text", says: forms, email: { "header:Date:asText": "today", ...textBody("text") } },
  { id: "form-subject-addresses", says: forms, email: { "header:Subject:asAddresses": ann, ...textBody("text") } },
  { id: "form-list-post-text", says: forms, email: { "header:List-Post:asText": "a", ...textBody("text") } },
  {
    id: "form-message-id-urls",
    says: forms,
    email: { "header:Message-ID:asURLs": ["https://a.example"], ...textBody("text") },
  },
  { id: "content-type", says: content, email: { "header:Content-Type": " text/plain", ...textBody("text") } },
  { id: "content-language", says: content, email: { "header:content-language:asText": "en", ...textBody("text") } },
  { id: "content-own", says: content, email: { "header:Content-X-Own": " a", ...textBody("text") } },
  { id: "structure-and-text", says: exclusive, email: { ...part({}), textBody: [plain] } },
  { id: "structure-and-html", says: exclusive, email: { ...part({}), htmlBody: [html] } },
  { id: "structure-and-attachments", says: exclusive, email: { ...part({}), attachments: [] } },
  {
    id: "structure-header-defined-above",
    says: 'If given, the "bodyStructure" EmailBodyPart MUST NOT contain a property representing a header field that is already defined on the top-level Email object.',
    email: { "header:X-A": " a", ...part({ "header:X-A": " b" }) },
  },
  {
    id: "structure-subject-defined-above",
    says: 'If given, the "bodyStructure" EmailBodyPart MUST NOT contain a property representing a header field that is already defined on the top-level Email object.',
    email: { subject: "a", ...part({ "header:Subject:asText": "b" }) },
  },
  { id: "text-none", says: oneText, email: { textBody: [] } },
  { id: "text-two", says: oneText, email: { textBody: [plain, { ...plain, partId: "2" }], bodyValues: values } },
  { id: "text-html", says: oneText, email: { textBody: [{ ...plain, type: "text/html" }], bodyValues: values } },
  { id: "html-none", says: oneHtml, email: { htmlBody: [] } },
  { id: "html-two", says: oneHtml, email: { htmlBody: [html, { ...html, partId: "1" }], bodyValues: values } },
  { id: "html-plain", says: oneHtml, email: { htmlBody: [{ ...html, type: "text/plain" }], bodyValues: values } },
  {
    id: "part-without-value",
    says: inValues,
    email: { textBody: [{ partId: "9", type: "text/plain" }], bodyValues: values },
  },
  { id: "part-without-any-value", says: inValues, email: { textBody: [plain] } },
  {
    id: "part-charset",
    says: 'The "charset" property MUST be omitted if a partId is given (the part\'s content is included in bodyValues, and the server may choose any appropriate encoding).',
    email: part({ charset: "utf-8" }),
  },
  { id: "part-size", says: 'The "size" property MUST be omitted if a partId is given.', email: part({ size: 4 }) },
  {
    id: "part-transfer-encoding",
    says: "A Content-Transfer-Encoding header field MUST NOT be given.",
    email: part({ "header:Content-Transfer-Encoding": " 8bit" }),
  },
  {
    id: "value-encoding-problem",
    says: flags,
    email: { textBody: [plain], bodyValues: { 1: { value: "text", isEncodingProblem: true } } },
  },
  {
    id: "value-truncated",
    says: flags,
    email: { textBody: [plain], bodyValues: { 1: { value: "text", isTruncated: true } } },
  },
];

const oneLine =
  "A header field's value ends with its line (RFC 5322, Section 2.2): one with CR, LF or NUL in it cannot be set as it is.";
const evil = "a\r\nX-Injected: yes";
/** Values that would end their field, or that no mail may hold. */
const lineEnds: Row[] = [
  { id: "line-end-subject", says: oneLine, email: { subject: evil, ...textBody("text") } },
  { id: "line-end-lf", says: oneLine, email: { subject: "a\nb", ...textBody("text") } },
  { id: "line-end-cr", says: oneLine, email: { subject: "a\rb", ...textBody("text") } },
  { id: "line-end-nul", says: oneLine, email: { subject: "a\u0000b", ...textBody("text") } },
  {
    id: "line-end-name",
    says: oneLine,
    email: { from: [{ name: evil, email: "a@example.com" }], ...textBody("text") },
  },
  { id: "line-end-address", says: oneLine, email: { to: [{ name: null, email: `a@${evil}` }], ...textBody("text") } },
  { id: "line-end-message-id", says: oneLine, email: { inReplyTo: [`${evil}@example.com`], ...textBody("text") } },
  { id: "line-end-raw", says: oneLine, email: { "header:X-Own": ` ${evil}`, ...textBody("text") } },
  { id: "line-end-text", says: oneLine, email: { "header:X-Own:asText": evil, ...textBody("text") } },
  {
    id: "line-end-addresses",
    says: oneLine,
    email: { "header:X-Own:asAddresses": [{ name: evil, email: "a@b.c" }], ...textBody("text") },
  },
  {
    id: "line-end-groups",
    says: oneLine,
    email: { "header:To:asGroupedAddresses": [{ name: evil, addresses: [] }], ...textBody("text") },
  },
  {
    id: "line-end-urls",
    says: oneLine,
    email: { "header:List-Post:asURLs": [`https://a.example/${evil}`], ...textBody("text") },
  },
  { id: "line-end-part-name", says: oneLine, email: part({ name: evil }) },
  { id: "line-end-part-cid", says: oneLine, email: part({ cid: `${evil}@example.com` }) },
  { id: "line-end-part-header", says: oneLine, email: part({ "header:X-Own:asText": evil }) },
];

const invalid = 'This is a standard "/set" method: invalidProperties – the record given is invalid.';
const musts: Row[] = [
  {
    id: "no-mailbox",
    says: "An Email in the mail store MUST belong to one or more Mailboxes at all times.",
    email: { mailboxIds: {}, ...textBody("text") },
  },
  {
    id: "mailbox-null",
    says: "An Email in the mail store MUST belong to one or more Mailboxes at all times.",
    email: { mailboxIds: null, ...textBody("text") },
  },
  { id: "mailbox-unknown", says: invalid, email: { mailboxIds: yes(nowhere), ...textBody("text") } },
  {
    id: "keyword-bad",
    says: 'A keyword […] MUST NOT include any of these characters: ( ) { ] % * " \\',
    email: { keywords: yes("a(b"), ...textBody("text") },
  },
  { id: "received-at-bad", says: invalid, email: { receivedAt: "yesterday", ...textBody("text") } },
  { id: "sent-at-bad", says: invalid, email: { sentAt: 5, ...textBody("text") } },
  { id: "subject-bad-type", says: invalid, email: { subject: ["a"], ...textBody("text") } },
  { id: "from-bad-type", says: invalid, email: { from: "ann@example.com", ...textBody("text") } },
  { id: "unknown-property", says: invalid, email: { noSuchProperty: 1, ...textBody("text") } },
  { id: "server-set-id", says: "id: (immutable; server-set)", email: { id: "mine", ...textBody("text") } },
  { id: "server-set-size", says: "size: (immutable; server-set)", email: { size: 3, ...textBody("text") } },
  {
    id: "server-set-thread",
    says: "threadId: (immutable; server-set)",
    email: { threadId: "mine", ...textBody("text") },
  },
  { id: "server-set-preview", says: "preview: (immutable; server-set)", email: { preview: "a", ...textBody("text") } },
  {
    id: "server-set-has-attachment",
    says: "hasAttachment: (immutable; server-set)",
    email: { hasAttachment: true, ...textBody("text") },
  },
];

async function refused(t: TestContext, email: Json): Promise<void> {
  const answer = await tryCreate(t, email);
  setError(answer.notCreated, "k", "invalidProperties");
}

export const createRefused = defineTests(group, [
  ...table<Row>(shoulds, ({ id, level = "SHOULD", says, email }) => ({
    id: `refused-${id}`,
    level,
    says: `${says} Creation attempts that violate any of this SHOULD be rejected with an "invalidProperties" error.`,
    run: (t) => refused(t, email),
  })),
  ...table<Row>(musts, ({ id, level = "MUST", says, email }) => ({
    id: `refused-${id}`,
    level,
    says,
    run: (t) => refused(t, email),
  })),
  ...table<Row>(lineEnds, ({ id, says, email }) => ({
    id: `refused-${id}`,
    level: "SHOULD",
    says,
    run: (t) => refused(t, email),
  })),
  {
    id: "refused-part-and-blob",
    level: "SHOULD",
    says: `${eitherId} Creation attempts that violate any of this SHOULD be rejected with an "invalidProperties" error.`,
    run: async (t) => {
      const { blobId } = await t.upload("text", "text/plain");
      await refused(t, part({ blobId }));
    },
  },
  {
    id: "refused-names-properties",
    level: "SHOULD",
    says: 'This is a standard "/set" method: invalidProperties – a property called "properties" lists all the properties that were invalid.',
    run: async (t) => {
      const answer = await tryCreate(t, { subject: 5, keywords: { "a b": true }, from: ann, ...textBody("text") });
      const error = setError(answer.notCreated, "k", "invalidProperties");
      sameMembers(
        error.properties?.map((name) => name.split("/")[0]),
        ["subject", "keywords"],
        "properties",
      );
    },
  },
  {
    id: "blob-not-found",
    level: "MUST",
    says: 'blobNotFound: At least one blob id given for an EmailBodyPart doesn\'t exist. An extra "notFound" property of type "Id[]" MUST be included in the SetError object containing every "blobId" referenced by an EmailBodyPart that could not be found on the server.',
    run: async (t) => {
      const { blobId } = await t.upload("hello", "text/plain");
      const missing = [`${nowhere}-1`, `${nowhere}-2`];
      const attachments = [missing[0], blobId, missing[1]].map((one) => ({ blobId: one, type: "application/x-a" }));
      const answer = await tryCreate(t, { ...textBody("text"), attachments });
      sameMembers(setError(answer.notCreated, "k", "blobNotFound").notFound, missing, "notFound");
    },
  },
  {
    id: "blob-not-found-structure",
    level: "MUST",
    says: 'blobNotFound: […] containing every "blobId" referenced by an EmailBodyPart that could not be found on the server.',
    run: async (t) => {
      const bodyStructure = { type: "multipart/mixed", subParts: [plain, { type: "image/png", blobId: nowhere }] };
      const answer = await tryCreate(t, { bodyStructure, bodyValues: values });
      includes(setError(answer.notCreated, "k", "blobNotFound").notFound, nowhere, "notFound");
    },
  },
  {
    id: "too-many-mailboxes",
    level: "MUST",
    says: "tooManyMailboxes: The change to the set of Mailboxes that this Email is in would exceed a server-defined maximum.",
    run: async (t) => {
      const limit = t.mailCapability("maxMailboxesPerEmail");
      if (typeof limit !== "number" || limit > 200) return t.skip("an Email may be in very many Mailboxes");
      const boxes = await t.mailboxes(Array.from({ length: limit + 1 }, () => ({})));
      const answer = await tryCreate(t, { mailboxIds: yes(...boxes), ...textBody("text") });
      setError(answer.notCreated, "k", ["tooManyMailboxes", "invalidProperties"]);
      ok(!answer.created?.k, "the Email was created");
      const fits = await tryCreate(t, { mailboxIds: yes(...boxes.slice(1)), ...textBody("text") });
      ok(fits.created?.k, "an Email in as many Mailboxes as allowed was refused");
    },
  },
]);
