import type { Json } from "../client/types.ts";
import type { EmailOptions, TestContext } from "../runner/context.ts";
import { defineTests, type Level, type TestDefinition } from "../runner/define.ts";
import { equal, ok, same } from "../runner/expect.ts";
import { mailGroup, query } from "./support.ts";

const group = mailGroup("4.4.2", "Email/query: sorting");

type Row = {
  id: string;
  level?: Level;
  says: string;
  emails: readonly EmailOptions[];
  sort: readonly Json[];
  expected: readonly number[];
};

function sortOptions(t: TestContext): unknown[] {
  const options = t.mailCapability("emailQuerySortOptions");
  return Array.isArray(options) ? options : t.skip("the account names no emailQuerySortOptions");
}

/** Skips when the account says that it cannot sort so. */
function supported(t: TestContext, sort: readonly Json[]): void {
  if (sort.every(({ property }) => property === "receivedAt")) return;
  const options = sortOptions(t);
  const other = sort.find(({ property }) => property !== "receivedAt" && !options.includes(property));
  if (other) t.skip(`the server does not sort by ${other.property}`);
}

function row({ id, level = "MUST", says, emails, sort, expected }: Row): TestDefinition {
  return {
    id: `sort-${id}`,
    level,
    says,
    run: async (t) => {
      supported(t, sort);
      const made = await t.emails(emails);
      const ids = expected.map((at) => made[at]?.id);
      same((await query(t, null, { sort })).ids, ids, "ids");
    },
  };
}

const at = (day: number): string => `2020-01-0${day}T00:00:00Z`;
const days = [{ receivedAt: at(2) }, { receivedAt: at(1) }, { receivedAt: at(3) }];
const names = [
  { from: "Cy <a@conformance.example>", receivedAt: at(1) },
  { from: "b@conformance.example", receivedAt: at(2) },
  { from: "Ann <z@conformance.example>", receivedAt: at(3) },
  { from: "d@conformance.example, Aa <x@conformance.example>", receivedAt: at(4) },
];
const fromSays =
  'from: This is taken to be either the "name" property or if null/empty, the "email" property of the *first* EmailAddress object in the Email\'s "from" property. If still none, consider the value to be the empty string.';
const toSays =
  'to: This is taken to be either the "name" property or if null/empty, the "email" property of the *first* EmailAddress object in the Email\'s "to" property. If still none, consider the value to be the empty string.';
const subjectSays =
  "subject: This is taken to be the base subject of the message, as defined in Section 2.1 of [RFC5256].";
const keywordSays =
  'hasKeyword: This value MUST be considered true if the Email has the keyword given as an additional "keyword" property on the Comparator object, or false otherwise.';
const older = { property: "receivedAt" };

const rows: Row[] = [
  {
    id: "received-at",
    says: 'The following value MUST be supported for sorting: "receivedAt".',
    emails: days,
    sort: [older],
    expected: [1, 0, 2],
  },
  {
    id: "received-at-descending",
    says: "isAscending (default: true).",
    emails: days,
    sort: [{ ...older, isAscending: false }],
    expected: [2, 0, 1],
  },
  {
    id: "size",
    says: 'size: The "size" as returned in the Email object.',
    emails: [{ text: "a".repeat(2000) }, { text: "a" }, { text: "a".repeat(900) }],
    sort: [{ property: "size" }],
    expected: [1, 2, 0],
  },
  { id: "from", says: fromSays, emails: names, sort: [{ property: "from" }], expected: [2, 1, 0, 3] },
  {
    id: "from-descending",
    says: fromSays,
    emails: names,
    sort: [{ property: "from", isAscending: false }],
    expected: [3, 0, 1, 2],
  },
  {
    id: "to",
    says: toSays,
    emails: [{ to: "Cy <a@conformance.example>" }, { to: null }, { to: "b@conformance.example" }],
    sort: [{ property: "to" }],
    expected: [1, 2, 0],
  },
  {
    id: "subject",
    says: subjectSays,
    emails: [
      { subject: "Re: cherry" },
      { subject: "apple" },
      { subject: "Fwd: [list] banana (fwd)" },
      { subject: "date" },
    ],
    sort: [{ property: "subject" }],
    expected: [1, 2, 0, 3],
  },
  {
    id: "subject-equal-base",
    says: subjectSays,
    emails: [
      { subject: "Re: same thing", receivedAt: at(3) },
      { subject: "same thing", receivedAt: at(2) },
      { subject: "RE: Fwd: Same Thing", receivedAt: at(1) },
    ],
    sort: [{ property: "subject", collation: "i;ascii-casemap" }, older],
    expected: [2, 1, 0],
  },
  {
    id: "subject-encoded",
    says: subjectSays,
    emails: [{ subject: "=?utf-8?q?Zebra?=" }, { subject: "apple" }, { subject: "=?utf-8?b?bWFuZ28=?=" }],
    sort: [{ property: "subject" }],
    expected: [1, 2, 0],
  },
  {
    id: "sent-at",
    says: 'sentAt: The "sentAt" property on the Email object.',
    emails: [
      { date: "Wed, 1 Jan 2020 12:00:00 +0000" },
      { date: "Wed, 1 Jan 2020 13:30:00 +0200" },
      { date: "Wed, 1 Jan 2020 11:45:00 +0000" },
    ],
    sort: [{ property: "sentAt" }],
    expected: [1, 2, 0],
  },
  {
    id: "has-keyword",
    says: keywordSays,
    emails: [
      { keywords: ["todo"], receivedAt: at(1) },
      { receivedAt: at(2) },
      { keywords: ["todo"], receivedAt: at(3) },
    ],
    sort: [{ property: "hasKeyword", keyword: "todo" }, older],
    expected: [1, 0, 2],
  },
  {
    id: "has-keyword-descending",
    says: keywordSays,
    emails: [
      { keywords: ["todo"], receivedAt: at(1) },
      { receivedAt: at(2) },
      { keywords: ["todo"], receivedAt: at(3) },
    ],
    sort: [{ property: "hasKeyword", keyword: "todo", isAscending: false }, older],
    expected: [0, 2, 1],
  },
  {
    id: "several",
    says: "If two Emails have identical values for all properties, the next Comparator decides.",
    emails: [
      { subject: "b", receivedAt: at(1) },
      { subject: "a", receivedAt: at(2) },
      { subject: "b", receivedAt: at(3) },
    ],
    sort: [{ property: "subject" }, { ...older, isAscending: false }],
    expected: [1, 2, 0],
  },
  {
    id: "case",
    level: "SHOULD",
    says: "String sorts: a Comparator may name a collation; the default should be i;unicode-casemap.",
    emails: [{ subject: "b" }, { subject: "A" }, { subject: "C" }, { subject: "a1" }],
    sort: [{ property: "subject" }],
    expected: [1, 3, 0, 2],
  },
  {
    id: "case-unicode",
    level: "SHOULD",
    says: "String sorts: a Comparator may name a collation; the default should be i;unicode-casemap.",
    emails: [
      { subject: "ÉB", receivedAt: at(3) },
      { subject: "éa", receivedAt: at(2) },
      { subject: "éc", receivedAt: at(1) },
    ],
    sort: [{ property: "subject" }],
    expected: [1, 0, 2],
  },
];

const collations: [string, readonly EmailOptions[], readonly number[]][] = [
  ["i;ascii-casemap", [{ subject: "beta" }, { subject: "Alpha" }, { subject: "GAMMA" }], [1, 0, 2]],
  ["i;ascii-numeric", [{ subject: "100" }, { subject: "20" }, { subject: "3" }], [2, 1, 0]],
  ["i;unicode-casemap", [{ subject: "Ðb" }, { subject: "ðA" }, { subject: "ðc" }], [1, 0, 2]],
];

const threadSorts: [string, string, readonly number[]][] = [
  [
    "allInThreadHaveKeyword",
    "This value MUST be considered true for the Email if *all* of the Emails in the same Thread have the keyword.",
    [4, 0, 1, 2, 3],
  ],
  [
    "someInThreadHaveKeyword",
    "This value MUST be considered true for the Email if *any* of the Emails in the same Thread have the keyword.",
    [4, 2, 3, 0, 1],
  ],
];

async function threads(t: TestContext): Promise<string[]> {
  const subject = t.unique("Pair");
  const messageId = `<${t.unique("pair")}@conformance.example>`;
  const made = await t.emails([
    { receivedAt: at(2) },
    { receivedAt: at(3) },
    { subject, messageId, receivedAt: at(4), keywords: ["todo"] },
    { subject: `Re: ${subject}`, references: messageId, receivedAt: at(5) },
    { receivedAt: at(1), keywords: ["todo"] },
  ]);
  if (made[2]?.threadId !== made[3]?.threadId) t.skip("the server makes two Threads of a message and its answer");
  return made.map(({ id }) => id);
}

const others = defineTests(group, [
  ...collations.map(([collation, emails, expected]) => ({
    id: `sort-collation-${collation.replace(";", "-")}`,
    level: "MUST" as const,
    says: "Comparator: collation – the identifier, as registered in the collation registry defined in [RFC4790], for the algorithm to use when comparing the order of strings.",
    run: async (t: TestContext) => {
      const offered = t.session.capabilities["urn:ietf:params:jmap:core"]?.collationAlgorithms as unknown[];
      if (!offered.includes(collation)) t.skip(`the server does not offer ${collation}`);
      supported(t, [{ property: "subject" }]);
      const made = await t.emails(emails);
      const { ids } = await query(t, null, { sort: [{ property: "subject", collation }] });
      same(
        ids,
        expected.map((one) => made[one]?.id),
        "ids",
      );
    },
  })),
  ...threadSorts.map(([property, says, expected]) => ({
    id: `sort-${property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    level: "MUST" as const,
    says: `${property}: ${says}`,
    run: async (t: TestContext) => {
      const sort = [{ property, keyword: "todo", isAscending: false }, older];
      supported(t, sort);
      const ids = await threads(t);
      same(
        (await query(t, null, { sort })).ids,
        expected.map((one) => ids[one]),
        "ids",
      );
    },
  })),
  ...["hasKeyword", "allInThreadHaveKeyword", "someInThreadHaveKeyword"].map((property) => ({
    id: `sort-keyword-missing[${property}]`,
    level: "MUST" as const,
    says: 'When specifying a "hasKeyword", "allInThreadHaveKeyword", or "someInThreadHaveKeyword" sort, the Comparator object MUST also have a "keyword" property.',
    run: async (t: TestContext) => {
      supported(t, [{ property }]);
      await t.error("Email/query", { sort: [{ property }] }, ["unsupportedSort", "invalidArguments"]);
    },
  })),
  {
    id: "sort-unsupported",
    level: "MUST",
    says: 'This is a standard "/query" method: unsupportedSort – the sort includes a property or a collation that the server does not support.',
    run: async (t) => {
      await t.error("Email/query", { sort: [{ property: "noSuchProperty" }] }, "unsupportedSort");
      const sort = [{ property: "subject", collation: "i;no-such-collation" }];
      await t.error("Email/query", { sort }, "unsupportedSort");
    },
  },
  {
    id: "sort-advertised",
    level: "SHOULD",
    says: "The following values SHOULD be supported for sorting: size, from, to, subject, sentAt, hasKeyword, allInThreadHaveKeyword, someInThreadHaveKeyword.",
    run: (t) => {
      const options = sortOptions(t);
      const wanted = [
        "size",
        "from",
        "to",
        "subject",
        "sentAt",
        "hasKeyword",
        "allInThreadHaveKeyword",
        "someInThreadHaveKeyword",
      ];
      const missing = wanted.filter((name) => !options.includes(name));
      equal(missing.join(), "", "missing in emailQuerySortOptions");
    },
  },
  {
    id: "sort-stable",
    level: "MUST",
    says: "If two Emails have identical values for all properties, then the order is server dependent but must be stable.",
    run: async (t) => {
      await t.emails(Array.from({ length: 8 }, () => ({ receivedAt: at(1) })));
      const first = (await query(t, null, { sort: [older] })).ids;
      for (let round = 0; round < 3; round++) same((await query(t, null, { sort: [older] })).ids, first, "ids");
      const pages = await Promise.all(
        [0, 3, 6].map((position) => query(t, null, { sort: [older], position, limit: 3 })),
      );
      same(
        pages.flatMap(({ ids }) => ids),
        first,
        "ids of the pages",
      );
      ok(first.length === 8, "an Email is missing");
    },
  },
]);

export const sorting = [...defineTests(group, rows.map(row)), ...others];
