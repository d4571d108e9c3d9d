import { defineTests, type Level } from "../runner/define.ts";
import { same } from "../runner/expect.ts";
import { header, mailGroup, table } from "./support.ts";

type Address = { name: string | null; email: string };
type Row = { id: string; level?: Level; says: string; value: string; expected: readonly Address[] };

const one =
  'There is an EmailAddress item for each "mailbox" parsed from the "address-list". Group and comment information is discarded.';
const quoted =
  'If this is a "quoted-string": The surrounding DQUOTE characters are removed. Any "quoted-pair" is decoded. White space is unfolded, and then any leading and trailing white space is removed.';
const encoded =
  "Any syntactically correct encoded sections [RFC2047] with a known encoding MUST be decoded, following the same rules as for the Text form.";
const example =
  '"  James Smythe" <james@example.com>, Friends:\r\n jane@example.com, =?UTF-8?Q?John_Sm=C3=AEth?=\r\n <john@example.com>;';
const james = { name: "James Smythe", email: "james@example.com" };
const jane = { name: null, email: "jane@example.com" };
const john = { name: "John Smîth", email: "john@example.com" };

const rows: Row[] = [
  {
    id: "example",
    says: 'For example, the following "address-list" string […] would be parsed as […].',
    value: example,
    expected: [james, jane, john],
  },
  { id: "bare", says: one, value: "jane@example.com", expected: [jane] },
  { id: "angle", says: one, value: "<jane@example.com>", expected: [jane] },
  {
    id: "several",
    says: one,
    value: "Ann <ann@example.com>, bob@example.com,\r\n Cy Dee <cy@example.com>",
    expected: [
      { name: "Ann", email: "ann@example.com" },
      { name: null, email: "bob@example.com" },
      { name: "Cy Dee", email: "cy@example.com" },
    ],
  },
  {
    id: "quoted-pair",
    says: quoted,
    value: '"Ann \\"The\\\\Boss\\" Lee" <a@example.com>',
    expected: [{ name: 'Ann "The\\Boss" Lee', email: "a@example.com" }],
  },
  {
    id: "quoted-comma",
    says: quoted,
    value: '"Lee, Ann" <a@example.com>',
    expected: [{ name: "Lee, Ann", email: "a@example.com" }],
  },
  {
    id: "quoted-folded",
    says: quoted,
    value: '" Ann\r\n Lee " <a@example.com>',
    expected: [{ name: "Ann Lee", email: "a@example.com" }],
  },
  {
    id: "quoted-local-part",
    says: 'email: The "addr-spec" of the "mailbox" [RFC5322].',
    value: '"two words"@example.com',
    expected: [{ name: null, email: '"two words"@example.com' }],
  },
  {
    id: "comment-as-name",
    level: "SHOULD",
    says: 'If there is no "display-name" but there is a "comment" immediately following the "addr-spec", the value of this SHOULD be used instead.',
    value: "a@example.com (Ann Lee)",
    expected: [{ name: "Ann Lee", email: "a@example.com" }],
  },
  {
    id: "comment-discarded",
    says: one,
    value: "Ann (the boss) Lee <a@example.com> (home)",
    expected: [{ name: "Ann Lee", email: "a@example.com" }],
  },
  {
    id: "encoded",
    says: encoded,
    value: "=?iso-8859-2?Q?=AF=F3=B3w?= =?utf-8?b?xYE=?= <z@example.com>",
    expected: [{ name: "ŻółwŁ", email: "z@example.com" }],
  },
  {
    id: "encoded-comma",
    says: encoded,
    value: "=?utf-8?q?Lee=2C_Ann?= <a@example.com>, b@example.com",
    expected: [
      { name: "Lee, Ann", email: "a@example.com" },
      { name: null, email: "b@example.com" },
    ],
  },
  {
    id: "encoded-in-quotes",
    says: `${encoded} (Any text that looks like syntax per [RFC2047] but violates placement rules MUST NOT be decoded: no quoted-string holds any.)`,
    value: '"=?utf-8?q?Ann?=" <a@example.com>',
    expected: [{ name: "=?utf-8?q?Ann?=", email: "a@example.com" }],
  },
  {
    id: "eai",
    says: "The server MUST support messages with Email Address Internationalization (EAI) headers [RFC6532].",
    value: "Żółw <żółw@exämple.com>",
    expected: [{ name: "Żółw", email: "żółw@exämple.com" }],
  },
  { id: "empty-group", says: one, value: "undisclosed-recipients:;", expected: [] },
  {
    id: "no-at",
    level: "SHOULD",
    says: 'Parsing SHOULD be best effort in the face of invalid structure. EmailAddress objects MAY have an "email" property that does not conform to the "addr-spec" form (for example, may not contain an @ symbol).',
    value: "ann",
    expected: [{ name: null, email: "ann" }],
  },
  {
    id: "broken-one",
    level: "SHOULD",
    says: "Parsing SHOULD be best effort in the face of invalid structure to accommodate invalid messages and semi-complete drafts.",
    value: "Ann <ann@example.com>, , bob@example.com,",
    expected: [
      { name: "Ann", email: "ann@example.com" },
      { name: null, email: "bob@example.com" },
    ],
  },
  {
    id: "obsolete-blanks",
    level: "SHOULD",
    says: 'email: The "addr-spec" of the "mailbox" [RFC5322]. (Its obsolete syntax has white space around the @ and the dots.)',
    value: "Ann <ann @ example .\r\n com>",
    expected: [{ name: "Ann", email: "ann@example.com" }],
  },
  {
    id: "comment-within",
    level: "SHOULD",
    says: `${one} (A comment may stand within an address.)`,
    value: "Ann <ann(x)@example(at home).com>",
    expected: [{ name: "Ann", email: "ann@example.com" }],
  },
];

const addresses = defineTests(mailGroup("4.1.2.3", "Header form: Addresses"), [
  ...table<Row>(rows, ({ id, level = "MUST", says, value, expected }) => ({
    id,
    level,
    says,
    run: async (t) =>
      same(await header(t, [`X-Test: ${value}`], "header:X-Test:asAddresses"), expected, "header:X-Test:asAddresses"),
  })),
  {
    id: "missing",
    level: "MUST",
    says: "If no header fields exist in the message with the requested name, the value is null if fetching a single instance or an empty array if requesting :all.",
    run: async (t) => {
      same(await header(t, [], "header:Reply-To:asAddresses"), null, "header:Reply-To:asAddresses");
      same(await header(t, [], "header:Reply-To:asAddresses:all"), [], "header:Reply-To:asAddresses:all");
    },
  },
]);

type GroupRow = {
  id: string;
  says: string;
  value: string;
  expected: readonly { name: string | null; addresses: readonly Address[] }[];
};
const grouped: GroupRow[] = [
  {
    id: "example",
    says: 'For example, the following "address-list" string […] would be parsed as […].',
    value: example,
    expected: [
      { name: null, addresses: [james] },
      { name: "Friends", addresses: [jane, john] },
    ],
  },
  {
    id: "no-group",
    says: 'Consecutive "mailbox" values that are not part of a group are still collected under an EmailAddressGroup object to provide a uniform type.',
    value: '"James Smythe" <james@example.com>, jane@example.com',
    expected: [{ name: null, addresses: [james, jane] }],
  },
  {
    id: "between-groups",
    says: 'Consecutive "mailbox" values that are not part of a group are still collected under an EmailAddressGroup object to provide a uniform type.',
    value: 'One: jane@example.com;, James Smythe <james@example.com>, jane@example.com, "Two, more":;',
    expected: [
      { name: "One", addresses: [jane] },
      { name: null, addresses: [james, jane] },
      { name: "Two, more", addresses: [] },
    ],
  },
  {
    id: "encoded-group",
    says: "Any syntactically correct encoded sections [RFC2047] with a known encoding MUST be decoded.",
    value: "=?utf-8?q?Caf=C3=A9?=: jane@example.com;",
    expected: [{ name: "Café", addresses: [jane] }],
  },
];

const groups = defineTests(mailGroup("4.1.2.4", "Header form: GroupedAddresses"), [
  ...table<GroupRow>(grouped, ({ id, says, value, expected }) => ({
    id,
    level: "MUST",
    says,
    run: async (t) => {
      const property = "header:X-Test:asGroupedAddresses";
      same(await header(t, [`X-Test: ${value}`], property), expected, property);
    },
  })),
]);

export const addressForms = [...addresses, ...groups];
