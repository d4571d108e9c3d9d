import { defineTests, type Level } from "../runner/define.ts";
import { equal, same } from "../runner/expect.ts";
import { rawMessage } from "../runner/message.ts";
import { header, imported, mailGroup, table } from "./support.ts";

type Row = { id: string; level?: Level; says: string; lines: readonly string[]; property: string; expected: unknown };

function rows(section: string, title: string, list: readonly Row[]) {
  const definitions = table<Row>(list, ({ id, level = "MUST", says, lines, property, expected }) => ({
    id,
    level,
    says,
    run: async (t) => same(await header(t, lines, property), expected, property),
  }));
  return defineTests(mailGroup(section, title), definitions);
}

const rawSays =
  "The raw octets of the header field value from the first octet following the header field name terminating colon, up to but excluding the header field terminating CRLF.";

const raw = [
  ...rows("4.1.2.1", "Header form: Raw", [
    {
      id: "plain",
      says: "This form will typically have a leading space, as most generated messages insert a space after the colon that terminates the header field name.",
      lines: ["X-Test: some value"],
      property: "header:X-Test",
      expected: " some value",
    },
    { id: "no-space", says: rawSays, lines: ["X-Test:value"], property: "header:X-Test", expected: "value" },
    {
      id: "trailing-space",
      says: rawSays,
      lines: ["X-Test:  a  b \t"],
      property: "header:X-Test",
      expected: "  a  b \t",
    },
    { id: "empty", says: rawSays, lines: ["X-Test:"], property: "header:X-Test", expected: "" },
    {
      id: "folded",
      says: rawSays,
      lines: ["X-Test: first\r\n second\r\n\tthird"],
      property: "header:X-Test",
      expected: " first\r\n second\r\n\tthird",
    },
    {
      id: "not-decoded",
      says: rawSays,
      lines: ["X-Test: =?utf-8?q?caf=C3=A9?="],
      property: "header:X-Test",
      expected: " =?utf-8?q?caf=C3=A9?=",
    },
    {
      id: "utf-8",
      says: "Any standards-compliant message MUST be either ASCII (RFC 5322) or UTF-8 (RFC 6532).",
      lines: ["X-Test: zażółć 😀"],
      property: "header:X-Test",
      expected: " zażółć 😀",
    },
    {
      id: "as-raw",
      level: "SHOULD",
      says: '"{header-form}" is one of the parsed-form names specified above. If not given, the value is in Raw form.',
      lines: ["X-Test: some value"],
      property: "header:X-Test:asRaw",
      expected: " some value",
    },
  ]),
  ...defineTests(mailGroup("4.1.2.1", "Header form: Raw"), [
    {
      id: "broken-utf-8",
      level: "SHOULD",
      says: "A server SHOULD replace any octet or octet run with the high bit set that violates UTF-8 syntax with the unicode replacement character (U+FFFD).",
      run: async (t) => {
        const message = rawMessage({ headers: ["X-Test: a\u00e9b"] });
        const email = await imported(t, Buffer.from(message, "latin1"), ["header:X-Test"]);
        equal(email["header:X-Test"], " a\ufffdb", "header:X-Test");
      },
    },
    {
      id: "nul",
      level: "MUST",
      says: "Any NUL octet MUST be dropped.",
      run: async (t) => {
        const { blobId } = await t.upload(rawMessage({ headers: ["X-Test: a\u0000b"] }), "message/rfc822");
        const emails = { k: { blobId, mailboxIds: { [await t.box()]: true } } };
        const answer = await t.one<{ created: Record<string, { id: string }> | null }>("Email/import", { emails });
        if (!answer.created?.k) return t.skip("the server refuses a message with a NUL");
        const email = await t.find("Email", answer.created.k.id, ["header:X-Test"]);
        equal(email["header:X-Test"], " ab", "header:X-Test");
      },
    },
  ]),
];

const decoded = "Any syntactically correct encoded sections [RFC2047] with a known character set decoded.";
const notDecoded =
  "Any text that looks like syntax per [RFC2047] but violates placement or white space rules per [RFC2047] MUST NOT be decoded.";
const asText = "header:X-Test:asText";

const text = [
  ...rows("4.1.2.2", "Header form: Text", [
    {
      id: "leading-space",
      says: "Any SP characters at the beginning of the value removed.",
      lines: ["X-Test:   some value"],
      property: asText,
      expected: "some value",
    },
    {
      id: "unfolded",
      says: "White space unfolded (as defined in [RFC5322], Section 2.2.3).",
      lines: ["X-Test: first\r\n second\r\n\tthird"],
      property: asText,
      expected: "first second\tthird",
    },
    {
      id: "encoded-q",
      says: decoded,
      lines: ["X-Test: a =?utf-8?q?caf=C3=A9_now?= b"],
      property: asText,
      expected: "a café now b",
    },
    { id: "encoded-b", says: decoded, lines: ["X-Test: =?UTF-8?B?xbzDs8WCdw==?="], property: asText, expected: "żółw" },
    {
      id: "encoded-latin",
      says: decoded,
      lines: ["X-Test: =?iso-8859-1?Q?caf=E9?="],
      property: asText,
      expected: "café",
    },
    {
      id: "encoded-windows",
      says: decoded,
      lines: ["X-Test: =?windows-1250?Q?=BF=F3=B3w?="],
      property: asText,
      expected: "żółw",
    },
    {
      id: "encoded-language",
      says: decoded,
      lines: ["X-Test: =?utf-8*en?q?caf=C3=A9?="],
      property: asText,
      expected: "café",
    },
    {
      id: "encoded-adjacent",
      says: `${decoded} (White space between two of them is dropped.)`,
      lines: ["X-Test: =?utf-8?q?one?=\r\n =?utf-8?q?two?= three"],
      property: asText,
      expected: "onetwo three",
    },
    {
      id: "encoded-control",
      says: "Any NUL octets or control characters encoded per [RFC2047] are dropped from the decoded value.",
      lines: ["X-Test: =?utf-8?q?a=00b=07c=0D=0Ad?="],
      property: asText,
      expected: "abcd",
    },
    {
      id: "encoded-inside-word",
      says: notDecoded,
      lines: ["X-Test: a=?utf-8?q?b?="],
      property: asText,
      expected: "a=?utf-8?q?b?=",
    },
    {
      id: "encoded-before-word",
      says: notDecoded,
      lines: ["X-Test: =?utf-8?q?b?=c"],
      property: asText,
      expected: "=?utf-8?q?b?=c",
    },
    {
      id: "encoded-with-space",
      says: notDecoded,
      lines: ["X-Test: =?utf-8?q?a b?="],
      property: asText,
      expected: "=?utf-8?q?a b?=",
    },
    {
      id: "unknown-charset",
      says: `${decoded} (What has an unknown one is left.)`,
      lines: ["X-Test: =?x-no-such-charset?q?abc?="],
      property: asText,
      expected: "=?x-no-such-charset?q?abc?=",
    },
    {
      id: "nfc",
      says: "The resulting unicode converted to Normalization Form C (NFC) form.",
      lines: ["X-Test: cafe\u0301 =?utf-8?q?e=CC=81?="],
      property: asText,
      expected: "café é",
    },
    {
      id: "broken-decoding",
      level: "SHOULD",
      says: "If any decodings fail, the parser SHOULD insert a unicode replacement character (U+FFFD) and attempt to continue as much as possible.",
      lines: ["X-Test: =?utf-8?q?a=E9b?= c"],
      property: asText,
      expected: "a\ufffdb c",
    },
    {
      id: "subject",
      says: 'subject: The value is identical to the value of "header:Subject:asText".',
      lines: ["X-Test: x"],
      property: "header:No-Such-Header:asText",
      expected: null,
    },
  ]),
];

const ids =
  'The header field is parsed as a list of "msg-id" values. Comments and/or folding white space (CFWS) and surrounding angle brackets ("<>") are removed.';
const dates =
  'The header field is parsed as a "date-time" value, as specified in [RFC5322], Section 3.3, into the "Date" type.';
const urls =
  "The header field is parsed as a list of URLs, as described in [RFC2369]. Values do not include the surrounding angle brackets or any comments in the header field with the URLs.";

const structured = [
  ...rows("4.1.2.5", "Header form: MessageIds", [
    {
      id: "one",
      says: ids,
      lines: ["X-Test: <a@b.example>"],
      property: "header:X-Test:asMessageIds",
      expected: ["a@b.example"],
    },
    {
      id: "many",
      says: ids,
      lines: ["X-Test: <a@b.example>\r\n <c@d.example><e@f.example>"],
      property: "header:X-Test:asMessageIds",
      expected: ["a@b.example", "c@d.example", "e@f.example"],
    },
    {
      id: "comments",
      says: ids,
      lines: ["X-Test: (before) <a@b.example> (between (nested))\r\n <c@d.example> (after)"],
      property: "header:X-Test:asMessageIds",
      expected: ["a@b.example", "c@d.example"],
    },
    {
      id: "broken",
      says: "If parsing fails, the value is null.",
      lines: ["X-Test: (("],
      property: "header:X-Test:asMessageIds",
      expected: null,
    },
  ]),
  ...rows("4.1.2.6", "Header form: Date", [
    {
      id: "date",
      says: dates,
      lines: ["X-Test: Thu, 13 Feb 2020 07:05:09 +1100"],
      property: "header:X-Test:asDate",
      expected: "2020-02-13T07:05:09+11:00",
    },
    {
      id: "utc",
      says: dates,
      lines: ["X-Test: 3 Feb 2020 17:05:09 +0000"],
      property: "header:X-Test:asDate",
      expected: "2020-02-03T17:05:09Z",
    },
    {
      id: "comment",
      says: dates,
      lines: ["X-Test: Mon, 3 Feb 2020 17:05 -0330 (somewhere)"],
      property: "header:X-Test:asDate",
      expected: "2020-02-03T17:05:00-03:30",
    },
    {
      id: "broken",
      says: "If parsing fails, the value is null.",
      lines: ["X-Test: yesterday"],
      property: "header:X-Test:asDate",
      expected: null,
    },
  ]),
  ...rows("4.1.2.7", "Header form: URLs", [
    {
      id: "one",
      says: urls,
      lines: ["List-Post: <mailto:list@example.com>"],
      property: "header:List-Post:asURLs",
      expected: ["mailto:list@example.com"],
    },
    {
      id: "many",
      says: urls,
      lines: [
        "List-Unsubscribe: (use this) <https://example.com/a?b=c>,\r\n <mailto:x@example.com?subject=off> (or that)",
      ],
      property: "header:List-Unsubscribe:asURLs",
      expected: ["https://example.com/a?b=c", "mailto:x@example.com?subject=off"],
    },
    {
      id: "broken",
      says: "If parsing fails, the value is null.",
      lines: ["List-Post: NO"],
      property: "header:List-Post:asURLs",
      expected: null,
    },
    {
      id: "missing",
      says: "If no header fields exist in the message with the requested name, the value is null if fetching a single instance.",
      lines: [],
      property: "header:List-Help:asURLs",
      expected: null,
    },
  ]),
];

export const headerForms = [...raw, ...text, ...structured];
