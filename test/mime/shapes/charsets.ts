import { mail, type Shape, utf8 } from "./shape.ts";

const text = (type: string, body: string): string => mail`From: ada@example.com
MIME-Version: 1.0
Content-Type: ${type}
Content-Transfer-Encoding: 8bit

${body}`;
const subject = (field: string): string => mail`From: ada@example.com
Subject: ${field}

y
`;

export const charsetShapes: Shape[] = [
  {
    name: "Windows: curly quotes and euro labelled iso-8859-1",
    raw: text("text/plain; charset=iso-8859-1", "\x84Gr\xfc\xdfe\x93 5 \x80"),
    want: { values: { "1": "„Grüße“ 5 €" }, preview: "„Grüße“ 5 €" },
  },
  {
    name: "UTF-8 labelled us-ascii",
    raw: text("text/plain; charset=us-ascii", utf8("Grüße")),
    want: { values: { "1": "Grüße" }, problems: "1", preview: "Grüße" },
  },
  {
    name: "8-bit text without any MIME header",
    raw: mail`From: ada@example.com

Gr\xfc\xdfe
`,
    want: { values: { "1": "Grüße\n" }, problems: "1" },
    unlike: { text: "knows no other charset than UTF-8 then" },
  },
  {
    name: "ISO-8859-1 labelled utf-8",
    raw: text("text/plain; charset=utf-8", "Gr\xfcn"),
    want: { values: { "1": "Gr\ufffdn" }, problems: "1" },
  },
  {
    name: "charset quoted with blanks",
    raw: text('text/plain; charset=" UTF-8 "', utf8("Grüße")),
    want: { values: { "1": "Grüße" } },
  },
  {
    name: "charset in single quotes",
    raw: text("text/plain; charset='utf-8'", utf8("Grüße")),
    want: { values: { "1": "Grüße" } },
  },
  {
    name: "charset utf8 without a hyphen, semicolon missing",
    raw: text("text/plain charset=utf8", utf8("Grüße")),
    want: { values: { "1": "Grüße" }, structure: "text/plain;utf8" },
    unlike: { text: "shows nothing" },
  },
  {
    name: "blanks around the equals sign",
    raw: text("text/plain; charset = iso-8859-15", "5 \xa4"),
    want: { values: { "1": "5 €" } },
  },
  {
    name: "gateway: charset unknown-8bit",
    raw: text("text/plain; charset=unknown-8bit", "Gr\xfc\xdfe"),
    want: { values: { "1": "Grüße" }, problems: "1" },
    unlike: { text: "does not guess" },
  },
  {
    name: "Japan: ISO-2022-JP text",
    raw: text("text/plain; charset=ISO-2022-JP", "\x1b$BF|K\\\x1b(B and \x1b$B8l\x1b(B"),
    want: { values: { "1": "日本 and 語" } },
  },
  {
    name: "Japan: an ISO-2022-JP subject over several lines",
    raw: subject("=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=\n =?ISO-2022-JP?B?GyRCOGwbKEI=?="),
    want: { subject: "日本語" },
  },
  {
    name: "Japan: ISO-2022-JP that changes the set twice in a row",
    raw: text("text/plain; charset=iso-2022-jp", "\x1b$BF|\x1b(B\x1b$BK\\\x1b(B\x1b(J!\x1b(B"),
    want: { values: { "1": "日本!" } },
  },
  {
    name: "Japan: ISO-2022-JP without any MIME header",
    raw: mail`From: ada@example.com

\x1b$BF|K\\\x1b(B
`,
    want: { values: { "1": "日本\n" }, preview: "日本" },
    unlike: { text: "shows the escape sequences" },
  },
  {
    name: "Japan: iso-2022-jp-ms as some phones label it",
    raw: text("text/plain; charset=iso-2022-jp-ms", "\x1b$BF|K\\\x1b(B"),
    want: { values: { "1": "日本" } },
  },
  {
    name: "Japan: Shift_JIS text labelled cp932",
    raw: text("text/plain; charset=cp932", "\x93\xfa\x96\x7b"),
    want: { values: { "1": "日本" } },
  },
  {
    name: "Japan: raw Shift_JIS subject without encoding",
    raw: subject("\x93\xfa\x96\x7b"),
    want: { subject: "\ufffd\ufffd\ufffd{" },
  },
  {
    name: "Korea: ks_c_5601-1987, as Outlook labels it",
    raw: text('text/plain; charset="ks_c_5601-1987"', "\xc7\xd1\xb1\xdb"),
    want: { values: { "1": "한글" } },
  },
  {
    name: "China: gb2312 that is GBK",
    raw: text("text/plain; charset=gb2312", "\xd6\xec\xe9\x46\xbb\xf9"),
    want: { values: { "1": "朱镕基" } },
  },
  {
    name: "Taiwan: a Big5 subject",
    raw: subject("=?big5?B?pKSk5Q==?="),
    want: { subject: "中文" },
  },
  {
    name: "Russia: a KOI8-R subject and Windows-1251 text",
    raw: mail`From: ada@example.com
Subject: =?koi8-r?B?8NLJ18XU?=
Content-Type: text/plain; charset=windows-1251
Content-Transfer-Encoding: 8bit

\xcf\xf0\xe8\xe2\xe5\xf2
`,
    want: { subject: "Привет", values: { "1": "Привет\n" } },
  },
  {
    name: "Israel: ISO-8859-8-I",
    raw: text("text/plain; charset=iso-8859-8-i", "\xf9\xec\xe5\xed"),
    want: { values: { "1": "שלום" } },
  },
  {
    name: "UTF-7, as old Outlook Express wrote it",
    raw: text("text/plain; charset=unicode-1-1-utf-7", "Gr+APwA3w-e"),
    want: { values: { "1": "Grüße" } },
    unlike: { text: "does not know it" },
  },
  {
    name: "UTF-16 in base64 with a byte order mark",
    raw: mail`From: ada@example.com
Content-Type: text/plain; charset=utf-16
Content-Transfer-Encoding: base64

//5IAGkA/AA=
`,
    want: { values: { "1": "Hiü" } },
  },
  {
    name: "Apple Mail of old: x-mac-roman",
    raw: text("text/plain; charset=x-mac-roman", "Gr\x9f\xa7e"),
    want: { values: { "1": "Grüße" } },
  },
  {
    name: "HTML only, its charset in a meta element",
    raw: text(
      "text/html",
      '<html><head><meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS"></head>\x93\xfa\x96\x7b',
    ),
    want: {
      values: {
        "1": '<html><head><meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS"></head>日本',
      },
      preview: "日本",
      textBody: "1",
      htmlBody: "1",
      attachments: "",
    },
  },
  {
    name: "HTML5 meta charset below a header that says us-ascii",
    raw: text("text/html; charset=us-ascii", `<meta charset="utf-8"><p>${utf8("Grüße")}`),
    want: { values: { "1": '<meta charset="utf-8"><p>Grüße' }, preview: "Grüße" },
  },
  {
    name: "HTML with a meta charset that the header contradicts",
    raw: text("text/html; charset=utf-8", `<meta charset="iso-8859-1"><p>${utf8("Grüße")}`),
    want: { values: { "1": '<meta charset="iso-8859-1"><p>Grüße' }, preview: "Grüße" },
  },
  {
    name: "an encoded word of an unknown charset",
    raw: subject("=?x-klingon?Q?nuqneH?="),
    want: { subject: "=?x-klingon?Q?nuqneH?=" },
    unlike: { subject: "decodes it by guess, though RFC 8621 §4.1.2.2 wants a known charset" },
  },
  {
    name: "an encoded word with a language",
    raw: subject("=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?="),
    want: { subject: "Grüße" },
  },
  {
    name: "Notepad: a byte order mark before the text",
    raw: text("text/plain; charset=utf-8", utf8("\ufeffGrüße")),
    want: { values: { "1": "Grüße" }, preview: "Grüße" },
  },
];
