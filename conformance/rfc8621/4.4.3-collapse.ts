import type { Json, QueryResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, ok, same } from "../runner/expect.ts";
import { mailGroup, nowhere, query } from "./support.ts";

const at = (day: number): string => `2020-01-${String(day).padStart(2, "0")}T00:00:00Z`;
const newest = [{ property: "receivedAt", isAscending: false }];
const oldest = [{ property: "receivedAt" }];

/** Threads of the days given: the ids in the order of the days. */
async function days(
  t: TestContext,
  threads: readonly (readonly number[])[],
  keywords: Record<number, string[]> = {},
): Promise<Map<number, string>> {
  const ids = new Map<number, string>();
  for (const list of threads) {
    const subject = t.unique("Thread");
    const messageId = `<${t.unique("thread")}@conformance.example>`;
    const made = await t.emails(
      list.map((day, nth) => ({
        subject: nth === 0 ? subject : `Re: ${subject}`,
        ...(nth === 0 ? { messageId } : { inReplyTo: messageId, references: messageId }),
        receivedAt: at(day),
        keywords: keywords[day] ?? [],
      })),
    );
    if (new Set(made.map(({ threadId }) => threadId)).size > 1)
      t.skip("the server makes two Threads of a message and its answer");
    for (const [nth, day] of list.entries()) ids.set(day, made[nth]?.id as string);
  }
  return ids;
}

const standard = [[1, 4, 9], [2, 3], [6], [5, 7]];

async function collapsed(t: TestContext, args: Json, filter: Json | null = null): Promise<QueryResult> {
  return await query(t, filter, { collapseThreads: true, calculateTotal: true, ...args });
}

const collapse = defineTests(mailGroup("4.4.3", "Email/query: thread collapsing"), [
  {
    id: "newest-first",
    level: "MUST",
    says: "A Thread will therefore only appear *once* in the result, at the position of the first Email in the list that belongs to the Thread (given the current sort/filter).",
    run: async (t) => {
      const ids = await days(t, standard);
      const answer = await collapsed(t, { sort: newest });
      same(
        answer.ids,
        [9, 7, 6, 3].map((day) => ids.get(day)),
        "ids",
      );
      equal(answer.total, 4, "total");
    },
  },
  {
    id: "oldest-first",
    level: "MUST",
    says: "A Thread will therefore only appear *once* in the result, at the position of the first Email in the list that belongs to the Thread (given the current sort/filter).",
    run: async (t) => {
      const ids = await days(t, standard);
      same(
        (await collapsed(t, { sort: oldest })).ids,
        [1, 2, 5, 6].map((day) => ids.get(day)),
        "ids",
      );
    },
  },
  {
    id: "after-the-filter",
    level: "MUST",
    says: 'When "collapseThreads" is true, then after filtering and sorting the Email list, the list is further winnowed by removing any Emails for a Thread id that has already been seen.',
    run: async (t) => {
      const ids = await days(t, standard, { 4: ["todo"], 1: ["todo"], 3: ["todo"] });
      const answer = await collapsed(t, { sort: newest }, { hasKeyword: "todo" });
      same(
        answer.ids,
        [4, 3].map((day) => ids.get(day)),
        "ids",
      );
      equal(answer.total, 2, "total");
    },
  },
  {
    id: "default",
    level: "MUST",
    says: 'collapseThreads: "Boolean" (default: false)',
    run: async (t) => {
      await days(t, standard);
      const answer = await query(t, null, { calculateTotal: true });
      same([answer.ids.length, answer.total], [8, 8], "number of ids and total");
    },
  },
  {
    id: "windows",
    level: "MUST",
    says: "collapseThreads: Emails in the same Thread as a previous Email in the list will be removed from the list. (Position and limit count what is left.)",
    run: async (t) => {
      const ids = await days(t, standard);
      const expected = [9, 7, 6, 3].map((day) => ids.get(day));
      for (const [position, limit] of [
        [0, 1],
        [1, 2],
        [2, 10],
        [4, 1],
      ] as const) {
        const page = await collapsed(t, { sort: newest, position, limit });
        same(page.ids, expected.slice(position, position + limit), `ids from ${position}, at most ${limit}`);
        equal(page.total, 4, "total");
      }
      const last = await collapsed(t, { sort: newest, position: -2 });
      same([last.ids, last.position], [expected.slice(2), 2], "ids and position from -2");
    },
  },
  {
    id: "anchor",
    level: "MUST",
    says: 'This is a standard "/query" method: anchor – the index is that of the anchor in the results.',
    run: async (t) => {
      const ids = await days(t, standard);
      const page = await collapsed(t, { sort: newest, anchor: ids.get(6), anchorOffset: -1, limit: 2 });
      same([page.ids, page.position], [[ids.get(7), ids.get(6)], 1], "ids and position");
    },
  },
  {
    id: "anchor-collapsed",
    level: "MUST",
    says: "anchorNotFound: An anchor argument was supplied, but it cannot be found in the results of the query. (An Email that was removed is not in them.)",
    run: async (t) => {
      const ids = await days(t, standard);
      const own = { filter: { inMailbox: await t.box() }, sort: newest, collapseThreads: true };
      await t.error("Email/query", { ...own, anchor: ids.get(4) }, "anchorNotFound");
    },
  },
]);

const plain = defineTests(mailGroup("4.4", "Email/query"), [
  {
    id: "anchor",
    level: "MUST",
    says: 'This is a standard "/query" method: anchor, anchorOffset.',
    run: async (t) => {
      const ids = await days(t, [[1], [2], [3], [4], [5]]);
      const order = [5, 4, 3, 2, 1].map((day) => ids.get(day));
      for (const [offset, position] of [
        [0, 2],
        [-1, 1],
        [1, 3],
        [-9, 0],
        [2, 4],
      ] as const) {
        const page = await query(t, null, { sort: newest, anchor: ids.get(3), anchorOffset: offset, limit: 2 });
        same(
          [page.ids, page.position],
          [order.slice(position, position + 2), position],
          `ids and position with offset ${offset}`,
        );
      }
    },
  },
  {
    id: "anchor-not-found",
    level: "MUST",
    says: 'This is a standard "/query" method: anchorNotFound.',
    run: async (t) => {
      const filter = { inMailbox: await t.box() };
      await t.error("Email/query", { filter, anchor: nowhere }, "anchorNotFound");
      const elsewhere = await t.email({ in: await t.mailbox() });
      await t.error("Email/query", { filter, anchor: elsewhere.id }, "anchorNotFound");
    },
  },
  {
    id: "position-and-limit",
    level: "MUST",
    says: 'This is a standard "/query" method: position, limit, total.',
    run: async (t) => {
      const ids = await days(t, [[1], [2], [3], [4]]);
      const order = [1, 2, 3, 4].map((day) => ids.get(day));
      for (const [position, limit, start] of [
        [0, 2, 0],
        [3, 5, 3],
        [4, 1, 4],
        [-1, 5, 3],
        [-9, 2, 0],
      ] as const) {
        const page = await query(t, null, { sort: oldest, position, limit, calculateTotal: true });
        same(page.ids, order.slice(start, start + limit), `ids from ${position}, at most ${limit}`);
        equal(page.total, 4, "total");
      }
      const none = await query(t, null, { sort: oldest, limit: 0, calculateTotal: true });
      same([none.ids, none.total], [[], 4], "ids and total with limit 0");
    },
  },
  {
    id: "total-only-if-asked",
    level: "MUST",
    says: 'This is a standard "/query" method: total – this argument MUST be omitted if the calculateTotal request argument is not true.',
    run: async (t) => {
      await t.email();
      ok(!("total" in (await query(t, null))), "the answer has a total");
    },
  },
  {
    id: "multiple-mailboxes-once",
    level: "MUST",
    says: 'This is a standard "/query" method: the list MUST NOT contain the same id twice.',
    run: async (t) => {
      const other = await t.mailbox();
      const { id } = await t.email({ in: [await t.box(), other] });
      const filter = { operator: "OR", conditions: [{ inMailbox: await t.box() }, { inMailbox: other }] };
      const answer = await t.one<QueryResult>("Email/query", { filter, calculateTotal: true });
      same([answer.ids, answer.total], [[id], 1], "ids and total");
    },
  },
  {
    id: "query-state",
    level: "MUST",
    says: 'This is a standard "/query" method: queryState MUST change if the results of the query have changed.',
    run: async (t) => {
      const before = (await query(t, null)).queryState;
      await t.email();
      ok((await query(t, null)).queryState !== before, "queryState did not change");
    },
  },
]);

export const collapsing = [...collapse, ...plain];
