import { type ChangesResult, core, mail } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests, type TestDefinition } from "../runner/define.ts";
import { equal, excludes, fail, isArray, isString, ok, oneOf, same, show } from "../runner/expect.ts";
import { noSuchId, type Subject, subjects, updateOne } from "./support.ts";

const group = { rfc: "rfc8620", section: "5.2", title: "/changes", requires: [core, mail] };

/** All pages; each keeps to `maxChanges`, echoes its old state and has known lists. */
async function pages(t: TestContext, type: string, since: string, maxChanges: number | null): Promise<ChangesResult[]> {
  const all: ChangesResult[] = [];
  for (let sinceState = since; ; ) {
    const page = await t.one<ChangesResult>(`${type}/changes`, { sinceState, maxChanges });
    equal(page.oldState, sinceState, "oldState");
    isString(page.newState, "newState");
    for (const name of ["created", "updated", "destroyed"] as const) isArray(page[name], name);
    const size = page.created.length + page.updated.length + page.destroyed.length;
    if (maxChanges !== null) ok(size <= maxChanges, `${size} ids with maxChanges ${maxChanges}: ${show(page)}`);
    all.push(page);
    if (!page.hasMoreChanges) return all;
    if (all.length > 500) fail("500 pages and still hasMoreChanges");
    sinceState = page.newState;
  }
}

/** Which lists name the id, a letter each, page by page. */
function lists(all: readonly ChangesResult[], id: string): string[] {
  return all
    .map((page) => (["created", "updated", "destroyed"] as const).filter((name) => page[name].includes(id)).join("+"))
    .filter((names) => names !== "");
}

/** What the pages together say of the id; a record that is new may be called updated as well, but in a legal order. */
function outcome(all: readonly ChangesResult[], id: string | undefined): string {
  const kinds = lists(all, id as string).flatMap((names) => names.split("+"));
  const created = kinds.indexOf("created");
  ok(created <= 0, `created comes after another list: ${kinds}`);
  const destroyed = kinds.indexOf("destroyed");
  ok(destroyed < 0 || destroyed === kinds.length - 1, `another list comes after destroyed: ${kinds}`);
  return destroyed >= 0 ? "destroyed" : (kinds[0] ?? "");
}

const single = ({ type, make, change, destroy }: Subject): TestDefinition[] => [
  {
    id: `nothing[${type}]`,
    level: "MUST",
    says: "If false, “newState” is the current server state (nothing changed, so nothing is listed).",
    exclusive: true,
    run: async (t) => {
      await make(t);
      const sinceState = await t.state(type);
      const answer = await t.one<ChangesResult>(`${type}/changes`, { sinceState });
      equal(answer.accountId, t.accountId, "accountId");
      equal(answer.oldState, sinceState, "oldState");
      equal(answer.newState, sinceState, "newState");
      for (const name of ["created", "updated", "destroyed"] as const) same(answer[name], [], name);
      equal(answer.hasMoreChanges, false, "hasMoreChanges");
    },
  },
  {
    id: `created[${type}]`,
    level: "MUST",
    says: "created: an array of ids for records that have been created since the old state.",
    run: async (t) => {
      const since = await t.state(type);
      const id = await make(t);
      equal(outcome(await pages(t, type, since, null), id), "created", "where the new record is");
    },
  },
  {
    id: `updated[${type}]`,
    level: "MUST",
    says: "updated: an array of ids for records that have been updated since the old state.",
    run: async (t) => {
      const id = await make(t);
      const since = await t.state(type);
      await updateOne(t, type, id, change(t));
      equal(outcome(await pages(t, type, since, null), id), "updated", "where the changed record is");
    },
  },
  {
    id: `destroyed[${type}]`,
    level: "MUST",
    says: "destroyed: an array of ids for records that have been destroyed since the old state.",
    run: async (t) => {
      const id = await make(t);
      const since = await t.state(type);
      await destroy(t, id);
      equal(outcome(await pages(t, type, since, null), id), "destroyed", "where the destroyed record is");
    },
  },
  {
    id: `recent-state[${type}]`,
    level: "SHOULD",
    says: "Servers SHOULD be able to calculate changes from any state string that was given to a client within the last 30 days.",
    run: async (t) => {
      const sinceState = await t.state(type);
      await destroy(t, await make(t));
      const [answer] = await t.call([[`${type}/changes`, { accountId: t.accountId, sinceState }, "c"]]);
      equal(answer?.[0], `${type}/changes`, `name of the response ${show(answer?.[1])}`);
    },
  },
  {
    id: `unchanged-not-listed[${type}]`,
    level: "MUST",
    says: "updated holds ids for records that have been updated since the old state (and no others).",
    run: async (t) => {
      const [quiet, loud] = [await make(t), await make(t)];
      const since = await t.state(type);
      await updateOne(t, type, loud, change(t));
      same(lists(await pages(t, type, since, null), quiet), [], "lists that name the unchanged record");
    },
  },
];

const combined = ({ type, make, change, destroy }: Subject): TestDefinition[] => [
  {
    id: `created-and-updated[${type}]`,
    level: "SHOULD",
    says: "If a record has been created AND updated since the old state, the server SHOULD just return the id in the “created” list but MAY return it in the “updated” list as well.",
    run: async (t) => {
      const since = await t.state(type);
      const id = await make(t);
      await updateOne(t, type, id, change(t));
      same(lists(await pages(t, type, since, null), id), ["created"], "lists that name the record");
    },
  },
  {
    id: `updated-and-destroyed[${type}]`,
    level: "SHOULD",
    says: "If a record has been updated AND destroyed since the old state, the server SHOULD just return the id in the “destroyed” list.",
    run: async (t) => {
      const id = await make(t);
      const since = await t.state(type);
      await updateOne(t, type, id, change(t));
      await destroy(t, id);
      same(lists(await pages(t, type, since, null), id), ["destroyed"], "lists that name the record");
    },
  },
  {
    id: `created-and-destroyed[${type}]`,
    level: "SHOULD",
    says: "If a record has been created AND destroyed since the old state, the server SHOULD remove the id from the response entirely.",
    run: async (t) => {
      const since = await t.state(type);
      const id = await make(t);
      await destroy(t, id);
      same(lists(await pages(t, type, since, null), id), [], "lists that name the record");
    },
  },
  {
    id: `created-and-destroyed-not-created[${type}]`,
    level: "MUST",
    says: "However, it MAY include it in just the “destroyed” list or in both the “destroyed” and “created” lists.",
    run: async (t) => {
      const since = await t.state(type);
      const id = await make(t);
      await destroy(t, id);
      const last = lists(await pages(t, type, since, null), id).at(-1) ?? "destroyed";
      ok(last.includes("destroyed"), `the destroyed record is last in ${last}`);
    },
  },
];

const paging = ({ type, make, change, destroy }: Subject): TestDefinition[] =>
  [1, 2, 7].map((maxChanges) => ({
    id: `max-changes-${maxChanges}[${type}]`,
    level: "MUST",
    says: "The server MUST ensure the number of ids returned across “created”, “updated”, and “destroyed” does not exceed this limit; the client continues to call “Foo/changes” until it is fully up to date.",
    run: async (t) => {
      const old = [await make(t), await make(t), await make(t), await make(t)];
      const since = await t.state(type);
      const fresh = [await make(t), await make(t), await make(t)];
      for (const id of [old[0], old[1], fresh[0]] as string[]) await updateOne(t, type, id, change(t));
      for (const id of [old[1], old[2], fresh[1]] as string[]) await destroy(t, id);
      const all = await pages(t, type, since, maxChanges);
      equal(outcome(all, fresh[0]), "created", "where the new, changed record is");
      equal(outcome(all, fresh[2]), "created", "where the new record is");
      equal(outcome(all, old[0]), "updated", "where the changed record is");
      equal(outcome(all, old[1]), "destroyed", "where the changed and destroyed record is");
      equal(outcome(all, old[2]), "destroyed", "where the destroyed record is");
      equal(outcome(all, old[3]), "", "where the unchanged record is");
      oneOf(outcome(all, fresh[1]), ["", "destroyed"], "where the record is that came and went");
    },
  }));

const refusals = ({ type }: Subject): TestDefinition[] => [
  {
    id: `max-changes-zero[${type}]`,
    level: "MUST",
    says: "If supplied by the client, the value MUST be a positive integer greater than 0. If a value outside of this range is given, the server MUST reject the call with an “invalidArguments” error.",
    run: async (t) => {
      const sinceState = await t.state(type);
      for (const maxChanges of [0, -1, 1.5])
        await t.error(`${type}/changes`, { sinceState, maxChanges }, "invalidArguments");
    },
  },
  {
    id: `unknown-state[${type}]`,
    level: "MUST",
    says: "cannotCalculateChanges: the server cannot calculate the changes from the state string given by the client.",
    run: async (t) => {
      // A string that no server ever gave may also be called an invalid argument.
      const refusal = ["cannotCalculateChanges", "invalidArguments"];
      await t.error(`${type}/changes`, { sinceState: noSuchId }, refusal);
      await t.error(`${type}/changes`, { sinceState: "" }, refusal);
    },
  },
  {
    id: `state-missing[${type}]`,
    level: "MUST",
    says: "sinceState: “String”: the current state of the client (a required argument).",
    run: (t) => t.error(`${type}/changes`, {}, "invalidArguments"),
  },
];

const large = defineTests(group, [
  {
    id: "pages-within-one-set",
    level: "SHOULD",
    says: "If there are more changes than this between the client's state and the current server state, the server SHOULD generate an update to take the client to an intermediate state.",
    run: async (t) => {
      const since = await t.state("Mailbox");
      const made = await t.mailboxes(Array.from({ length: 9 }, () => ({})));
      const created = (await pages(t, "Mailbox", since, 2)).flatMap((page) => page.created);
      for (const id of made) equal(created.filter((one) => one === id).length, 1, `times that ${id} is in created`);
    },
  },
  {
    id: "destroyed-not-updated-later",
    level: "MUST",
    says: "The server MUST NOT return a record as created after a response that deems it as updated or destroyed, and it MUST NOT return a record as destroyed before a response that deems it as created or updated.",
    run: async (t) => {
      const old = await t.mailboxes(Array.from({ length: 6 }, () => ({})));
      const since = await t.state("Mailbox");
      for (const id of old) await updateOne(t, "Mailbox", id, { sortOrder: 3 });
      await t.set("Mailbox", { destroy: old.slice(0, 3) });
      for (const id of old.slice(3)) await updateOne(t, "Mailbox", id, { sortOrder: 4 });
      const all = await pages(t, "Mailbox", since, 1);
      for (const id of old.slice(0, 3)) equal(lists(all, id).at(-1), "destroyed", `last list of ${id}`);
      for (const id of old.slice(3)) {
        excludes(lists(all, id), "destroyed", `lists of ${id}`);
        excludes(lists(all, id), "created", `lists of ${id}`);
        ok(lists(all, id).length > 0, `${id} was not listed`);
      }
    },
  },
  {
    id: "change-while-paging",
    level: "MUST",
    says: "Should the state on the server be modified in the middle of all this, it would indicate that it still has more changes for the client to fetch.",
    run: async (t) => {
      const since = await t.state("Mailbox");
      const made = await t.mailboxes([{}, {}, {}]);
      const first = await t.one<ChangesResult>("Mailbox/changes", { sinceState: since, maxChanges: 1 });
      const late = await t.mailbox();
      await t.set("Mailbox", { destroy: [made[1]] });
      const all = [first, ...(first.hasMoreChanges ? await pages(t, "Mailbox", first.newState, 1) : [])];
      equal(outcome(all, late), "created", "where the record made while paging is");
      oneOf(outcome(all, made[1]), ["", "destroyed"], "where the record destroyed while paging is");
      equal(outcome(all, made[2]), "created", "where an older record is");
    },
  },
]);

export const changes = [
  ...subjects.flatMap((subject) =>
    defineTests(group, [...single(subject), ...combined(subject), ...paging(subject), ...refusals(subject)]),
  ),
  ...large,
];
