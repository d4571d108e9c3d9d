import type { Json, QueryResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests, type Level, type TestDefinition } from "../runner/define.ts";
import { equal, excludes, includes, ok, same, sameMembers } from "../runner/expect.ts";
import { mailGroup, table } from "./support.ts";

const group = mailGroup("2.3", "Mailbox/query");

function ask(t: TestContext, args: Json): Promise<QueryResult> {
  return t.one<QueryResult>("Mailbox/query", args);
}

type Family = { parent: string; ids: string[] };

/** Mailboxes below a mailbox of their own, so that no other test's are among them. */
async function family(t: TestContext, children: readonly Json[]): Promise<Family> {
  const parent = await t.box();
  return { parent, ids: await t.mailboxes(children.map((child) => ({ parentId: parent, ...child }))) };
}

type Row = {
  id: string;
  level?: Level;
  says: string;
  children: readonly Json[];
  filter: Json;
  expected: readonly number[];
};
const named = ["alpha one", "alpha two", "beta one"].map((name) => ({ name }));

const rows: Row[] = [
  {
    id: "name",
    says: 'name: The Mailbox "name" property contains the given string.',
    children: named,
    filter: { name: "alpha" },
    expected: [0, 1],
  },
  {
    id: "name-middle",
    says: 'name: The Mailbox "name" property contains the given string.',
    children: named,
    filter: { name: "a o" },
    expected: [0, 2],
  },
  {
    id: "name-special",
    says: 'name: The Mailbox "name" property contains the given string.',
    children: [{ name: "50% off" }, { name: "50 off" }, { name: "a_b" }, { name: "axb" }],
    filter: { operator: "OR", conditions: [{ name: "0%" }, { name: "a_b" }] },
    expected: [0, 2],
  },
  {
    id: "subscribed",
    says: 'isSubscribed: The "isSubscribed" property of the Mailbox must be identical to the value given to match the condition.',
    children: [{ isSubscribed: true }, { isSubscribed: false }],
    filter: { isSubscribed: true },
    expected: [0],
  },
  {
    id: "not-subscribed",
    says: 'isSubscribed: The "isSubscribed" property of the Mailbox must be identical to the value given to match the condition.',
    children: [{ isSubscribed: true }, { isSubscribed: false }],
    filter: { isSubscribed: false },
    expected: [1],
  },
  {
    id: "role-null",
    says: 'role: The Mailbox "role" property must match the given value exactly.',
    children: named,
    filter: { role: null },
    expected: [0, 1, 2],
  },
  {
    id: "role-other",
    says: 'role: The Mailbox "role" property must match the given value exactly.',
    children: named,
    filter: { role: "inbox" },
    expected: [],
  },
  {
    id: "has-any-role",
    says: 'hasAnyRole: If true, a Mailbox matches if it has any non-null value for its "role" property.',
    children: named,
    filter: { hasAnyRole: true },
    expected: [],
  },
  {
    id: "has-no-role",
    level: "SHOULD",
    says: "hasAnyRole (false): a Mailbox without a role.",
    children: named,
    filter: { hasAnyRole: false },
    expected: [0, 1, 2],
  },
  {
    id: "all-conditions",
    says: "A Mailbox object matches the FilterCondition if and only if all of the given conditions match.",
    children: [
      { name: "x1", isSubscribed: true },
      { name: "x2", isSubscribed: false },
      { name: "y1", isSubscribed: true },
    ],
    filter: { name: "x", isSubscribed: true },
    expected: [0],
  },
  {
    id: "empty-condition",
    says: "If zero properties are specified, it is automatically true for all objects.",
    children: named,
    filter: {},
    expected: [0, 1, 2],
  },
  {
    id: "or",
    says: 'This is a standard "/query" method: OR – at least one of the conditions must match.',
    children: named,
    filter: { operator: "OR", conditions: [{ name: "two" }, { name: "beta" }] },
    expected: [1, 2],
  },
  {
    id: "not",
    says: 'This is a standard "/query" method: NOT – none of the conditions must match.',
    children: named,
    filter: { operator: "NOT", conditions: [{ name: "two" }, { name: "beta" }] },
    expected: [0],
  },
  {
    id: "nested",
    says: 'This is a standard "/query" method: a FilterOperator holds operators and conditions.',
    children: named,
    filter: {
      operator: "AND",
      conditions: [
        { operator: "NOT", conditions: [{ name: "beta" }] },
        { operator: "OR", conditions: [{ name: "one" }] },
      ],
    },
    expected: [0],
  },
];

const filters = table<Row>(
  rows,
  ({ id, level = "MUST", says, children, filter, expected }): TestDefinition => ({
    id: `filter-${id}`,
    level,
    says,
    run: async (t) => {
      const { parent, ids } = await family(t, children);
      const full = { operator: "AND", conditions: [{ parentId: parent }, filter] };
      sameMembers(
        (await ask(t, { filter: full })).ids,
        expected.map((at) => ids[at]),
        "ids",
      );
    },
  }),
);

const others = defineTests(group, [
  ...filters,
  {
    id: "filter-parent",
    level: "MUST",
    says: 'parentId: The Mailbox "parentId" property must match the given value exactly.',
    run: async (t) => {
      const { parent, ids } = await family(t, [{}, {}]);
      await t.mailbox({ parentId: ids[0] });
      sameMembers((await ask(t, { filter: { parentId: parent } })).ids, ids, "ids");
    },
  },
  {
    id: "filter-parent-null",
    level: "MUST",
    says: 'parentId: "Id|null". The Mailbox "parentId" property must match the given value exactly.',
    run: async (t) => {
      const box = await t.box();
      const { ids } = await ask(t, { filter: { parentId: null } });
      includes(ids, await t.world.parentMailbox(), "ids");
      excludes(ids, box, "ids");
    },
  },
  {
    id: "filter-role-exact",
    level: "MUST",
    says: 'role: The Mailbox "role" property must match the given value exactly.',
    run: async (t) => same((await ask(t, { filter: { role: "inbox" } })).ids, [await t.role("inbox")], "ids"),
  },
  {
    id: "filter-any-role-all",
    level: "MUST",
    says: 'hasAnyRole: If true, a Mailbox matches if it has any non-null value for its "role" property.',
    run: async (t) => {
      const all = await t.get<{ id: string; role: string | null }>("Mailbox", null, ["role"]);
      const given = all.filter(({ role }) => role !== null).map(({ id }) => id);
      sameMembers((await ask(t, { filter: { hasAnyRole: true } })).ids, given, "ids");
    },
  },
  {
    id: "filter-unknown",
    level: "MUST",
    says: 'This is a standard "/query" method: a filter that the server cannot process is "unsupportedFilter".',
    run: (t) => t.error("Mailbox/query", { filter: { noSuchCondition: 1 } }, ["unsupportedFilter", "invalidArguments"]),
  },
]);

const sorts = defineTests(group, [
  {
    id: "sort-name",
    level: "MUST",
    says: 'The following Mailbox properties MUST be supported for sorting: "sortOrder", "name".',
    run: async (t) => {
      const { parent, ids } = await family(t, [{ name: "b" }, { name: "c" }, { name: "a" }]);
      const sorted = await ask(t, { filter: { parentId: parent }, sort: [{ property: "name" }] });
      same(sorted.ids, [ids[2], ids[0], ids[1]], "ids in ascending order");
      const down = await ask(t, { filter: { parentId: parent }, sort: [{ property: "name", isAscending: false }] });
      same(down.ids, [ids[1], ids[0], ids[2]], "ids in descending order");
    },
  },
  {
    id: "sort-sortorder",
    level: "MUST",
    says: 'The following Mailbox properties MUST be supported for sorting: "sortOrder", "name".',
    run: async (t) => {
      const { parent, ids } = await family(t, [{ sortOrder: 10 }, { sortOrder: 9 }, { sortOrder: 100 }]);
      const sorted = await ask(t, { filter: { parentId: parent }, sort: [{ property: "sortOrder" }] });
      same(sorted.ids, [ids[1], ids[0], ids[2]], "ids");
    },
  },
  {
    id: "sort-both",
    level: "MUST",
    says: 'The following Mailbox properties MUST be supported for sorting: "sortOrder", "name".',
    run: async (t) => {
      const children = [
        { sortOrder: 1, name: "b" },
        { sortOrder: 0, name: "z" },
        { sortOrder: 1, name: "a" },
      ];
      const { parent, ids } = await family(t, children);
      const sort = [{ property: "sortOrder", isAscending: false }, { property: "name" }];
      same((await ask(t, { filter: { parentId: parent }, sort })).ids, [ids[2], ids[0], ids[1]], "ids");
    },
  },
  {
    id: "sort-unknown",
    level: "MUST",
    says: 'This is a standard "/query" method: a sort that the server does not support is "unsupportedSort".',
    run: (t) =>
      t.error("Mailbox/query", { sort: [{ property: "noSuchProperty" }] }, ["unsupportedSort", "invalidArguments"]),
  },
  {
    id: "window",
    level: "MUST",
    says: 'This is a standard "/query" method.',
    run: async (t) => {
      const { parent, ids } = await family(
        t,
        ["a", "b", "c", "d"].map((name) => ({ name })),
      );
      const base = { filter: { parentId: parent }, sort: [{ property: "name" }], calculateTotal: true };
      const page = await ask(t, { ...base, position: 1, limit: 2 });
      same([page.ids, page.position, page.total], [[ids[1], ids[2]], 1, 4], "ids, position and total");
      const last = await ask(t, { ...base, position: -1 });
      same([last.ids, last.position], [[ids[3]], 3], "ids and position with position -1");
      const anchored = await ask(t, { ...base, anchor: ids[2], anchorOffset: -1, limit: 2 });
      same([anchored.ids, anchored.position], [[ids[1], ids[2]], 1], "ids and position with an anchor");
      await t.error("Mailbox/query", { ...base, anchor: parent }, "anchorNotFound");
    },
  },
  {
    id: "query-state",
    level: "MUST",
    says: 'This is a standard "/query" method: queryState MUST change if the results of the query have changed.',
    run: async (t) => {
      const { parent } = await family(t, [{}]);
      const before = await ask(t, { filter: { parentId: parent } });
      await t.mailbox({ parentId: parent });
      const after = await ask(t, { filter: { parentId: parent } });
      ok(before.queryState !== after.queryState, "queryState did not change");
      equal(typeof before.canCalculateChanges, "boolean", "type of canCalculateChanges");
    },
  },
]);

export const mailboxQuery = [...others, ...sorts];
