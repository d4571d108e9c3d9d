import { core, type Json, mail, type QueryChangesResult, type QueryResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests, type TestDefinition } from "../runner/define.ts";
import { equal, excludes, includes, isArray, ok, same, show } from "../runner/expect.ts";
import { noSuchId } from "./support.ts";

const group = { rfc: "rfc8620", section: "5.6", title: "/queryChanges", requires: [core, mail] };

type Cached = { type: string; query: Json; ids: string[]; queryState: string };

async function remember(t: TestContext, type: string, query: Json): Promise<Cached> {
  const answer = await t.one<QueryResult>(`${type}/query`, query);
  if (!answer.canCalculateChanges) t.skip("canCalculateChanges is false for this query");
  return { type, query, ids: answer.ids, queryState: answer.queryState };
}

/** A server may be unable to answer at any time; then there is nothing to test. */
async function delta(
  t: TestContext,
  { type, query, queryState }: Cached,
  more: Json = {},
): Promise<QueryChangesResult> {
  const args = { accountId: t.accountId, ...query, sinceQueryState: queryState, ...more };
  const [answer] = await t.call([[`${type}/queryChanges`, args, "0"]]);
  if (answer?.[0] === "error" && answer[1].type === "cannotCalculateChanges") t.skip("cannotCalculateChanges");
  equal(answer?.[0], `${type}/queryChanges`, `name of the response ${show(answer)}`);
  const result = answer?.[1] as QueryChangesResult;
  equal(result.oldQueryState, queryState, "oldQueryState");
  isArray(result.removed, "removed");
  isArray(result.added, "added");
  return result;
}

/** What RFC 8620 §5.6 has a client do with its cached list. */
function splice(ids: readonly string[], { removed, added }: QueryChangesResult): string[] {
  const list = ids.filter((id) => !removed.includes(id));
  let last = -1;
  for (const { id, index } of added) {
    ok(index > last, `added is not in order of index: ${show(added)}`);
    last = index;
    list.splice(index, 0, id);
  }
  return list;
}

/** The cached list with the changes applied equals a fresh query, and so do the states. */
async function agrees(t: TestContext, cached: Cached): Promise<QueryChangesResult> {
  const change = await delta(t, cached);
  const fresh = await t.one<QueryResult>(`${cached.type}/query`, cached.query);
  same(splice(cached.ids, change), fresh.ids, `the cached ids after ${show(change)}`);
  return change;
}

async function emails(t: TestContext, more: Json = {}): Promise<{ ids: string[]; cached: Cached }> {
  const days = [1, 2, 3, 4, 5].map((day) => ({ receivedAt: `2024-04-0${day}T00:00:00Z` }));
  const ids = (await t.emails(days)).map(({ id }) => id);
  const sort = [{ property: "receivedAt", isAscending: false }];
  return { ids, cached: await remember(t, "Email", { filter: { inMailbox: await t.box(), ...more }, sort }) };
}

const applied: readonly [string, (t: TestContext, ids: string[]) => Promise<unknown>][] = [
  ["nothing", async () => {}],
  ["added-first", (t) => t.email({ receivedAt: "2024-05-01T00:00:00Z" })],
  ["added-last", (t) => t.email({ receivedAt: "2024-03-01T00:00:00Z" })],
  ["added-between", (t) => t.email({ receivedAt: "2024-04-03T12:00:00Z" })],
  ["destroyed", (t, ids) => t.set("Email", { destroy: [ids[1], ids[3]] })],
  [
    "moved-away",
    async (t, ids) => {
      const mailboxIds = { [await t.mailbox()]: true };
      await t.set("Email", { update: { [ids[2] as string]: { mailboxIds } } });
    },
  ],
  [
    "several",
    async (t, ids) => {
      await t.emails(["2024-05-02T00:00:00Z", "2024-04-02T06:00:00Z"].map((receivedAt) => ({ receivedAt })));
      await t.set("Email", { destroy: [ids[0], ids[4]] });
    },
  ],
  [
    "came-and-went",
    async (t) => {
      const { id } = await t.email();
      await t.set("Email", { destroy: [id] });
    },
  ],
];

const splicing: TestDefinition[] = applied.map(([name, change]) => ({
  id: `splice-${name}`,
  level: "MUST",
  says: "If the client splices out all ids in the removed array and splices in all of the ids in the added array, then the results will now be in the new state.",
  run: async (t) => {
    const { ids, cached } = await emails(t);
    await change(t, ids);
    await agrees(t, cached);
  },
}));

const mutable: TestDefinition[] = [
  {
    id: "mutable-filter",
    level: "MUST",
    says: "If the “filter” or “sort” includes a mutable property, the server MUST include all Foos in the current results for which this property may have changed.",
    run: async (t) => {
      const { ids, cached } = await emails(t, { notKeyword: "hidden" });
      const [first, second] = ids as [string, string];
      await t.set("Email", { update: { [first]: { "keywords/hidden": true }, [second]: { "keywords/other": true } } });
      await agrees(t, cached);
      const { cached: later } = { cached: await remember(t, "Email", cached.query) };
      await t.set("Email", { update: { [first]: { "keywords/hidden": null } } });
      await agrees(t, later);
    },
  },
  {
    id: "mutable-sort",
    level: "MUST",
    says: "The position of these may have moved in the results, so they must be reinserted by the client to ensure its query cache is correct.",
    run: async (t) => {
      const parentId = await t.box();
      const ids = await t.mailboxes([1, 2, 3, 4].map((sortOrder) => ({ parentId, sortOrder })));
      const cached = await remember(t, "Mailbox", { filter: { parentId }, sort: [{ property: "sortOrder" }] });
      await t.set("Mailbox", {
        update: { [ids[0] as string]: { sortOrder: 9 }, [ids[3] as string]: { sortOrder: 0 } },
      });
      await agrees(t, cached);
    },
  },
  {
    id: "up-to-id-ignored-when-mutable",
    level: "MUST",
    says: "If they are not immutable, this argument (upToId) is ignored.",
    run: async (t) => {
      const { ids, cached } = await emails(t, { notKeyword: "hidden" });
      await t.set("Email", { update: { [ids[0] as string]: { "keywords/hidden": true } } });
      const change = await delta(t, cached, { upToId: ids[4] });
      includes(change.removed, ids[0], "removed");
    },
  },
];

/** Emails that a filter on an immutable property finds, the youngest first. */
async function marked(t: TestContext): Promise<{ ids: string[]; cached: Cached; headers: string[] }> {
  const mark = t.unique("mark");
  const headers = [`X-Conformance-Mark: ${mark}`];
  const days = [1, 2, 3, 4].map((day) => ({ receivedAt: `2024-04-0${day}T00:00:00Z`, headers }));
  const ids = (await t.emails(days)).map(({ id }) => id);
  const sort = [{ property: "receivedAt", isAscending: false }];
  const cached = await remember(t, "Email", { filter: { header: ["X-Conformance-Mark", mark] }, sort });
  same(cached.ids, ids.toReversed(), "ids found by a header");
  return { ids, cached, headers };
}

const rules: TestDefinition[] = [
  {
    id: "response",
    level: "MUST",
    says: "The response has accountId, oldQueryState (the “sinceQueryState” argument echoed back), newQueryState, removed, added.",
    exclusive: true,
    run: async (t) => {
      const { cached } = await emails(t);
      const change = await delta(t, cached);
      equal(change.accountId, t.accountId, "accountId");
      const fresh = await t.one<QueryResult>("Email/query", cached.query);
      equal(change.newQueryState, fresh.queryState, "newQueryState");
    },
  },
  {
    id: "new-state-continues",
    level: "MUST",
    says: "newQueryState: the state the query will be in after applying the set of changes to the old state.",
    run: async (t) => {
      const { ids, cached } = await emails(t);
      await t.email({ receivedAt: "2024-04-04T12:00:00Z" });
      const first = await agrees(t, cached);
      await t.set("Email", { destroy: [ids[2]] });
      await agrees(t, { ...cached, ids: splice(cached.ids, first), queryState: first.newQueryState });
    },
  },
  {
    id: "total",
    level: "MUST",
    says: "total: only if requested. This argument MUST be omitted if the “calculateTotal” request argument is not true.",
    run: async (t) => {
      const { cached } = await emails(t);
      await t.email();
      equal((await delta(t, cached, { calculateTotal: true })).total, 6, "total");
      ok(!("total" in (await delta(t, cached))), "total came without being asked for");
    },
  },
  {
    id: "too-many-changes",
    level: "MUST",
    says: "tooManyChanges: there are more changes than the client's “maxChanges” argument. Each item in the removed or added array is considered to be one change.",
    run: async (t) => {
      const { ids, cached } = await emails(t);
      await t.set("Email", { destroy: ids.slice(0, 3) });
      await delta(t, cached);
      const args = { ...cached.query, sinceQueryState: cached.queryState, maxChanges: 2 };
      await t.error("Email/queryChanges", args, "tooManyChanges");
    },
  },
  {
    id: "max-changes-reached",
    level: "MUST",
    says: "maxChanges: the maximum number of changes to return in the response.",
    run: async (t) => {
      const { cached } = await emails(t);
      await t.email();
      const { removed, added } = await delta(t, cached);
      await delta(t, cached, { maxChanges: removed.length + added.length });
    },
  },
  {
    id: "unknown-state",
    level: "MUST",
    says: "cannotCalculateChanges: the server cannot calculate the changes from the queryState string given by the client.",
    run: async (t) => {
      const { cached } = await emails(t);
      const args = { ...cached.query, sinceQueryState: noSuchId };
      await t.error("Email/queryChanges", args, ["cannotCalculateChanges", "invalidArguments"]);
    },
  },
  {
    id: "state-missing",
    level: "MUST",
    says: "sinceQueryState: “String” (a required argument).",
    run: (t) => t.error("Email/queryChanges", { filter: null, sort: null }, "invalidArguments"),
  },
  {
    id: "up-to-id",
    level: "SHOULD",
    says: "If the sort and filter are both only on immutable properties and an “upToId” is supplied and exists in the results, any ids that were added but have a higher index than “upToId” SHOULD be omitted.",
    run: async (t) => {
      const { ids, cached, headers } = await marked(t);
      const old = await t.email({ receivedAt: "2024-03-01T00:00:00Z", headers });
      const young = await t.email({ receivedAt: "2024-05-01T00:00:00Z", headers });
      const { added } = await delta(t, cached, { upToId: ids[2] });
      const named = added.map(({ id }) => id);
      includes(named, young.id, "added");
      excludes(named, old.id, "added");
    },
  },
  {
    id: "up-to-id-removed",
    level: "SHOULD",
    says: "Any ids that were removed but have a higher index than “upToId” SHOULD be omitted.",
    run: async (t) => {
      const { ids, cached } = await marked(t);
      await t.set("Email", { destroy: [ids[0], ids[3]] });
      const { removed } = await delta(t, cached, { upToId: ids[2] });
      includes(removed, ids[3], "removed");
      excludes(removed, ids[0], "removed");
    },
  },
  {
    id: "cannot-calculate",
    level: "MUST",
    says: "canCalculateChanges is true if the server supports calling “Foo/queryChanges” with these “filter”/“sort” parameters.",
    run: async (t) => {
      const query = { filter: { text: t.unique("word") } };
      const answer = await t.one<QueryResult>("Email/query", query);
      if (answer.canCalculateChanges) t.skip("the server can calculate changes of this query");
      await t.error("Email/queryChanges", { ...query, sinceQueryState: answer.queryState }, "cannotCalculateChanges");
    },
  },
];

export const queryChanges = defineTests(group, [...splicing, ...mutable, ...rules]);
