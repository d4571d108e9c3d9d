import type { Json } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isString, ok, same } from "../runner/expect.ts";
import { leaf, mimeMessage, multi } from "./mime.ts";
import { type BodyValue, getEmail, imported, mailGroup, message, table } from "./support.ts";

const top = ["From: ann@example.com", "Subject: values", "MIME-Version: 1.0"];

/** The value of the only part of a message with these headers and this body, given in Latin-1 characters for octets. */
async function onlyValue(
  t: TestContext,
  headers: readonly string[],
  body: string,
  args: Json = {},
): Promise<BodyValue> {
  // A server may keep no two emails of the same content.
  const raw = Buffer.from(message(...top, `Message-ID: <${t.unique("value")}@x>`, ...headers, "", body), "latin1");
  const email = await imported(t, raw, ["bodyValues", "bodyStructure"], { fetchAllBodyValues: true, ...args });
  const value = email.bodyValues[email.bodyStructure.partId as string];
  ok(value, "bodyValues lacks the part");
  return value;
}

type Row = { id: string; says: string; headers: readonly string[]; body: string; expected: string };
const decoded =
  "value: The value of the body part after decoding Content-Transfer-Encoding and the Content-Type charset, if both known to the server, and with any CRLF replaced with a single LF.";
const plain = "Content-Type: text/plain";
const rows: Row[] = [
  { id: "ascii", says: decoded, headers: [plain], body: "one\r\ntwo", expected: "one\ntwo\n" },
  { id: "utf-8", says: decoded, headers: [`${plain}; charset=utf-8`], body: "caf\u00c3\u00a9", expected: "café\n" },
  { id: "latin-1", says: decoded, headers: [`${plain}; charset=iso-8859-1`], body: "caf\u00e9", expected: "café\n" },
  {
    id: "latin-2",
    says: decoded,
    headers: [`${plain}; charset=ISO-8859-2`],
    body: "\u00bf\u00f3\u00b3w",
    expected: "żółw\n",
  },
  {
    id: "windows-1252",
    says: decoded,
    headers: [`${plain}; charset="windows-1252"`],
    body: "\u0093a\u0094",
    expected: "“a”\n",
  },
  { id: "koi8-r", says: decoded, headers: [`${plain}; charset=koi8-r`], body: "\u00cd\u00c9\u00d2", expected: "мир\n" },
  {
    id: "shift-jis",
    says: decoded,
    headers: [`${plain}; charset=Shift_JIS`],
    body: "\u0093\u00fa\u0096\u007b",
    expected: "日本\n",
  },
  {
    id: "iso-2022-jp",
    says: decoded,
    headers: [`${plain}; charset=iso-2022-jp`],
    body: "\u001b$BF|K\\\u001b(B",
    expected: "日本\n",
  },
  {
    id: "gb18030",
    says: decoded,
    headers: [`${plain}; charset=gb18030`],
    body: "\u00d6\u00d0\u00ce\u00c4",
    expected: "中文\n",
  },
  {
    id: "base64",
    says: decoded,
    headers: [`${plain}; charset=utf-8`, "Content-Transfer-Encoding: BASE64"],
    body: "b25lDQp0d28KxbzDs8WC\r\ndw==",
    expected: "one\ntwo\nżółw",
  },
  {
    id: "quoted-printable",
    says: decoded,
    headers: [`${plain}; charset=utf-8`, "Content-Transfer-Encoding: quoted-printable"],
    body: "caf=C3=A9 =3D long=\r\n line  \r\nend",
    expected: "café = long line\nend\n",
  },
];

const values = defineTests(mailGroup("4.1.4", "Body parts: bodyValues"), [
  ...table<Row>(rows, ({ id, says, headers, body, expected }) => ({
    id: `value-${id}`,
    level: "MUST",
    says,
    run: async (t) => {
      const { value, isEncodingProblem, isTruncated } = await onlyValue(t, headers, body);
      // Whether the line end before a boundary or the end of the message belongs to the part is not in question here.
      equal(value.replace(/\n$/, ""), expected.replace(/\n$/, ""), "value");
      equal(isEncodingProblem, false, "isEncodingProblem");
      equal(isTruncated, false, "isTruncated");
    },
  })),
  {
    id: "value-malformed",
    level: "MUST",
    says: "isEncodingProblem: This is true if malformed sections were found while decoding the charset, the charset was unknown, or the content-transfer-encoding was unknown.",
    run: async (t) => {
      const { isEncodingProblem } = await onlyValue(t, [`${plain}; charset=utf-8`], "a\u00c3(b \u00ff");
      equal(isEncodingProblem, true, "isEncodingProblem");
    },
  },
  {
    id: "value-malformed-replaced",
    level: "SHOULD",
    says: "Decoding is best effort; the server SHOULD insert the unicode replacement character (U+FFFD) and continue when a malformed section is encountered.",
    run: async (t) => {
      const { value } = await onlyValue(t, [`${plain}; charset=utf-8`], "before \u00ff after");
      equal(value.trimEnd(), "before \ufffd after", "value");
    },
  },
  {
    id: "value-unknown-charset",
    level: "MUST",
    says: "isEncodingProblem: This is true if […] the charset was unknown.",
    run: async (t) => {
      const { value, isEncodingProblem } = await onlyValue(t, [`${plain}; charset=x-no-such-charset`], "plain text");
      equal(isEncodingProblem, true, "isEncodingProblem");
      isString(value, "value");
    },
  },
  {
    id: "value-unknown-encoding",
    level: "MUST",
    says: "isEncodingProblem: This is true if […] the content-transfer-encoding was unknown.",
    run: async (t) => {
      const headers = [`${plain}; charset=utf-8`, "Content-Transfer-Encoding: x-no-such-encoding"];
      const { value, isEncodingProblem } = await onlyValue(t, headers, "plain text");
      equal(isEncodingProblem, true, "isEncodingProblem");
      equal(value.trimEnd(), "plain text", "value");
    },
  },
]);

const letters = multi(
  "mixed",
  multi("alternative", leaf("T", "text/plain"), leaf("H", "text/html")),
  leaf("C", "text/csv"),
  leaf("P", "application/pdf"),
);
type Fetch = { id: string; says: string; args: Json; expected: string };
const fetches: Fetch[] = [
  {
    id: "text",
    says: 'fetchTextBodyValues: If true, the "bodyValues" property includes any "text/*" part in the "textBody" property.',
    args: { fetchTextBodyValues: true },
    expected: "T",
  },
  {
    id: "html",
    says: 'fetchHTMLBodyValues: If true, the "bodyValues" property includes any "text/*" part in the "htmlBody" property.',
    args: { fetchHTMLBodyValues: true },
    expected: "H",
  },
  {
    id: "both",
    says: "fetchTextBodyValues, fetchHTMLBodyValues",
    args: { fetchTextBodyValues: true, fetchHTMLBodyValues: true },
    expected: "HT",
  },
  {
    id: "all",
    says: 'fetchAllBodyValues: If true, the "bodyValues" property includes any "text/*" part in the "bodyStructure" property.',
    args: { fetchAllBodyValues: true },
    expected: "CHT",
  },
  {
    id: "none",
    says: 'fetchTextBodyValues, fetchHTMLBodyValues, fetchAllBodyValues: "Boolean" (default: false)',
    args: {},
    expected: "",
  },
];

const long = "żółw ".repeat(100);
const tags = '<p>one <a href="https://example.com/very/long">link</a> two</p>';

const truncation = defineTests(mailGroup("4.2", "Email/get: bodyValues"), [
  ...table<Fetch>(fetches, ({ id, says, args, expected }) => ({
    id: `fetch-${id}`,
    level: "MUST",
    says,
    run: async (t) => {
      const { bodyValues } = await imported(t, mimeMessage(letters), ["bodyValues"], args);
      const found = Object.values(bodyValues).map(({ value }) => value.trim());
      equal(found.sort().join(""), expected, "values");
    },
  })),
  {
    id: "truncated-utf-8",
    level: "MUST",
    says: 'maxBodyValueBytes: the "value" property of any EmailBodyValue object MUST be truncated if necessary so it does not exceed this number of octets in size. The server MUST ensure the truncation results in valid UTF-8 and does not occur mid-codepoint.',
    run: async (t) => {
      const raw = message(...top, "Content-Type: text/plain; charset=utf-8", "", long);
      const { id } = await t.email({ raw });
      for (let max = 1; max < 14; max++) {
        const email = await getEmail(t, id, ["bodyValues"], { fetchTextBodyValues: true, maxBodyValueBytes: max });
        const [body] = Object.values(email.bodyValues);
        ok(body && Buffer.byteLength(body.value) <= max, `the value is longer than ${max} octets`);
        ok(long.startsWith(body.value), `the value ${JSON.stringify(body.value)} is no beginning of the text`);
        equal(body.isTruncated, true, "isTruncated");
      }
    },
  },
  {
    id: "truncated-astral",
    level: "MUST",
    says: "The server MUST ensure the truncation results in valid UTF-8 and does not occur mid-codepoint.",
    run: async (t) => {
      const raw = message(...top, "Content-Type: text/plain; charset=utf-8", "", "😀😀😀");
      const email = await imported(t, raw, ["bodyValues"], { fetchTextBodyValues: true, maxBodyValueBytes: 6 });
      const [body] = Object.values(email.bodyValues);
      equal(body?.value, "😀", "value");
    },
  },
  {
    id: "truncated-counts-decoded",
    level: "MUST",
    says: "[…] so it does not exceed this number of octets in size. (Of the value, not of the part as it is stored.)",
    run: async (t) => {
      const args = { maxBodyValueBytes: 5 };
      const headers = ["Content-Type: text/plain; charset=iso-8859-1"];
      const { value } = await onlyValue(t, headers, "\u00e9\u00e9\u00e9\u00e9\u00e9", args);
      equal(value, "éé", "value");
    },
  },
  {
    id: "not-truncated",
    level: "MUST",
    says: 'isTruncated: This is true if the "value" has been truncated. If 0 (the default), no truncation occurs.',
    run: async (t) => {
      for (const maxBodyValueBytes of [0, 10_000, Buffer.byteLength(long) + 2]) {
        const headers = ["Content-Type: text/plain; charset=utf-8"];
        const { value, isTruncated } = await onlyValue(t, headers, Buffer.from(long).toString("latin1"), {
          maxBodyValueBytes,
        });
        equal(isTruncated, false, `isTruncated with ${maxBodyValueBytes}`);
        equal(value.trimEnd(), long.trimEnd(), "value");
      }
    },
  },
  {
    id: "truncated-tag",
    level: "SHOULD",
    says: 'If the part is of type "text/html", the server SHOULD NOT truncate inside an HTML tag, e.g., in the middle of "<a href="https://example.com">".',
    run: async (t) => {
      for (const maxBodyValueBytes of [8, 15, 25, 40, 53]) {
        const { value } = await onlyValue(t, ["Content-Type: text/html; charset=utf-8"], tags, { maxBodyValueBytes });
        ok(tags.startsWith(value), `the value ${JSON.stringify(value)} is no beginning of the text`);
        ok(value.lastIndexOf("<") <= value.lastIndexOf(">"), `the value ${JSON.stringify(value)} ends inside a tag`);
      }
    },
  },
  {
    id: "truncated-every-part",
    level: "MUST",
    says: 'The "value" property of any EmailBodyValue object returned in "bodyValues" MUST be truncated if necessary.',
    run: async (t) => {
      const root = multi(
        "alternative",
        leaf("text ".repeat(20), "text/plain"),
        leaf("<b>html</b> ".repeat(20), "text/html"),
      );
      const args = { fetchAllBodyValues: true, maxBodyValueBytes: 30 };
      const { bodyValues } = await imported(t, mimeMessage(root), ["bodyValues"], args);
      equal(Object.keys(bodyValues).length, 2, "number of values");
      for (const { value, isTruncated } of Object.values(bodyValues)) {
        ok(Buffer.byteLength(value) <= 30, "a value is too long");
        equal(isTruncated, true, "isTruncated");
      }
    },
  },
]);

const summary = defineTests(mailGroup("4.1.4", "hasAttachment and preview"), [
  {
    id: "has-attachment",
    level: "SHOULD",
    says: 'A server SHOULD set hasAttachment to true if the "attachments" list contains at least one item that does not have "Content-Disposition: inline".',
    run: async (t) => {
      const file = leaf("F", "application/pdf", { disposition: 'attachment; filename="a.pdf"' });
      const root = multi("mixed", leaf("T", "text/plain"), file);
      equal((await imported(t, mimeMessage(root), ["hasAttachment"])).hasAttachment, true, "hasAttachment");
      equal(
        (await imported(t, mimeMessage(leaf("T", "text/plain")), ["hasAttachment"])).hasAttachment,
        false,
        "hasAttachment",
      );
    },
  },
  {
    id: "preview-length",
    level: "MUST",
    says: "preview: This MUST NOT be more than 256 characters in length.",
    run: async (t) => {
      const raw = message(...top, "Content-Type: text/plain; charset=utf-8", "", "żółw 😀 ".repeat(200));
      const { preview } = await imported(t, raw, ["preview"]);
      isString(preview, "preview");
      ok([...preview].length <= 256, `preview has ${[...preview].length} characters`);
      ok(preview.includes("żółw"), "preview is no fragment of the body");
    },
  },
  {
    id: "preview-html",
    level: "MUST",
    says: "preview: A plaintext fragment of the message body.",
    run: async (t) => {
      const html = "<html><head><style>p{color:red}</style></head><body><p>Tom &amp; <b>Jerry</b></p></body></html>";
      const raw = message(...top, "Content-Type: text/html; charset=utf-8", "", html);
      const { preview } = await imported(t, raw, ["preview"]);
      isString(preview, "preview");
      ok(preview.includes("Tom & Jerry"), `preview is ${JSON.stringify(preview)}`);
      ok(!/[<>{}]/.test(preview), `preview ${JSON.stringify(preview)} holds markup`);
    },
  },
  {
    id: "preview-empty",
    level: "MUST",
    says: 'preview: "String" (immutable; server-set).',
    run: async (t) =>
      same((await imported(t, message(...top, "", ""), ["preview"])).preview, "", "preview of an empty message"),
  },
]);

export const bodyValues = [...values, ...truncation, ...summary];
