import type { Json, QueryChangesResult, QueryResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, ok, same, sameMembers } from "../runner/expect.ts";
import { mailGroup, update } from "./support.ts";

function ask(t: TestContext, args: Json): Promise<QueryResult> {
  return t.one<QueryResult>("Mailbox/query", args);
}

type Node = { name: string; sortOrder?: number; children?: Node[] };

/** Makes the tree with names that begin with `mark` and returns the ids by the names without it. */
async function plant(
  t: TestContext,
  mark: string,
  nodes: readonly Node[],
  parentId?: string,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  const made = await t.mailboxes(
    nodes.map(({ name, sortOrder = 0 }) => ({ name: `${mark} ${name}`, sortOrder, ...(parentId && { parentId }) })),
  );
  for (const [at, { name, children }] of nodes.entries()) {
    ids.set(name, made[at] as string);
    if (children) for (const [key, id] of await plant(t, mark, children, made[at])) ids.set(key, id);
  }
  return ids;
}

const forest: Node[] = [
  { name: "c", children: [{ name: "a2", children: [{ name: "z3" }, { name: "y3" }] }, { name: "b2" }] },
  { name: "b", children: [{ name: "x2" }] },
  { name: "d" },
];

const tree = defineTests(mailGroup("2.3", "Mailbox/query: trees"), [
  {
    id: "sort-as-tree",
    level: "MUST",
    says: 'sortAsTree: If A is an ancestor of B, it always comes first regardless of the sort comparators. Otherwise, find the nearest ancestors of each that do have the same "parentId" and compare the sort properties on those Mailboxes instead.',
    run: async (t) => {
      const mark = t.unique("tree");
      const ids = await plant(t, mark, forest);
      const answer = await ask(t, { filter: { name: mark }, sort: [{ property: "name" }], sortAsTree: true });
      const expected = ["b", "x2", "c", "a2", "y3", "z3", "b2", "d"];
      same(
        answer.ids,
        expected.map((name) => ids.get(name)),
        "ids",
      );
    },
  },
  {
    id: "sort-as-tree-descending",
    level: "MUST",
    says: "sortAsTree: If A is an ancestor of B, it always comes first regardless of the sort comparators.",
    run: async (t) => {
      const mark = t.unique("tree");
      const ids = await plant(t, mark, forest);
      const sort = [{ property: "name", isAscending: false }];
      const answer = await ask(t, { filter: { name: mark }, sort, sortAsTree: true });
      const expected = ["d", "c", "b2", "a2", "z3", "y3", "b", "x2"];
      same(
        answer.ids,
        expected.map((name) => ids.get(name)),
        "ids",
      );
    },
  },
  {
    id: "sort-as-tree-two-keys",
    level: "MUST",
    says: "The result of this is that the Mailboxes are sorted as a tree according to the parentId properties, with each set of children with a common parent sorted according to the standard sort comparators.",
    run: async (t) => {
      const mark = t.unique("tree");
      const nodes: Node[] = [
        {
          name: "a",
          sortOrder: 5,
          children: [
            { name: "n1", sortOrder: 2 },
            { name: "n2", sortOrder: 1 },
          ],
        },
        { name: "b", sortOrder: 1, children: [{ name: "m1", sortOrder: 9 }] },
        { name: "c", sortOrder: 1 },
      ];
      const ids = await plant(t, mark, nodes);
      const sort = [{ property: "sortOrder" }, { property: "name", isAscending: false }];
      const answer = await ask(t, { filter: { name: mark }, sort, sortAsTree: true });
      same(
        answer.ids,
        ["c", "b", "m1", "a", "n2", "n1"].map((name) => ids.get(name)),
        "ids",
      );
    },
  },
  {
    id: "sort-as-tree-filtered-ancestors",
    level: "MUST",
    says: 'sortAsTree: Otherwise, if A and B do not share a "parentId", find the nearest ancestors of each that do have the same "parentId" and compare the sort properties on those Mailboxes instead. (Whether these ancestors match the filter does not count.)',
    run: async (t) => {
      const mark = t.unique("tree");
      const nodes: Node[] = [
        { name: "b", children: [{ name: "leaf 1" }] },
        { name: "a", children: [{ name: "leaf 2" }] },
      ];
      const ids = await plant(t, mark, nodes);
      const answer = await ask(t, { filter: { name: `${mark} leaf` }, sort: [{ property: "name" }], sortAsTree: true });
      same(
        answer.ids,
        ["leaf 2", "leaf 1"].map((name) => ids.get(name)),
        "ids",
      );
    },
  },
  {
    id: "sort-as-tree-default",
    level: "MUST",
    says: 'sortAsTree: "Boolean" (default: false).',
    run: async (t) => {
      const mark = t.unique("tree");
      const ids = await plant(t, mark, forest);
      const answer = await ask(t, { filter: { name: mark }, sort: [{ property: "name" }] });
      const expected = ["a2", "b", "b2", "c", "d", "x2", "y3", "z3"];
      same(
        answer.ids,
        expected.map((name) => ids.get(name)),
        "ids",
      );
    },
  },
  {
    id: "filter-as-tree",
    level: "MUST",
    says: "filterAsTree: If true, a Mailbox is only included in the query if all its ancestors are also included in the query according to the filter.",
    run: async (t) => {
      const mark = t.unique("tree");
      const nodes: Node[] = [
        { name: "keep 1", children: [{ name: "keep 2", children: [{ name: "keep 3" }] }] },
        { name: "drop", children: [{ name: "keep 4", children: [{ name: "keep 5" }] }] },
      ];
      const ids = await plant(t, mark, nodes);
      // The mailbox of the run lies above all: without it nothing could be included.
      const filter = { operator: "OR", conditions: [{ name: t.world.parentName }, { name: `${mark} keep` }] };
      const answer = await ask(t, { filter, filterAsTree: true });
      const expected = ["keep 1", "keep 2", "keep 3"].map((name) => ids.get(name));
      sameMembers(answer.ids, [await t.world.parentMailbox(), ...expected], "ids");
    },
  },
  {
    id: "filter-as-tree-no-ancestor",
    level: "MUST",
    says: "filterAsTree: If true, a Mailbox is only included in the query if all its ancestors are also included in the query according to the filter.",
    run: async (t) => {
      const mark = t.unique("tree");
      await plant(t, mark, forest);
      const answer = await ask(t, { filter: { name: mark }, filterAsTree: true, calculateTotal: true });
      same([answer.ids, answer.total], [[], 0], "ids and total");
    },
  },
  {
    id: "filter-and-sort-as-tree",
    level: "MUST",
    says: "sortAsTree and filterAsTree may be used together.",
    run: async (t) => {
      const mark = t.unique("tree");
      const ids = await plant(t, mark, forest);
      const filter = { operator: "OR", conditions: [{ name: t.world.parentName }, { name: mark }] };
      const sort = [{ property: "name" }];
      const answer = await ask(t, { filter, sort, filterAsTree: true, sortAsTree: true, calculateTotal: true });
      const expected = ["b", "x2", "c", "a2", "y3", "z3", "b2", "d"].map((name) => ids.get(name));
      same(answer.ids, [await t.world.parentMailbox(), ...expected], "ids");
      equal(answer.total, 9, "total");
    },
  },
]);

async function changed(
  t: TestContext,
  args: Json,
  change: () => Promise<unknown>,
): Promise<[QueryResult, QueryChangesResult]> {
  const before = await ask(t, args);
  if (!before.canCalculateChanges) t.skip("the server cannot calculate the changes of this query");
  await change();
  const sinceQueryState = before.queryState;
  return [before, await t.one<QueryChangesResult>("Mailbox/queryChanges", { ...args, sinceQueryState })];
}

/** What a client does with the answer. */
function applied({ ids }: QueryResult, { removed, added }: QueryChangesResult): string[] {
  const result = ids.filter((id) => !removed.includes(id));
  for (const { id, index } of added) result.splice(index, 0, id);
  return result;
}

const queryChanges = defineTests(mailGroup("2.4", "Mailbox/queryChanges"), [
  {
    id: "added",
    level: "MUST",
    says: 'This is a standard "/queryChanges" method.',
    run: async (t) => {
      const parentId = await t.box();
      const [a = "", c = ""] = await t.mailboxes([
        { parentId, name: "a" },
        { parentId, name: "c" },
      ]);
      const args = { filter: { parentId }, sort: [{ property: "name" }] };
      let b = "";
      const [before, after] = await changed(t, args, async () => {
        b = await t.mailbox({ parentId, name: "b" });
      });
      same(applied(before, after), [a, b, c], "the result with the changes applied");
      equal(after.oldQueryState, before.queryState, "oldQueryState");
    },
  },
  {
    id: "removed-and-moved",
    level: "MUST",
    says: 'This is a standard "/queryChanges" method.',
    run: async (t) => {
      const parentId = await t.box();
      const boxes = await t.mailboxes(["a", "b", "c", "d"].map((name) => ({ parentId, name })));
      const args = { filter: { parentId }, sort: [{ property: "name" }], calculateTotal: true };
      const [before, after] = await changed(t, args, async () => {
        await update(t, "Mailbox", boxes[0] as string, { name: "e" });
        await t.set("Mailbox", { destroy: [boxes[1]] });
        await update(t, "Mailbox", boxes[2] as string, { parentId: await t.world.parentMailbox(), name: t.unique() });
      });
      same(applied(before, after), [boxes[3], boxes[0]], "the result with the changes applied");
      equal(after.total, 2, "total");
    },
  },
  {
    id: "nothing",
    level: "MUST",
    says: 'This is a standard "/queryChanges" method.',
    run: async (t) => {
      const parentId = await t.box();
      const [before, after] = await changed(t, { filter: { parentId } }, async () => {});
      same(applied(before, after), [], "the result with the changes applied");
    },
  },
  {
    id: "unknown-state",
    level: "MUST",
    says: 'This is a standard "/queryChanges" method: a state that the server cannot calculate from is "cannotCalculateChanges".',
    run: async (t) => {
      const types = ["cannotCalculateChanges", "invalidArguments"];
      const error = await t.error("Mailbox/queryChanges", { sinceQueryState: "no-such-state" }, types);
      ok(error, "no error");
    },
  },
]);

export const mailboxTree = [...tree, ...queryChanges];
