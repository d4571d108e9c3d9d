import type { Json } from "../client/types.ts";
import type { EmailOptions } from "../runner/context.ts";
import { defineTests, type Level } from "../runner/define.ts";
import { sameMembers } from "../runner/expect.ts";
import { leaf, mimeMessage, multi } from "./mime.ts";
import { mailGroup, query, table } from "./support.ts";

type Row = {
  id: string;
  level?: Level;
  says: string;
  emails: readonly EmailOptions[];
  filter: Json;
  expected: readonly number[];
};

const must = "text: The server MUST look up text in the From, To, Cc, Bcc, and Subject header fields of the message.";
const should =
  'text: […] and SHOULD look inside any "text/*" or other body parts that may be converted to text by the server.';
const both = "from, to, cc, bcc match the display name and the address both.";
const caseless = "Text SHOULD be matched in a case-insensitive manner.";
const phrase =
  "Text contained in either (but matched) single (') or double (\") quotes SHOULD be treated as a *phrase search*; that is, a match is required for that exact word or sequence of words, excluding the surrounding quotation marks.";
const tokens =
  "Outside of a phrase, white space SHOULD be treated as dividing separate tokens that may be searched for separately but MUST all be present for the Email to match the filter.";
const markup =
  'When searching inside a "text/html" body part, any text considered markup rather than content SHOULD be ignored, including HTML tags and most attributes, anything inside the "<head>" tag, CSS, and JavaScript.';
const shown =
  'Attribute content intended for presentation to the user such as "alt" and "title" SHOULD be considered in the search.';
const encoded =
  "Any syntactically correct encoded sections [RFC2047] of header fields with a known encoding SHOULD be decoded before attempting to match text.";

/** One email for each address field that holds the word, and one that does not. */
function addressed(word: string): EmailOptions[] {
  const one = `${word} <a@conformance.example>`;
  return [{ from: one }, { to: one }, { cc: one }, { bcc: one }, { subject: `about ${word}` }, {}];
}

const whale = addressed("Whalebone");
const page = `<html><head><title>headword</title><style>.styleword{}</style><script>var scriptword;</script></head>
<body class="classword"><p>Paragraphword <b>boldword</b></p><img src="srcword.png" alt="altword" title="titleword"></body></html>`;
const html: EmailOptions[] = [{ html: page }, {}];
const words: EmailOptions[] = [
  { subject: "one", text: "the quick brown fox jumps" },
  { subject: "two", text: "the brown and quick fox" },
  { subject: "three", text: "a quick dog" },
];

const rows: Row[] = [
  { id: "text", says: must, emails: whale, filter: { text: "whalebone" }, expected: [0, 1, 2, 3, 4] },
  {
    id: "text-address",
    says: must,
    emails: ["from", "to", "cc", "bcc"].map((field) => ({ [field]: "X <whalebone@conformance.example>" })),
    filter: { text: "whalebone@conformance.example" },
    expected: [0, 1, 2, 3],
  },
  {
    id: "text-body",
    level: "SHOULD",
    says: should,
    emails: [{ text: "a whalebone here" }, { html: "<p>or a whalebone there</p>" }, {}],
    filter: { text: "whalebone" },
    expected: [0, 1],
  },
  {
    id: "from",
    says: "from: Looks for the text in the From header field of the message.",
    emails: whale,
    filter: { from: "whalebone" },
    expected: [0],
  },
  {
    id: "to",
    says: "to: Looks for the text in the To header field of the message.",
    emails: whale,
    filter: { to: "whalebone" },
    expected: [1],
  },
  {
    id: "cc",
    says: "cc: Looks for the text in the Cc header field of the message.",
    emails: whale,
    filter: { cc: "whalebone" },
    expected: [2],
  },
  {
    id: "bcc",
    says: "bcc: Looks for the text in the Bcc header field of the message.",
    emails: whale,
    filter: { bcc: "whalebone" },
    expected: [3],
  },
  {
    id: "subject",
    says: "subject: Looks for the text in the Subject header field of the message.",
    emails: whale,
    filter: { subject: "whalebone" },
    expected: [4],
  },
  {
    id: "body",
    says: "body: Looks for the text in one of the body parts of the message.",
    emails: [{ text: "a whalebone" }, { subject: "whalebone" }],
    filter: { body: "whalebone" },
    expected: [0],
  },
  {
    id: "body-each-part",
    says: "body: Looks for the text in one of the body parts of the message.",
    emails: [{ raw: mimeMessage(multi("mixed", leaf("first", "text/plain"), leaf("whalebone", "text/plain"))) }, {}],
    filter: { body: "whalebone" },
    expected: [0],
  },
  {
    id: "body-encoded",
    says: "body: Looks for the text in one of the body parts of the message.",
    emails: [
      {
        raw: "From: a@conformance.example\r\nSubject: e\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nYSB3aGFsZWJvbmUgaXM=\r\n",
      },
      {},
    ],
    filter: { body: "whalebone" },
    expected: [0],
  },
  {
    id: "from-name-and-address",
    says: both,
    emails: [{ from: "Ann Whalebone <a@conformance.example>" }, { from: "X <whalebone@conformance.example>" }, {}],
    filter: { from: "whalebone" },
    expected: [0, 1],
  },
  {
    id: "from-full-address",
    says: both,
    emails: [{ from: "Ann <ann.lee@conformance.example>" }, { from: "Bob <bob@conformance.example>" }],
    filter: { from: "ann.lee@conformance.example" },
    expected: [0],
  },
  {
    id: "to-second",
    says: both,
    emails: [{ to: "a@conformance.example, Ann Whalebone <b@conformance.example>" }, {}],
    filter: { to: "whalebone" },
    expected: [0],
  },
  {
    id: "case",
    level: "SHOULD",
    says: caseless,
    emails: [{ subject: "WhaleBone" }, { subject: "WHALEBONE" }, {}],
    filter: { subject: "wHALEbONE" },
    expected: [0, 1],
  },
  {
    id: "case-unicode",
    level: "SHOULD",
    says: caseless,
    emails: [{ subject: "=?utf-8?q?=C5=BB=C3=93=C5=81W?=" }, {}],
    filter: { subject: "żółw" },
    expected: [0],
  },
  {
    id: "encoded-subject",
    level: "SHOULD",
    says: encoded,
    emails: [{ subject: "=?utf-8?b?xbzDs8WCdw==?= animal" }, {}],
    filter: { subject: "żółw" },
    expected: [0],
  },
  {
    id: "encoded-name",
    level: "SHOULD",
    says: encoded,
    emails: [{ from: "=?utf-8?q?Zo=C3=AB?= <z@conformance.example>" }, {}],
    filter: { from: "zoë" },
    expected: [0],
  },
  { id: "tokens", says: tokens, emails: words, filter: { body: "quick fox" }, expected: [0, 1] },
  {
    id: "tokens-any-order",
    level: "SHOULD",
    says: tokens,
    emails: words,
    filter: { body: "fox quick" },
    expected: [0, 1],
  },
  { id: "tokens-missing", says: tokens, emails: words, filter: { body: "quick whalebone" }, expected: [] },
  { id: "phrase", level: "SHOULD", says: phrase, emails: words, filter: { body: '"quick brown"' }, expected: [0] },
  {
    id: "phrase-single-quotes",
    level: "SHOULD",
    says: phrase,
    emails: words,
    filter: { body: "'brown and quick'" },
    expected: [1],
  },
  {
    id: "phrase-and-token",
    level: "SHOULD",
    says: phrase,
    emails: words,
    filter: { body: '"brown fox" jumps' },
    expected: [0],
  },
  {
    id: "phrase-subject",
    level: "SHOULD",
    says: phrase,
    emails: [{ subject: "very quick brown fox" }, { subject: "brown and quick" }],
    filter: { subject: '"quick brown"' },
    expected: [0],
  },
  {
    id: "phrase-escaped",
    says: "Within a phrase, to match one of the following characters you MUST escape it by prefixing it with a backslash (\\): ' \" \\",
    emails: [{ text: "they don't know" }, { text: "they know" }],
    filter: { body: "'don\\'t know'" },
    expected: [0],
  },
  {
    id: "html-content",
    says: "body: Looks for the text in one of the body parts of the message.",
    emails: html,
    filter: { body: "paragraphword" },
    expected: [0],
  },
  {
    id: "html-inline-tag",
    says: "body: Looks for the text in one of the body parts of the message.",
    emails: html,
    filter: { body: "boldword" },
    expected: [0],
  },
  {
    id: "html-tag-in-word",
    level: "SHOULD",
    says: markup,
    emails: [{ html: "<p>Who<b>le</b>word and <i>more</i></p>" }, {}],
    filter: { body: "wholeword" },
    expected: [0],
  },
  {
    id: "html-tag-in-phrase",
    level: "SHOULD",
    says: markup,
    emails: [{ html: '<p>The <a href="https://example.com" title="tip">quick</a> fox</p>' }, {}],
    filter: { body: '"the quick fox"' },
    expected: [0],
  },
  ...["headword", "styleword", "scriptword", "classword", "srcword"].map(
    (word): Row => ({
      id: `html-${word}`,
      level: "SHOULD",
      says: markup,
      emails: html,
      filter: { body: word },
      expected: [],
    }),
  ),
  ...["altword", "titleword"].map(
    (word): Row => ({
      id: `html-${word}`,
      level: "SHOULD",
      says: shown,
      emails: html,
      filter: { body: word },
      expected: [0],
    }),
  ),
  {
    id: "attached-text",
    level: "SHOULD",
    says: should,
    emails: [
      {
        raw: mimeMessage(
          multi("mixed", leaf("first", "text/plain"), leaf("whalebone,1", "text/csv", { disposition: "attachment" })),
        ),
      },
      {},
    ],
    filter: { text: "whalebone" },
    expected: [0],
  },
  {
    id: "body-not-headers",
    says: "body: Looks for the text in one of the body parts of the message.",
    emails: [{ subject: "whalebone", from: "Whalebone <w@conformance.example>" }, { text: "whalebone" }],
    filter: { body: "whalebone" },
    expected: [1],
  },
  {
    id: "subject-and-from",
    says: "If multiple properties are specified, ALL must apply for the condition to be true.",
    emails: [
      { subject: "whalebone", from: "Ann <a@conformance.example>" },
      { subject: "whalebone", from: "Bob <b@conformance.example>" },
      { subject: "other", from: "Ann <a@conformance.example>" },
    ],
    filter: { subject: "whalebone", from: "ann" },
    expected: [0],
  },
  {
    id: "not-text",
    says: "NOT: None of the conditions must match for the filter to match.",
    emails: words,
    filter: { operator: "NOT", conditions: [{ body: "brown" }] },
    expected: [2],
  },
  {
    id: "or-text",
    says: "OR: At least one of the conditions must match for the filter to match.",
    emails: words,
    filter: { operator: "OR", conditions: [{ subject: "three" }, { body: "jumps" }] },
    expected: [0, 2],
  },
  {
    id: "text-across-fields",
    level: "SHOULD",
    says: `${tokens} (text: in whichever of the fields.)`,
    emails: [{ subject: "about whalebone", from: "Ann Zebra <a@conformance.example>" }, { subject: "about whalebone" }],
    filter: { text: "whalebone zebra" },
    expected: [0],
  },
];

export const textFilters = defineTests(
  mailGroup("4.4.1", "Email/query: text"),
  table<Row>(rows, ({ id, level = "MUST", says, emails, filter, expected }) => ({
    id: `search-${id}`,
    level,
    says,
    run: async (t) => {
      const made = await t.emails(emails);
      // A server may build its index a moment later.
      await t.eventually(async () => {
        sameMembers(
          (await query(t, filter)).ids,
          expected.map((at) => made[at]?.id),
          "ids",
        );
      }, 8000);
    },
  })),
);
