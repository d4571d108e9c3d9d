import type { Json, QueryResult } from "../client/types.ts";
import type { EmailOptions, TestContext } from "../runner/context.ts";
import { defineTests, type Level, type TestDefinition } from "../runner/define.ts";
import { equal, same, sameMembers } from "../runner/expect.ts";
import { rawMessage } from "../runner/message.ts";
import { leaf, mimeMessage, multi } from "./mime.ts";
import { mailGroup, nowhere, query } from "./support.ts";

const group = mailGroup("4.4.1", "Email/query: filters");

type Row = {
  id: string;
  level?: Level;
  says: string;
  emails: readonly EmailOptions[];
  filter: Json;
  expected: readonly number[];
};

/** The emails that the filter finds in the test's own mailbox must be just these. */
function row({ id, level = "MUST", says, emails, filter, expected }: Row): TestDefinition {
  return {
    id: `filter-${id}`,
    level,
    says,
    run: async (t) => {
      const made = await t.emails(emails);
      const { ids } = await query(t, filter);
      sameMembers(
        ids,
        expected.map((at) => made[at]?.id),
        "ids",
      );
    },
  };
}

const at = (receivedAt: string): EmailOptions => ({ receivedAt });
const days = [at("2020-01-01T00:00:00Z"), at("2020-01-02T00:00:00Z"), at("2020-01-03T00:00:00Z")];
const seen = [{ keywords: ["$seen"] }, { keywords: [] }, { keywords: ["$seen", "todo"] }];
const withFile = (type: string): string =>
  mimeMessage(multi("mixed", leaf("text", "text/plain"), leaf("F", type, { disposition: "attachment" })));
const files = [{ raw: withFile("application/pdf") }, {}];

const simple: Row[] = [
  {
    id: "before",
    says: 'before: The "receivedAt" date-time of the Email must be before this date-time to match the condition.',
    emails: days,
    filter: { before: "2020-01-02T00:00:00Z" },
    expected: [0],
  },
  {
    id: "after",
    says: 'after: The "receivedAt" date-time of the Email must be the same or after this date-time to match the condition.',
    emails: days,
    filter: { after: "2020-01-02T00:00:00Z" },
    expected: [1, 2],
  },
  {
    id: "between",
    says: "If multiple properties are specified, ALL must apply for the condition to be true.",
    emails: days,
    filter: { after: "2020-01-02T00:00:00Z", before: "2020-01-03T00:00:00Z" },
    expected: [1],
  },
  {
    id: "has-keyword",
    says: "hasKeyword: This Email must have the given keyword to match the condition.",
    emails: seen,
    filter: { hasKeyword: "$seen" },
    expected: [0, 2],
  },
  {
    id: "has-keyword-own",
    says: "hasKeyword: This Email must have the given keyword to match the condition.",
    emails: seen,
    filter: { hasKeyword: "todo" },
    expected: [2],
  },
  {
    id: "has-keyword-case",
    says: "A keyword is a case-insensitive string. hasKeyword: This Email must have the given keyword.",
    emails: seen,
    filter: { hasKeyword: "$SEEN" },
    expected: [0, 2],
  },
  {
    id: "not-keyword",
    says: "notKeyword: This Email must not have the given keyword to match the condition.",
    emails: seen,
    filter: { notKeyword: "$seen" },
    expected: [1],
  },
  {
    id: "keyword-both",
    says: "If multiple properties are specified, ALL must apply for the condition to be true.",
    emails: seen,
    filter: { hasKeyword: "$seen", notKeyword: "todo" },
    expected: [0],
  },
  {
    id: "has-attachment",
    says: 'hasAttachment: The "hasAttachment" property of the Email must be identical to the value given to match the condition.',
    emails: files,
    filter: { hasAttachment: true },
    expected: [0],
  },
  {
    id: "has-no-attachment",
    says: 'hasAttachment: The "hasAttachment" property of the Email must be identical to the value given to match the condition.',
    emails: files,
    filter: { hasAttachment: false },
    expected: [1],
  },
  {
    id: "empty",
    says: "If zero properties are specified on the FilterCondition, the condition MUST always evaluate to true.",
    emails: [{}, {}],
    filter: {},
    expected: [0, 1],
  },
  {
    id: "or",
    says: "OR: At least one of the conditions must match for the filter to match.",
    emails: seen,
    filter: { operator: "OR", conditions: [{ hasKeyword: "todo" }, { notKeyword: "$seen" }] },
    expected: [1, 2],
  },
  {
    id: "not",
    says: "NOT: None of the conditions must match for the filter to match.",
    emails: seen,
    filter: { operator: "NOT", conditions: [{ hasKeyword: "todo" }, { notKeyword: "$seen" }] },
    expected: [0],
  },
  {
    id: "not-empty",
    says: "NOT of a condition that is always true never matches.",
    emails: seen,
    filter: { operator: "NOT", conditions: [{}] },
    expected: [],
  },
  {
    id: "nested",
    says: "A FilterOperator holds operators and conditions.",
    emails: seen,
    filter: {
      operator: "NOT",
      conditions: [
        {
          operator: "AND",
          conditions: [{ hasKeyword: "$seen" }, { operator: "NOT", conditions: [{ hasKeyword: "todo" }] }],
        },
      ],
    },
    expected: [1, 2],
  },
  {
    id: "header-exists",
    says: "header: If not supplied, the message matches simply if it has a header field of the given name.",
    emails: [{ headers: ["X-Mark: a"] }, {}],
    filter: { header: ["X-Mark"] },
    expected: [0],
  },
  {
    id: "header-exists-case",
    says: "Header field names are matched case insensitively.",
    emails: [{ headers: ["X-Mark: a"] }, {}],
    filter: { header: ["x-MARK"] },
    expected: [0],
  },
  {
    id: "header-text",
    says: "header: The second (optional) element is the text to look for in the header field value.",
    emails: [{ headers: ["X-Mark: blue whale"] }, { headers: ["X-Mark: red fox"] }, { subject: "whale" }],
    filter: { header: ["X-Mark", "whale"] },
    expected: [0],
  },
  {
    id: "header-any-instance",
    says: "header: The first element is the name of the header field to match against.",
    emails: [{ headers: ["X-Mark: whale", "X-Mark: fox"] }, { headers: ["X-Mark: fox"] }],
    filter: { header: ["X-Mark", "whale"] },
    expected: [0],
  },
  {
    id: "header-decoded",
    level: "SHOULD",
    says: "Any syntactically correct encoded sections [RFC2047] of header fields with a known encoding SHOULD be decoded before attempting to match text.",
    emails: [{ headers: ["X-Mark: =?utf-8?q?caf=C3=A9?="] }, {}],
    filter: { header: ["X-Mark", "café"] },
    expected: [0],
  },
  {
    id: "header-standard",
    says: "header: The first element is the name of the header field to match against.",
    emails: [{ messageId: "<needle-99@conformance.example>" }, {}],
    filter: { header: ["Message-ID", "needle-99@conformance.example"] },
    expected: [0],
  },
];

const sizes = defineTests(group, [
  {
    id: "filter-min-size",
    level: "MUST",
    says: 'minSize: The "size" property of the Email must be equal to or greater than this number to match the condition.',
    run: async (t) => {
      const [small, large] = await t.emails([{ text: "a" }, { text: "a".repeat(3000) }]);
      const size = large?.size as number;
      same((await query(t, { minSize: size })).ids, [large?.id], "ids with the size itself");
      same((await query(t, { minSize: size + 1 })).ids, [], "ids with one octet more");
      sameMembers(
        (await query(t, { minSize: small?.size as number })).ids,
        [small?.id, large?.id],
        "ids with the smaller size",
      );
    },
  },
  {
    id: "filter-max-size",
    level: "MUST",
    says: 'maxSize: The "size" property of the Email must be less than this number to match the condition.',
    run: async (t) => {
      const [small] = await t.emails([{ text: "a" }, { text: "a".repeat(3000) }]);
      const size = small?.size as number;
      same((await query(t, { maxSize: size })).ids, [], "ids with the size itself");
      same((await query(t, { maxSize: size + 1 })).ids, [small?.id], "ids with one octet more");
    },
  },
]);

const mailboxes = defineTests(group, [
  {
    id: "filter-in-mailbox",
    level: "MUST",
    says: "inMailbox: A Mailbox id. An Email must be in this Mailbox to match the condition.",
    run: async (t) => {
      const [box, other] = [await t.box(), await t.mailbox()];
      const made = await t.emails([{}, { in: other }, { in: [box, other] }]);
      const { ids } = await t.one<QueryResult>("Email/query", { filter: { inMailbox: box } });
      sameMembers(ids, [made[0]?.id, made[2]?.id], "ids");
    },
  },
  {
    id: "filter-in-two-mailboxes",
    level: "MUST",
    says: "inMailbox: An Email must be in this Mailbox to match the condition.",
    run: async (t) => {
      const [box, other] = [await t.box(), await t.mailbox()];
      const made = await t.emails([{}, { in: other }, { in: [box, other] }]);
      same((await query(t, { inMailbox: other })).ids, [made[2]?.id], "ids in both Mailboxes");
      const without = await query(t, { operator: "NOT", conditions: [{ inMailbox: other }] });
      same(without.ids, [made[0]?.id], "ids in one, but not in the other");
    },
  },
  {
    id: "filter-in-mailbox-unknown",
    level: "MUST",
    says: "inMailbox: An Email must be in this Mailbox to match the condition. (In a Mailbox that is not there is none.)",
    run: async (t) => {
      await t.email();
      const [answer] = await t.call([["Email/query", { accountId: t.accountId, filter: { inMailbox: nowhere } }, "0"]]);
      if (answer?.[0] !== "error") same(answer?.[1].ids, [], "ids");
    },
  },
  {
    id: "filter-in-mailbox-other-than",
    level: "MUST",
    says: "inMailboxOtherThan: A list of Mailbox ids. An Email must be in at least one Mailbox not in this list to match the condition.",
    run: async (t) => {
      const box = await t.box();
      const [b = "", c = ""] = await t.mailboxes([{}, {}]);
      const made = await t.emails([{}, { in: [box, b] }, { in: [box, c] }, { in: [box, b, c] }]);
      const find = async (inMailboxOtherThan: string[]): Promise<string[]> =>
        (await query(t, { inMailboxOtherThan })).ids;
      const pick = (...list: number[]): unknown[] => list.map((one) => made[one]?.id);
      sameMembers(await find([box]), pick(1, 2, 3), "ids other than one");
      sameMembers(await find([box, b]), pick(2, 3), "ids other than two");
      sameMembers(await find([box, b, c]), [], "ids other than three");
      sameMembers(await find([]), pick(0, 1, 2, 3), "ids other than none");
    },
  },
]);

const others = defineTests(group, [
  {
    id: "filter-null",
    level: "MUST",
    says: "filter: null […] and every other nullable argument are accepted as null.",
    run: async (t) => {
      await t.email();
      const answer = await t.one<QueryResult>("Email/query", { filter: null, sort: null, limit: 1 });
      equal(answer.ids.length, 1, "number of ids");
    },
  },
  ...(
    [
      ["unknown-condition", { noSuchCondition: true }],
      ["unknown-operator", { operator: "XOR", conditions: [{}] }],
      ["bad-date", { before: "yesterday" }],
      ["bad-size", { minSize: -1 }],
      ["bad-header-none", { header: [] }],
      ["bad-header-three", { header: ["a", "b", "c"] }],
    ] as [string, Json][]
  ).map(([name, filter]) => ({
    id: `filter-${name}`,
    level: "MUST" as const,
    says: 'This is a standard "/query" method: unsupportedFilter – the filter is syntactically valid, but the server cannot process it; or invalidArguments.',
    run: (t: TestContext) => t.error("Email/query", { filter }, ["unsupportedFilter", "invalidArguments"]),
  })),
  {
    id: "filter-received-at-precise",
    level: "MUST",
    says: 'before: The "receivedAt" date-time of the Email must be before this date-time.',
    run: async (t) => {
      const { id } = await t.email({ raw: rawMessage(), receivedAt: "2020-02-02T02:02:02Z" });
      same((await query(t, { before: "2020-02-02T02:02:02Z" })).ids, [], "ids before the date itself");
      same((await query(t, { before: "2020-02-02T02:02:03Z" })).ids, [id], "ids before a second later");
      same((await query(t, { after: "2020-02-02T02:02:02Z" })).ids, [id], "ids after the date itself");
      same((await query(t, { after: "2020-02-02T02:02:03Z" })).ids, [], "ids after a second later");
    },
  },
]);

export const filters = [...defineTests(group, simple.map(row)), ...sizes, ...mailboxes, ...others];
