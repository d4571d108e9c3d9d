import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, ok } from "../runner/expect.ts";
import { imported, mailGroup, message, table } from "./support.ts";

const top = ["From: ann@example.com", "Subject: reading", "MIME-Version: 1.0"];
const withId = (t: TestContext, ...headers: readonly string[]) => [
  ...top,
  `Message-ID: <${t.unique("reading")}@conformance.example>`,
  ...headers,
];

/** A label that mail has, a body in that charset, given in Latin-1 characters for octets, and what it says. */
const charsets: [string, string, string][] = [
  ["eucJP-ms", "\u00c6\u00fc\u00cb\u00dc", "日本"],
  ["eucJP-win", "\u00c6\u00fc\u00cb\u00dc", "日本"],
  ["cp51932", "\u00c6\u00fc\u00cb\u00dc", "日本"],
  ["x-windows-949", "\u00c7\u00d1\u00b1\u00db", "한글"],
  ["uhc", "\u00c7\u00d1\u00b1\u00db", "한글"],
  ["ks_c_5601-1987", "\u00c7\u00d1\u00b1\u00db", "한글"],
  ["cn-gb", "\u00d6\u00d0\u00ce\u00c4", "中文"],
  ["gb18030-2000", "\u00d6\u00d0\u00ce\u00c4", "中文"],
  ["eucgb2312_cn", "\u00d6\u00d0\u00ce\u00c4", "中文"],
  ["cn-big5", "\u00a4\u00a4\u00a4\u00e5", "中文"],
  ["iso-latin-2", "\u00bf\u00f3\u00b3w", "żółw"],
  ["x-mac-ce", "\u00fd\u0097\u00b8w", "żółw"],
  ["cp00858", "\u00d5 5", "€ 5"],
  ["windows-31j", "\u0093\u00fa\u0096\u007b", "日本"],
  ["x-mac-cyrillic", "\u00ec\u00e8\u00f0", "мир"],
  ["tis-620", "\u00cd\u00d2\u00b7\u00d4", "อาทิ"],
  ["iso-8859-8-i", "\u00f9\u00ec\u00e5\u00ed", "שלום"],
  ["iso-2022-kr", "\u001b$)C\u000eGQ1[\u000f", "한글"],
  ["hz-gb-2312", "~{VPND~}", "中文"],
  ["iso-2022-jp-ms", "\u001b$BF|K\\\u001b(B", "日本"],
  ["cp50220", "\u001b$BF|K\\\u001b(B", "日本"],
  ["iso-2022-jp-1", "\u001b$(D0!\u001b(B", "丂"],
  ["iso-2022-jp-2", "\u001b$AVPND\u001b(B", "中文"],
];

const dates: [string, string, string][] = [
  ["no-zone", "Sun, 29 Nov 2026 20:00:00", "2026-11-29T20:00:00Z"],
  ["no-zone-no-seconds", "29 Nov 2026 20:00", "2026-11-29T20:00:00Z"],
  ["asctime", "Sun Nov 29 20:00:00 2026", "2026-11-29T20:00:00Z"],
  ["iso", "2026-11-29 20:00:00 +0200", "2026-11-29T20:00:00+02:00"],
  ["rfc3339", "2026-11-29T20:00:00Z", "2026-11-29T20:00:00Z"],
  ["rfc850", "Sunday, 29-Nov-26 20:00:00 GMT", "2026-11-29T20:00:00Z"],
  ["offset-name", "Sun, 29 Nov 2026 20:00:00 GMT+0200", "2026-11-29T20:00:00+02:00"],
  ["month-first", "Nov 29, 2026 20:00:00 +0200", "2026-11-29T20:00:00+02:00"],
];

const decoded =
  "value: The value of the body part after decoding Content-Transfer-Encoding and the Content-Type charset, if both known to the server.";
const style = ".x { color: red; padding: 0 }\r\n";

/** What mail has in practice and the RFCs leave to the server's knowledge. */
export const reading = [
  ...defineTests(mailGroup("4.1.4", "Body parts: what mail has in practice"), [
    ...table(charsets, ([charset, body, expected]) => ({
      id: `charset-${charset}`,
      level: "MAY" as const,
      says: decoded,
      run: async (t: TestContext) => {
        const headers = withId(t, `Content-Type: text/plain; charset=${charset}`, "");
        const raw = Buffer.from(message(...headers, body), "latin1");
        const email = await imported(t, raw, ["bodyValues"], { fetchAllBodyValues: true });
        const [value] = Object.values(email.bodyValues);
        equal(value?.value.trimEnd(), expected, "value");
        equal(value?.isEncodingProblem, false, "isEncodingProblem");
      },
    })),
    {
      id: "uuencode",
      level: "MAY",
      says: "size: The size, in octets, of the raw data after content transfer decoding.",
      run: async (t) => {
        const headers = withId(
          t,
          "Content-Type: application/octet-stream",
          "Content-Transfer-Encoding: x-uuencode",
          "",
        );
        const raw = message(...headers, "begin 644 a.txt", "1:&5L;&\\@871T86-H;65N= H ", "`", "end");
        const { bodyStructure } = await imported(t, raw, ["bodyStructure"], { bodyProperties: ["size", "blobId"] });
        equal(bodyStructure.size, 17, "size");
        const { body } = await t.client.download(bodyStructure.blobId as string);
        equal(body.toString(), "hello attachment\n", "the blob");
      },
    },
    {
      id: "broken-type",
      level: "SHOULD",
      says: "type: The value of the Content-Type header field of the part, if present.",
      run: async (t) => {
        const raw = message(...withId(t, "Content-Type: image/not/valid", ""), "\u0089PNG");
        const { textBody, htmlBody } = await imported(t, raw, ["textBody", "htmlBody"]);
        const shown = [...textBody, ...htmlBody].filter(({ type }) => type.startsWith("text/"));
        equal(shown.length, 0, "number of parts shown as text");
      },
    },
    ...table([16_384, 65_536, 262_144], (end) => ({
      id: `preview-late-${end}`,
      level: "SHOULD" as const,
      says: "preview: A plaintext fragment of the message body. This is intended to be shown as a preview line when listing messages in the mail store and may be truncated when shown.",
      run: async (t: TestContext) => {
        const words = "Dear customer, thanks for your order.";
        const before = "<html><head><style>\r\n";
        for (const back of [3, 11, 30]) {
          const css = style.repeat(end / style.length + 1).slice(0, end - back - before.length - 16);
          const html = `${before}${css}</style></head>${words}</html>`;
          const raw = message(...withId(t, "Content-Type: text/html; charset=utf-8", ""), html);
          const { preview } = await imported(t, raw, ["preview"]);
          ok(preview === "" || preview === words, `preview is ${JSON.stringify(preview)}`);
        }
      },
    })),
  ]),
  ...defineTests(
    mailGroup("4.1.2.6", "Header form: Date, what mail has in practice"),
    table(dates, ([id, value, expected]) => ({
      id: `date-odd-${id}`,
      level: "MAY" as const,
      says: 'The header field is parsed as a "date-time" value […] into the "Date" type.',
      run: async (t: TestContext) => {
        const raw = message(...withId(t, `Date: ${value}`, ""), "text");
        const { sentAt } = await imported(t, raw, ["sentAt"]);
        equal(sentAt, expected, "sentAt");
      },
    })),
  ),
];
