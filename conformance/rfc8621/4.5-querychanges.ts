import type { Json, QueryChangesResult, QueryResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, ok, same } from "../runner/expect.ts";
import { mailGroup, update, yes } from "./support.ts";

const newest = [{ property: "receivedAt", isAscending: false }];
const at = (day: number): string => `2020-01-${String(day).padStart(2, "0")}T00:00:00Z`;

type Watched = { args: Json; before: QueryResult };

async function watch(t: TestContext, extra: Json = {}, filter: Json | null = null): Promise<Watched> {
  const own = { inMailbox: await t.box() };
  const both = filter ? { operator: "AND", conditions: [own, filter] } : own;
  const args = { filter: both, sort: newest, ...extra };
  const before = await t.one<QueryResult>("Email/query", args);
  if (!before.canCalculateChanges) t.skip("the server cannot calculate the changes of this query");
  return { args, before };
}

/** A client that applies the changes must have what a fresh query finds. */
async function follows(t: TestContext, { args, before }: Watched): Promise<QueryChangesResult> {
  const { queryState } = before;
  const changes = await t.one<QueryChangesResult>("Email/queryChanges", {
    ...args,
    sinceQueryState: queryState,
    calculateTotal: true,
  });
  const result = before.ids.filter((id) => !changes.removed.includes(id));
  for (const { id, index } of changes.added) result.splice(index, 0, id);
  const fresh = await t.one<QueryResult>("Email/query", { ...args, calculateTotal: true });
  same(result, fresh.ids, "the result with the changes applied");
  equal(changes.total, fresh.total as number, "total");
  equal(changes.oldQueryState, queryState, "oldQueryState");
  const sorted = changes.added.map(({ index }) => index);
  same(
    sorted,
    sorted.toSorted((a, b) => a - b),
    "the indexes of added, which must be sorted",
  );
  return changes;
}

type Case = {
  id: string;
  says?: string;
  extra?: Json;
  filter?: Json;
  change: (t: TestContext, ids: string[]) => Promise<unknown>;
};
const cases: Case[] = [
  { id: "nothing", change: async () => {} },
  { id: "arrival", change: (t) => t.email({ receivedAt: at(9) }) },
  { id: "arrival-in-the-middle", change: (t) => t.email({ receivedAt: at(2), subject: t.unique() }) },
  { id: "destroy", change: (t, ids) => t.set("Email", { destroy: [ids[1]] }) },
  {
    id: "moved-away",
    change: async (t, ids) => update(t, "Email", ids[1] as string, { mailboxIds: yes(await t.mailbox()) }),
  },
  {
    id: "moved-in",
    change: async (t) => {
      const { id } = await t.email({ in: await t.mailbox(), receivedAt: at(2) });
      await update(t, "Email", id, { mailboxIds: yes(await t.box()) });
    },
  },
  {
    id: "keyword-out",
    filter: { notKeyword: "todo" },
    change: (t, ids) => update(t, "Email", ids[1] as string, { "keywords/todo": true }),
  },
  {
    id: "keyword-in",
    filter: { hasKeyword: "todo" },
    change: (t, ids) => update(t, "Email", ids[1] as string, { "keywords/todo": true }),
  },
  {
    id: "keyword-sort",
    extra: { sort: [{ property: "hasKeyword", keyword: "todo", isAscending: false }, ...newest] },
    change: (t, ids) => update(t, "Email", ids[2] as string, { "keywords/todo": true }),
  },
  {
    id: "many",
    change: async (t, ids) => {
      await t.emails([{ receivedAt: at(1) }, { receivedAt: at(8) }, { receivedAt: at(3) }]);
      await t.set("Email", { destroy: [ids[0], ids[2]] });
      await t.email({ receivedAt: at(9) });
    },
  },
  {
    id: "collapsed-arrival",
    says: 'collapseThreads: The "collapseThreads" argument that was used with "Email/query".',
    extra: { collapseThreads: true },
    change: async (t, ids) => {
      const { subject, messageId } = await t.find<{ subject: string; messageId: string[] }>("Email", ids[2] as string, [
        "subject",
        "messageId",
      ]);
      await t.email({ receivedAt: at(9), subject: `Re: ${subject}`, references: `<${messageId[0]}>` });
    },
  },
  {
    id: "collapsed-destroy",
    says: 'collapseThreads: The "collapseThreads" argument that was used with "Email/query".',
    extra: { collapseThreads: true },
    change: (t, ids) => t.set("Email", { destroy: [ids[3]] }),
  },
];

async function four(t: TestContext): Promise<string[]> {
  const subject = t.unique("Thread");
  const messageId = `<${t.unique("thread")}@conformance.example>`;
  const made = await t.emails([
    { receivedAt: at(4) },
    { receivedAt: at(3) },
    { receivedAt: at(1), subject, messageId },
    { receivedAt: at(5), subject: `Re: ${subject}`, references: messageId },
  ]);
  return made.map(({ id }) => id);
}

export const emailQueryChanges = defineTests(mailGroup("4.5", "Email/queryChanges"), [
  ...cases.map(({ id, says = 'This is a standard "/queryChanges" method.', extra, filter, change }) => ({
    id: `changes-${id}`,
    level: "MUST" as const,
    says,
    run: async (t: TestContext) => {
      const ids = await four(t);
      const watched = await watch(t, extra, filter);
      await change(t, ids);
      await follows(t, watched);
    },
  })),
  {
    id: "up-to-id",
    level: "MUST",
    says: 'This is a standard "/queryChanges" method: upToId – the last (highest-index) id the client currently has cached from the query results.',
    run: async (t) => {
      const ids = await four(t);
      const { args, before } = await watch(t);
      const upToId = before.ids[1] as string;
      await t.set("Email", { destroy: [ids[0]] });
      await t.email({ receivedAt: at(9) });
      const changes = await t.one<QueryChangesResult>("Email/queryChanges", {
        ...args,
        sinceQueryState: before.queryState,
        upToId,
      });
      const cached = before.ids.slice(0, 2).filter((id) => !changes.removed.includes(id));
      for (const { id, index } of changes.added) if (index <= cached.length) cached.splice(index, 0, id);
      const fresh = (await t.one<QueryResult>("Email/query", args)).ids;
      same(cached, fresh.slice(0, cached.length), "the cached part with the changes applied");
    },
  },
  {
    id: "max-changes",
    level: "MUST",
    says: 'This is a standard "/queryChanges" method: tooManyChanges – there are more changes than the client\'s maxChanges argument.',
    run: async (t) => {
      await four(t);
      const { args, before } = await watch(t);
      await t.emails([{}, {}, {}]);
      const since = { ...args, sinceQueryState: before.queryState };
      await t.error("Email/queryChanges", { ...since, maxChanges: 1 }, ["tooManyChanges", "cannotCalculateChanges"]);
      const enough = await t.one<QueryChangesResult>("Email/queryChanges", { ...since, maxChanges: 50 });
      ok(enough.added.length >= 3, "added lacks an Email");
    },
  },
  {
    id: "unknown-state",
    level: "MUST",
    says: 'This is a standard "/queryChanges" method: cannotCalculateChanges.',
    run: async (t) => {
      const args = { filter: { inMailbox: await t.box() }, sinceQueryState: "no-such-state" };
      await t.error("Email/queryChanges", args, ["cannotCalculateChanges", "invalidArguments"]);
    },
  },
  {
    id: "total-only-if-asked",
    level: "MUST",
    says: 'This is a standard "/queryChanges" method: total – this argument MUST be omitted if the calculateTotal request argument is not true.',
    run: async (t) => {
      const { args, before } = await watch(t);
      const changes = await t.one("Email/queryChanges", { ...args, sinceQueryState: before.queryState });
      ok(!("total" in changes), "the answer has a total");
    },
  },
]);
