import { core, type Json, mail, type QueryResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests, type TestDefinition } from "../runner/define.ts";
import { ok, same, sameMembers } from "../runner/expect.ts";

const group = { rfc: "rfc8620", section: "5.5", title: "/query: filter and sort", requires: [core, mail] };

/** Emails with the keywords a, b, both and neither; returns which of them a filter finds. */
async function filtered(t: TestContext, filter: Json): Promise<string[]> {
  const box = await t.box();
  const kinds = [["a"], ["b"], ["a", "b"], []];
  const made = await t.emails(kinds.map((keywords) => ({ keywords })));
  const here = { operator: "AND", conditions: [{ inMailbox: box }, filter] };
  const { ids } = await t.one<QueryResult>("Email/query", { filter: here });
  const names = ["a", "b", "ab", "none"];
  return ids.map((id) => names[made.findIndex((one) => one.id === id)] ?? "another");
}

const a = { hasKeyword: "a" };
const b = { hasKeyword: "b" };

const filters: readonly [string, string, Json, string[]][] = [
  [
    "and",
    "“AND”: all of the conditions must match for the filter to match.",
    { operator: "AND", conditions: [a, b] },
    ["ab"],
  ],
  [
    "or",
    "“OR”: at least one of the conditions must match for the filter to match.",
    { operator: "OR", conditions: [a, b] },
    ["a", "b", "ab"],
  ],
  [
    "not",
    "“NOT”: none of the conditions must match for the filter to match.",
    { operator: "NOT", conditions: [a, b] },
    ["none"],
  ],
  [
    "not-one",
    "“NOT”: none of the conditions must match for the filter to match.",
    { operator: "NOT", conditions: [a] },
    ["b", "none"],
  ],
  [
    "nested",
    "conditions: “(FilterOperator|FilterCondition)[]”.",
    {
      operator: "OR",
      conditions: [
        { operator: "AND", conditions: [a, { operator: "NOT", conditions: [b] }] },
        { operator: "NOT", conditions: [{ operator: "OR", conditions: [a, b] }] },
      ],
    },
    ["a", "none"],
  ],
  [
    "condition-of-two",
    "A FilterCondition's semantics are defined by the type (all its properties must match).",
    { hasKeyword: "a", notKeyword: "b" },
    ["a"],
  ],
];

const operators: TestDefinition[] = filters.map(([name, says, filter, found]) => ({
  id: `filter-${name}`,
  level: "MUST",
  says,
  run: async (t) => sameMembers(await filtered(t, filter), found, "emails found"),
}));

const refusals: TestDefinition[] = [
  {
    id: "filter-bad-operator",
    level: "MUST",
    says: "operator: this MUST be one of the strings “AND”, “OR”, “NOT”.",
    run: async (t) => {
      const refusal = ["invalidArguments", "unsupportedFilter"];
      await t.error("Email/query", { filter: { operator: "XOR", conditions: [a] } }, refusal);
      await t.error("Email/query", { filter: { operator: "and", conditions: [a] } }, refusal);
      await t.error("Email/query", { filter: { operator: "AND", conditions: a } }, refusal);
      await t.error("Email/query", { filter: { operator: "AND" } }, refusal);
    },
  },
  {
    id: "filter-unknown-condition",
    level: "MUST",
    says: "A *FilterCondition* is an “object” whose allowed properties and semantics depend on the data type; unsupportedFilter: the server cannot process it.",
    run: async (t) => {
      const refusal = ["invalidArguments", "unsupportedFilter"];
      await t.error("Email/query", { filter: { noSuchCondition: true } }, refusal);
      await t.error("Mailbox/query", { filter: { noSuchCondition: true } }, refusal);
      await t.error("Mailbox/query", { filter: { operator: "NOT", conditions: [{ noSuchCondition: 1 }] } }, refusal);
    },
  },
  {
    id: "filter-mixed",
    level: "MUST",
    says: "A FilterCondition MUST NOT have an “operator” property.",
    run: (t) => {
      const filter = { operator: "AND", conditions: [a], hasKeyword: "b" };
      return t.error("Email/query", { filter }, ["invalidArguments", "unsupportedFilter"]);
    },
  },
  {
    id: "sort-unknown-property",
    level: "MUST",
    says: "unsupportedSort: the “sort” is syntactically valid, but it includes a property the server does not support sorting on.",
    run: async (t) => {
      await t.error("Email/query", { sort: [{ property: "noSuchProperty" }] }, "unsupportedSort");
      await t.error(
        "Mailbox/query",
        { sort: [{ property: "name" }, { property: "noSuchProperty" }] },
        "unsupportedSort",
      );
    },
  },
  {
    id: "sort-unknown-collation",
    level: "MUST",
    says: "unsupportedSort: … or a collation method it does not recognise.",
    run: (t) => t.error("Mailbox/query", { sort: [{ property: "name", collation: "i;no-such" }] }, "unsupportedSort"),
  },
  {
    id: "sort-malformed",
    level: "MUST",
    says: "A *Comparator* has the properties property: “String”, isAscending: “Boolean”, collation: “String”.",
    run: async (t) => {
      for (const comparator of [{}, { property: 1 }, { property: "name", isAscending: "yes" }, "name"]) {
        await t.error("Mailbox/query", { sort: [comparator] }, "invalidArguments");
      }
    },
  },
];

const further: TestDefinition[] = [
  {
    id: "sort-further-properties",
    level: "SHOULD",
    says: "The Comparator object may also have additional properties as required for specific sort operations defined in a type's /query method (others say nothing).",
    run: async (t) => {
      const more = { anchorOffset: 0, calculateTotal: false, position: 0, "x-own": [1] };
      const sort = [{ property: "name", isAscending: false, ...more }];
      same(await sorted(t, [{ name: "a" }, { name: "c" }, { name: "b" }], sort), ["c", "b", "a"], "names in order");
      await t.one("Email/query", { sort: [{ property: "receivedAt", ...more }], limit: 1 });
    },
  },
];

/** Sibling mailboxes made in this order; returns their names in the order of the query. */
async function sorted(t: TestContext, boxes: readonly Json[], sort: Json[]): Promise<string[]> {
  const parentId = await t.box();
  const made = await t.mailboxes(boxes.map((one) => ({ ...one, parentId })));
  const { ids } = await t.one<QueryResult>("Mailbox/query", { filter: { parentId }, sort });
  return ids.map((id) => String(boxes[made.indexOf(id)]?.name));
}

const mixed = [
  { name: "b", sortOrder: 2 },
  { name: "a", sortOrder: 10 },
  { name: "c", sortOrder: 2 },
  { name: "d", sortOrder: 1 },
];

const sorts: TestDefinition[] = [
  {
    id: "sort-ascending-is-default",
    level: "MUST",
    says: "isAscending (optional; default: true). “Number”: a lower number comes before a higher number.",
    run: async (t) => {
      const sort = [{ property: "sortOrder" }, { property: "name" }];
      same(await sorted(t, mixed, sort), ["d", "b", "c", "a"], "names in order");
    },
  },
  {
    id: "sort-descending",
    level: "MUST",
    says: "If false, reverse the comparator's results to sort in descending order.",
    run: async (t) => {
      same(await sorted(t, mixed, [{ property: "name", isAscending: false }]), ["d", "c", "b", "a"], "names in order");
    },
  },
  {
    id: "sort-by-two",
    level: "MUST",
    says: "If two Foo records have an identical value for the first comparator, the next comparator will be considered, and so on.",
    run: async (t) => {
      const sort = [
        { property: "sortOrder", isAscending: false },
        { property: "name", isAscending: false },
      ];
      same(await sorted(t, mixed, sort), ["a", "c", "b", "d"], "names in order");
    },
  },
  {
    id: "sort-dates",
    level: "MUST",
    says: "“Date”/“UTCDate”: the earlier date comes first.",
    run: async (t) => {
      const days = ["2024-02-01T00:00:00Z", "2023-12-31T23:59:59Z", "2024-02-01T00:00:01Z"];
      const made = await t.emails(days.map((receivedAt) => ({ receivedAt })));
      const filter = { inMailbox: await t.box() };
      const { ids } = await t.one<QueryResult>("Email/query", { filter, sort: [{ property: "receivedAt" }] });
      same(
        ids,
        [1, 0, 2].map((at) => made[at]?.id),
        "ids in order",
      );
    },
  },
  {
    id: "sort-unicode",
    level: "MUST",
    says: "If omitted, the default algorithm is server dependent, but it MUST be unicode-aware.",
    run: async (t) => {
      const names = ["Ωmega", "Ärger", "abc", "日本"];
      const order = await sorted(
        t,
        names.map((name) => ({ name })),
        [{ property: "name" }],
      );
      sameMembers(order, names, "names");
      ok(order.indexOf("abc") < order.indexOf("日本"), `abc comes before 日本 in ${order}`);
      ok(order.indexOf("Ärger") < order.indexOf("日本"), `Ärger comes before 日本 in ${order}`);
    },
  },
  {
    id: "sort-case",
    level: "SHOULD",
    says: "It SHOULD be case insensitive where such a concept makes sense for a language/locale.",
    run: async (t) => {
      const names = ["Zebra", "apple", "Mango", "ÖL", "öa"];
      const order = await sorted(
        t,
        names.map((name) => ({ name })),
        [{ property: "name" }],
      );
      const plain = order.filter((name) => /^[a-z]/i.test(name));
      same(plain, ["apple", "Mango", "Zebra"], "names in order");
      ok(order.indexOf("öa") < order.indexOf("ÖL"), `öa comes before ÖL in ${order}`);
    },
  },
  {
    id: "sort-collations",
    level: "MUST",
    says: "The algorithms the server supports are advertised in the capabilities object.",
    run: async (t) => {
      const known: Record<string, string[]> = {
        "i;ascii-casemap": ["a1", "B2", "c10"],
        "i;octet": ["B2", "a1", "c10"],
        "i;unicode-casemap": ["a1", "B2", "c10"],
      };
      const advertised = t.session.capabilities[core]?.collationAlgorithms as string[];
      for (const collation of advertised) {
        const names = ["c10", "B2", "a1"].map((name) => ({ name }));
        const order = await sorted(t, names, [{ property: "name", collation }]);
        const expected = known[collation];
        if (expected) same(order.slice(-3), expected, `names by ${collation}`);
        await t.set("Mailbox", {
          destroy: (await t.one<QueryResult>("Mailbox/query", { filter: { parentId: await t.box() } })).ids,
        });
      }
    },
  },
  {
    id: "sort-numeric",
    level: "MUST",
    says: "i;ascii-numeric (RFC 4790): the value of the leading digits; what has none is equal among itself and comes last.",
    run: async (t) => {
      const advertised = t.session.capabilities[core]?.collationAlgorithms as string[];
      if (!advertised.includes("i;ascii-numeric")) t.skip("i;ascii-numeric is not advertised");
      const names = ["100", "9 b", "20", "none"].map((name) => ({ name }));
      const order = await sorted(t, names, [{ property: "name", collation: "i;ascii-numeric" }]);
      same(order, ["9 b", "20", "100", "none"], "names in order");
    },
  },
];

export const filterSort = defineTests(group, [...operators, ...refusals, ...sorts, ...further]);
