import { defineTests, type Level } from "../runner/define.ts";
import { equal, isId, isUnsignedInt, ok, same } from "../runner/expect.ts";
import { imported, mailGroup, message, type Part, table } from "./support.ts";

const group = mailGroup("4.1.4", "Body parts: properties");
const top = ["From: ann@example.com", "Subject: parts", "MIME-Version: 1.0"];
const all = [
  "partId",
  "blobId",
  "size",
  "headers",
  "name",
  "type",
  "charset",
  "disposition",
  "cid",
  "language",
  "location",
];
const args = { bodyProperties: [...all, "subParts"] };

type Row = {
  id: string;
  level?: Level;
  says: string;
  headers: readonly string[];
  property: keyof Part;
  expected: unknown;
  body?: string;
};

const named =
  'name: This is the decoded "filename" parameter of the Content-Disposition header field per [RFC2231], or (for compatibility with existing systems) if not present, then it\'s the decoded "name" parameter of the Content-Type header field per [RFC2047].';
const typed =
  "type: The value of the Content-Type header field of the part, if present; otherwise, the implicit type as per the MIME standard. CFWS is removed and any parameters are stripped.";
const charsets =
  'charset: The value of the charset parameter of the Content-Type header field, if present, or null if the header field is present but not of type "text/*". If there is no Content-Type header field, or it exists and is of type "text/*" but has no charset parameter, this is the implicit charset: "us-ascii".';
const disposed =
  "disposition: The value of the Content-Disposition header field of the part, if present; otherwise, it's null. CFWS is removed and any parameters are stripped.";
const cids =
  'cid: The value of the Content-Id header field of the part, if present; otherwise, it\'s null. CFWS and surrounding angle brackets ("<>") are removed.';
const languages =
  "language: The list of language tags, as defined in [RFC3282], in the Content-Language header field of the part, if present.";
const located =
  "location: The URI, as defined in [RFC2557], in the Content-Location header field of the part, if present.";
const pdf = "Content-Type: application/pdf";

const rows: Row[] = [
  {
    id: "name-filename",
    says: named,
    headers: [pdf, 'Content-Disposition: attachment; filename="a b.pdf"'],
    property: "name",
    expected: "a b.pdf",
  },
  {
    id: "name-token",
    says: named,
    headers: [pdf, "Content-Disposition: attachment; filename=ab.pdf"],
    property: "name",
    expected: "ab.pdf",
  },
  {
    id: "name-quoted-pair",
    says: named,
    headers: [pdf, 'Content-Disposition: attachment; filename="a\\"b\\\\c.pdf"'],
    property: "name",
    expected: 'a"b\\c.pdf',
  },
  {
    id: "name-rfc2231",
    says: named,
    headers: [pdf, "Content-Disposition: attachment; filename*=utf-8''%C5%BC%C3%B3%C5%82w%20a.pdf"],
    property: "name",
    expected: "żółw a.pdf",
  },
  {
    id: "name-rfc2231-latin",
    says: named,
    headers: [pdf, "Content-Disposition: attachment; filename*=iso-8859-1'en'caf%E9.pdf"],
    property: "name",
    expected: "café.pdf",
  },
  {
    id: "name-rfc2231-continued",
    says: named,
    headers: [
      pdf,
      "Content-Disposition: attachment;\r\n filename*0*=utf-8''%C5%BC%C3%B3;\r\n filename*1*=%C5%82w;\r\n filename*2=\" long.pdf\"",
    ],
    property: "name",
    expected: "żółw long.pdf",
  },
  {
    id: "name-content-type",
    says: named,
    headers: ['Content-Type: application/pdf; name="old.pdf"'],
    property: "name",
    expected: "old.pdf",
  },
  {
    id: "name-content-type-encoded",
    says: named,
    headers: ['Content-Type: application/pdf; name="=?utf-8?q?caf=C3=A9=2Epdf?="'],
    property: "name",
    expected: "café.pdf",
  },
  {
    id: "name-filename-first",
    says: named,
    headers: ['Content-Type: application/pdf; name="one.pdf"', 'Content-Disposition: attachment; filename="two.pdf"'],
    property: "name",
    expected: "two.pdf",
  },
  { id: "name-none", says: named, headers: [pdf, "Content-Disposition: attachment"], property: "name", expected: null },
  {
    id: "type-comment",
    says: typed,
    headers: ["Content-Type: (a comment) text/html (another); charset=utf-8"],
    property: "type",
    expected: "text/html",
  },
  { id: "type-missing", says: typed, headers: [], property: "type", expected: "text/plain" },
  {
    id: "charset-given",
    says: charsets,
    headers: ["Content-Type: text/plain; charset=iso-8859-2"],
    property: "charset",
    expected: "iso-8859-2",
  },
  {
    id: "charset-quoted",
    says: charsets,
    headers: ['Content-Type: text/plain; charset="utf-8"'],
    property: "charset",
    expected: "utf-8",
  },
  {
    id: "charset-implicit",
    says: charsets,
    headers: ["Content-Type: text/html"],
    property: "charset",
    expected: "us-ascii",
  },
  { id: "charset-no-header", says: charsets, headers: [], property: "charset", expected: "us-ascii" },
  { id: "charset-not-text", says: charsets, headers: [pdf], property: "charset", expected: null },
  {
    id: "disposition-attachment",
    says: disposed,
    headers: [pdf, "Content-Disposition: attachment; filename=a"],
    property: "disposition",
    expected: "attachment",
  },
  {
    id: "disposition-comment",
    says: disposed,
    headers: [pdf, "Content-Disposition: (why) inline (not)"],
    property: "disposition",
    expected: "inline",
  },
  { id: "disposition-none", says: disposed, headers: [pdf], property: "disposition", expected: null },
  { id: "cid", says: cids, headers: [pdf, "Content-Id: <a.b@c>"], property: "cid", expected: "a.b@c" },
  {
    id: "cid-comment",
    says: cids,
    headers: [pdf, "Content-ID: (here) <a.b@c> (there)"],
    property: "cid",
    expected: "a.b@c",
  },
  { id: "cid-none", says: cids, headers: [pdf], property: "cid", expected: null },
  {
    id: "language",
    says: languages,
    headers: [pdf, "Content-Language: en, de-AT (Austria) , fr"],
    property: "language",
    expected: ["en", "de-AT", "fr"],
  },
  { id: "language-none", says: languages, headers: [pdf], property: "language", expected: null },
  {
    id: "location",
    says: located,
    headers: [pdf, "Content-Location: https://example.com/a"],
    property: "location",
    expected: "https://example.com/a",
  },
  { id: "location-none", says: located, headers: [pdf], property: "location", expected: null },
  {
    id: "size-plain",
    says: "size: The size, in octets, of the raw data after content transfer decoding.",
    headers: [pdf, "Content-Transfer-Encoding: base64"],
    body: "aGVsbG8gd29ybGQ=",
    property: "size",
    expected: 11,
  },
  {
    id: "size-quoted-printable",
    says: "size: The size, in octets, of the raw data after content transfer decoding.",
    headers: [pdf, "Content-Transfer-Encoding: quoted-printable"],
    body: "caf=C3=A9 a=\r\nb",
    property: "size",
    expected: 8,
  },
  {
    id: "size-unknown-encoding",
    says: "If the transfer encoding is unknown, it is treated as though it had no transfer encoding.",
    headers: [pdf, "Content-Transfer-Encoding: x-unknown"],
    body: "aGVsbG8=",
    property: "size",
    expected: 8,
  },
];

/** A message of one text and one part with these headers. */
function withPart(headers: readonly string[], body: string, kind = "mixed"): string {
  const edges = ["--edge", "Content-Type: text/plain", "", "text", "--edge", ...headers, "", body, "--edge--"];
  return message(...top, `Content-Type: multipart/${kind}; boundary=edge`, "", ...edges);
}

function second(structure: Part): Part {
  const part = structure.subParts?.[1];
  ok(part, "the second part is missing");
  return part;
}

const table1 = table<Row>(rows, ({ id, level = "MUST", says, headers, property, expected, body = "body" }) => ({
  id: `part-${id}`,
  level,
  says,
  run: async (t) => {
    const { bodyStructure } = await imported(t, withPart(headers, body), ["bodyStructure"], args);
    const found = second(bodyStructure)[property];
    const text = property === "type" || property === "charset" || property === "disposition";
    // Whether these keep their case is not said.
    same(text && typeof found === "string" ? found.toLowerCase() : found, expected, property);
  },
}));

export const bodyParts = defineTests(group, [
  ...table1,
  {
    id: "part-multipart-null",
    level: "MUST",
    says: 'partId: This is null if, and only if, the part is of type "multipart/*". blobId: […] or null if, and only if, the part is of type "multipart/*". subParts: If the type is "multipart/*", this contains the body parts of each child.',
    run: async (t) => {
      const { bodyStructure } = await imported(t, withPart([pdf], "body"), ["bodyStructure"], args);
      equal(bodyStructure.partId, null, "partId of the multipart");
      equal(bodyStructure.blobId, null, "blobId of the multipart");
      equal(bodyStructure.subParts?.length, 2, "number of subParts");
      for (const part of bodyStructure.subParts ?? []) {
        equal(typeof part.partId, "string", "type of partId");
        isId(part.blobId, "blobId");
        isUnsignedInt(part.size, "size");
        ok(part.subParts === null || part.subParts === undefined || part.subParts.length === 0, "a leaf has subParts");
      }
      const ids = bodyStructure.subParts?.map(({ partId }) => partId);
      equal(new Set(ids).size, 2, "number of different partIds");
    },
  },
  {
    id: "part-headers",
    level: "MUST",
    says: "headers: This is a list of all header fields in the part, in the order they appear in the message. The values are in Raw form.",
    run: async (t) => {
      const lines = ["content-TYPE: application/pdf;\r\n name=a", "X-One:1", "X-Two:  2"];
      const { bodyStructure } = await imported(t, withPart(lines, "body"), ["bodyStructure"], args);
      const expected = [
        { name: "content-TYPE", value: " application/pdf;\r\n name=a" },
        { name: "X-One", value: "1" },
        { name: "X-Two", value: "  2" },
      ];
      same(second(bodyStructure).headers, expected, "headers");
    },
  },
  {
    id: "part-header-properties",
    level: "MUST",
    says: 'The client may request/send EmailBodyPart properties representing individual header fields, following the same syntax and semantics as for the Email object, e.g., "header:Content-Type".',
    run: async (t) => {
      const raw = withPart(["Content-Type: text/x-a; b=c", "X-One: =?utf-8?q?=C3=A9?=", "X-One: two"], "body");
      const names = ["header:content-type", "header:X-One:asText:all", "header:X-None"];
      const { bodyStructure } = await imported(t, raw, ["bodyStructure"], { bodyProperties: ["subParts", ...names] });
      const part = second(bodyStructure) as Part & Record<string, unknown>;
      equal(part["header:content-type"], " text/x-a; b=c", "header:content-type");
      same(part["header:X-One:asText:all"], ["é", "two"], "header:X-One:asText:all");
      equal(part["header:X-None"], null, "header:X-None");
    },
  },
  {
    id: "part-digest",
    level: "MUST",
    says: 'type: […] otherwise, the implicit type as per the MIME standard ("text/plain" or "message/rfc822" if inside a "multipart/digest").',
    run: async (t) => {
      const raw = withPart([], "From: a@example.com\r\nSubject: inner\r\n\r\ninner", "digest");
      const { bodyStructure } = await imported(t, raw, ["bodyStructure"], args);
      equal(second(bodyStructure).type, "message/rfc822", "type");
    },
  },
  {
    id: "part-digest-charset",
    level: "SHOULD",
    says: charsets,
    run: async (t) => {
      const raw = withPart([], "From: a@example.com\r\nSubject: inner\r\n\r\ninner", "digest");
      const { bodyStructure } = await imported(t, raw, ["bodyStructure"], args);
      equal(second(bodyStructure).charset?.toLowerCase(), "us-ascii", "charset");
    },
  },
  {
    id: "part-blob",
    level: "MUST",
    says: "blobId: The id representing the raw octets of the contents of the part, after decoding any known Content-Transfer-Encoding.",
    run: async (t) => {
      for (const [encoding, body] of [
        ["base64", "AAECw7/+/w=="],
        ["quoted-printable", "=00=01=02=C3=BF=FE=FF"],
      ] as const) {
        const raw = withPart([pdf, `Content-Transfer-Encoding: ${encoding}`], body);
        const { bodyStructure } = await imported(t, raw, ["bodyStructure"], args);
        const { blobId, size } = second(bodyStructure);
        const found = (await t.client.download(blobId as string)).body;
        equal(found.toString("hex"), "000102c3bffeff", `octets of a part in ${encoding}`);
        equal(size, found.length, "size");
      }
    },
  },
  {
    id: "part-message-blob",
    level: "MUST",
    says: 'bodyStructure: […] without recursing into "message/rfc822" or "message/global" parts.',
    run: async (t) => {
      const inner = "From: a@example.com\r\nSubject: inner\r\n\r\ninner";
      const raw = withPart(["Content-Type: message/rfc822"], inner);
      const { bodyStructure } = await imported(t, raw, ["bodyStructure"], args);
      const { blobId, subParts } = second(bodyStructure);
      ok(subParts === null || subParts === undefined || subParts.length === 0, "message/rfc822 has subParts");
      equal((await t.client.download(blobId as string)).body.toString(), inner, "the attached message");
    },
  },
  {
    id: "part-single",
    level: "MUST",
    says: "bodyStructure: This is the full MIME structure of the message body.",
    run: async (t) => {
      const raw = message(...top, "Content-Type: text/plain; charset=utf-8", "", "żółw");
      const { bodyStructure } = await imported(t, raw, ["bodyStructure"], args);
      equal(bodyStructure.type, "text/plain", "type");
      equal(bodyStructure.size, Buffer.byteLength("żółw\r\n"), "size");
      same(
        bodyStructure.headers?.map(({ name }) => name),
        ["From", "Subject", "MIME-Version", "Content-Type"],
        "names of the headers",
      );
    },
  },
]);
