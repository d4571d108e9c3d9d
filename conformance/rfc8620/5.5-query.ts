import { core, type Json, mail, type QueryResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests, type TestDefinition } from "../runner/define.ts";
import { differs, equal, isArray, isString, ok, same, sameMembers, show } from "../runner/expect.ts";
import { noSuchId } from "./support.ts";

const group = { rfc: "rfc8620", section: "5.5", title: "/query", requires: [core, mail] };

const sort = [{ property: "receivedAt", isAscending: true }];

/** Emails in the test's mailbox, the oldest first, and what every query of them has. */
async function list(t: TestContext, count = 6): Promise<{ ids: string[]; query: Json }> {
  const days = Array.from({ length: count }, (_, at) => ({ receivedAt: `2024-03-0${at + 1}T12:00:00Z` }));
  const made = await t.emails(days);
  return { ids: made.map(({ id }) => id), query: { filter: { inMailbox: await t.box() }, sort } };
}

type Window = [name: string, says: string, args: Json, from: number, to: number];

const windows: readonly Window[] = [
  ["default", "position (default: 0); limit: if null, no limit presumed.", {}, 0, 6],
  ["position", "The zero-based index of the first id in the full list of results to return.", { position: 2 }, 2, 6],
  ["position-and-limit", "limit: the maximum number of results to return.", { position: 1, limit: 2 }, 1, 3],
  ["limit", "limit: the maximum number of results to return.", { limit: 4 }, 0, 4],
  ["limit-beyond", "limit: the maximum number of results to return.", { limit: 200 }, 0, 6],
  [
    "negative",
    "The negative value MUST be added to the total number of results given the filter.",
    { position: -2 },
    4,
    6,
  ],
  [
    "negative-and-limit",
    "The negative value MUST be added to the total number of results given the filter.",
    { position: -4, limit: 2 },
    2,
    4,
  ],
  ["negative-beyond", "If still negative, it's clamped to “0”.", { position: -50, limit: 2 }, 0, 2],
];

const anchors: readonly [string, string, number, Json, number, number][] = [
  [
    "anchor",
    "The index of this id in the results will be used to determine the index of the first result to return.",
    3,
    {},
    3,
    6,
  ],
  [
    "anchor-limit",
    "This index is now used exactly as though it were supplied as the “position” argument.",
    1,
    { limit: 2 },
    1,
    3,
  ],
  ["anchor-offset", "The “anchorOffset” is then added to its index.", 1, { anchorOffset: 2, limit: 2 }, 3, 5],
  [
    "anchor-offset-negative",
    "“-1” means the Foo immediately preceding the anchor is the first result in the list returned.",
    3,
    { anchorOffset: -1, limit: 2 },
    2,
    4,
  ],
  [
    "anchor-offset-clamped",
    "If the resulting index is now negative, it is clamped to 0.",
    1,
    { anchorOffset: -5, limit: 2 },
    0,
    2,
  ],
  [
    "anchor-offset-past-end",
    "If the index is greater than or equal to the total number of objects, then the “ids” array in the response will be empty.",
    4,
    { anchorOffset: 9 },
    6,
    6,
  ],
  [
    "anchor-over-position",
    "If an “anchor” is specified, any position argument supplied by the client MUST be ignored.",
    2,
    { position: 5 },
    2,
    6,
  ],
  [
    "anchor-over-negative-position",
    "If an “anchor” is specified, any position argument supplied by the client MUST be ignored.",
    2,
    { position: -1, limit: 1 },
    2,
    3,
  ],
];

const slices: TestDefinition[] = [
  ...windows.map(
    ([name, says, args, from, to]): TestDefinition => ({
      id: `window-${name}`,
      level: "MUST",
      says,
      run: async (t) => {
        const { ids, query } = await list(t);
        const answer = await t.one<QueryResult>("Email/query", { ...query, ...args });
        same(answer.ids, ids.slice(from, to), "ids");
        equal(answer.position, from, "position");
      },
    }),
  ),
  ...anchors.map(
    ([name, says, at, args, from, to]): TestDefinition => ({
      id: name,
      level: "MUST",
      says,
      run: async (t) => {
        const { ids, query } = await list(t);
        const answer = await t.one<QueryResult>("Email/query", { ...query, anchor: ids[at], ...args });
        same(answer.ids, ids.slice(from, to), "ids");
        if (to > from) equal(answer.position, from, "position");
      },
    }),
  ),
];

const edges: TestDefinition[] = [
  {
    id: "position-past-end",
    level: "MUST",
    says: "If the index is greater than or equal to the total number of objects in the results list, then the “ids” array in the response will be empty, but this is not an error.",
    run: async (t) => {
      const { query } = await list(t, 2);
      for (const position of [2, 3, 5000]) {
        const answer = await t.one<QueryResult>("Email/query", { ...query, position, calculateTotal: true });
        same(answer.ids, [], `ids from position ${position}`);
        equal(answer.total, 2, "total");
      }
    },
  },
  {
    id: "limit-zero",
    level: "MUST",
    says: "limit: “UnsignedInt|null”: the maximum number of results to return (zero is an UnsignedInt).",
    run: async (t) => {
      const { query } = await list(t, 2);
      const answer = await t.one<QueryResult>("Email/query", { ...query, limit: 0, calculateTotal: true });
      same(answer.ids, [], "ids");
      equal(answer.total, 2, "total");
    },
  },
  {
    id: "limit-negative",
    level: "MUST",
    says: "If a negative value is given, the call MUST be rejected with an “invalidArguments” error.",
    run: (t) => t.error("Email/query", { limit: -1 }, "invalidArguments"),
  },
  {
    id: "limit-of-server",
    level: "MUST",
    says: "limit is only returned if the server set a limit or used a different limit than that given in the request.",
    run: async (t) => {
      const { query } = await list(t, 2);
      const answer = await t.one<QueryResult>("Email/query", { ...query, limit: 5 });
      if ("limit" in answer) ok((answer.limit ?? 5) < 5, `limit ${answer.limit} where 5 was asked for`);
    },
  },
  {
    id: "anchor-not-found",
    level: "MUST",
    says: "If the anchor is not found, the call is rejected with an “anchorNotFound” error.",
    run: async (t) => {
      const { query } = await list(t, 2);
      const other = await t.email({ in: await t.mailbox() });
      await t.error("Email/query", { ...query, anchor: noSuchId }, "anchorNotFound");
      await t.error("Email/query", { ...query, anchor: other.id }, "anchorNotFound");
    },
  },
  {
    id: "anchor-offset-without-anchor",
    level: "MUST",
    says: "If no “anchor” is supplied, any “anchorOffset” argument MUST be ignored.",
    run: async (t) => {
      const { ids, query } = await list(t, 3);
      const answer = await t.one<QueryResult>("Email/query", { ...query, anchorOffset: 2 });
      same(answer.ids, ids, "ids");
    },
  },
  {
    id: "total",
    level: "MUST",
    says: "total: the total number of Foos in the results (given the “filter”). This argument MUST be omitted if the “calculateTotal” request argument is not true.",
    run: async (t) => {
      const { query } = await list(t, 3);
      const asked = await t.one<QueryResult>("Email/query", { ...query, limit: 1, calculateTotal: true });
      equal(asked.total, 3, "total");
      for (const more of [{}, { calculateTotal: false }]) {
        const answer = await t.one<QueryResult>("Email/query", { ...query, ...more });
        ok(!("total" in answer), `total without being asked for: ${show(answer)}`);
      }
    },
  },
  {
    id: "response",
    level: "MUST",
    says: "The response has the arguments accountId, queryState, canCalculateChanges, position, ids.",
    run: async (t) => {
      const { query } = await list(t, 1);
      const answer = await t.one<QueryResult>("Email/query", query);
      equal(answer.accountId, t.accountId, "accountId");
      isString(answer.queryState, "queryState");
      equal(typeof answer.canCalculateChanges, "boolean", "type of canCalculateChanges");
      equal(answer.position, 0, "position");
      isArray(answer.ids, "ids");
    },
  },
  {
    id: "query-state",
    level: "MUST",
    says: "This string MUST change if the results of the query (i.e., the matching ids and their sort order) have changed.",
    run: async (t) => {
      const { ids, query } = await list(t, 2);
      const states: string[] = [];
      const note = async () => states.push((await t.one<QueryResult>("Email/query", query)).queryState);
      await note();
      await t.email();
      await note();
      await t.set("Email", { destroy: [ids[0]] });
      await note();
      for (const at of [1, 2]) differs(states[at], states[at - 1], "queryState after a change");
    },
  },
  {
    id: "query-state-of-order",
    level: "MUST",
    says: "This string MUST change if the results of the query (i.e., the matching ids and their sort order) have changed.",
    run: async (t) => {
      const parentId = await t.box();
      const [first] = await t.mailboxes([
        { parentId, sortOrder: 1 },
        { parentId, sortOrder: 2 },
      ]);
      const query = { filter: { parentId }, sort: [{ property: "sortOrder" }] };
      const before = await t.one<QueryResult>("Mailbox/query", query);
      await t.set("Mailbox", { update: { [first as string]: { sortOrder: 3 } } });
      const after = await t.one<QueryResult>("Mailbox/query", query);
      same(after.ids, before.ids.toReversed(), "ids after the change");
      differs(after.queryState, before.queryState, "queryState after the change");
    },
  },
];

const mailboxes: TestDefinition[] = [
  {
    id: "all[Mailbox]",
    level: "MUST",
    says: "filter: if null, all objects in the account of this type are included in the results.",
    exclusive: true,
    run: async (t) => {
      await t.mailboxes([{}, {}]);
      const all = (await t.get<{ id: string }>("Mailbox", null)).map(({ id }) => id);
      const { ids, limit } = await t.one<QueryResult>("Mailbox/query", { filter: null });
      if (limit === undefined) sameMembers(ids, all, "ids");
    },
  },
  {
    id: "stable[Mailbox]",
    level: "MUST",
    says: "If all comparators are the same (this includes an empty array or null given as the “sort” argument), the sort order is server dependent, but it MUST be stable between calls to “Foo/query”.",
    run: async (t) => {
      const parentId = await t.box();
      await t.mailboxes(Array.from({ length: 8 }, () => ({ parentId, sortOrder: 7 })));
      for (const order of [null, [], [{ property: "sortOrder" }]]) {
        const query = { filter: { parentId }, sort: order };
        const [first, second] = [
          await t.one<QueryResult>("Mailbox/query", query),
          await t.one<QueryResult>("Mailbox/query", query),
        ];
        equal(first.ids.length, 8, "number of ids");
        same(second.ids, first.ids, `ids with sort ${show(order)}`);
        const paged: string[] = [];
        for (const position of [0, 3, 6]) {
          paged.push(...(await t.one<QueryResult>("Mailbox/query", { ...query, position, limit: 3 })).ids);
        }
        same(paged, first.ids, `pages with sort ${show(order)}`);
      }
    },
  },
];

export const query = defineTests(group, [...slices, ...edges, ...mailboxes]);
