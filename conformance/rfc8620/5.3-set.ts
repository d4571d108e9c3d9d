import { core, type Json, mail, type SetResult } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import {
  differs,
  equal,
  excludes,
  isObject,
  isString,
  ok,
  same,
  sameMembers,
  setError,
  show,
} from "../runner/expect.ts";
import { createdId, noSuchId, updateOne } from "./support.ts";

const group = { rfc: "rfc8620", section: "5.3", title: "/set", requires: [core, mail] };

const response = defineTests(group, [
  {
    id: "states",
    level: "MUST",
    says: "oldState: the state string that would have been returned by “Foo/get” before making the requested changes, or null; newState: the state string that will now be returned by “Foo/get”.",
    exclusive: true,
    run: async (t) => {
      const parentId = await t.box();
      const before = await t.state("Mailbox");
      const answer = await t.set("Mailbox", { create: { m: { name: "m", parentId } } });
      t.destroyLater("Mailbox", createdId(answer, "m"));
      equal(answer.accountId, t.accountId, "accountId");
      if ((answer.oldState ?? null) !== null) equal(answer.oldState, before, "oldState");
      isString(answer.newState, "newState");
      differs(answer.newState, before, "newState");
      equal(await t.state("Mailbox"), answer.newState, "state after the /set");
    },
  },
  {
    id: "nothing-changed",
    level: "SHOULD",
    says: "If the Foo data is unchanged, servers SHOULD return the same state string.",
    exclusive: true,
    run: async (t) => {
      await t.box();
      const before = await t.state("Mailbox");
      equal((await t.set("Mailbox", { destroy: [noSuchId] })).newState, before, "newState");
    },
  },
  {
    id: "created-properties",
    level: "MUST",
    says: "created includes all server-set properties (such as the “id”) and any properties that were omitted by the client and thus set to a default by the server.",
    run: async (t) => {
      const parentId = await t.box();
      const answer = await t.set("Mailbox", { create: { m: { name: "m", parentId } } });
      t.destroyLater("Mailbox", createdId(answer, "m"));
      const made = answer.created?.m;
      isObject(made, "created/m");
      const counts = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };
      for (const [name, value] of Object.entries({ ...counts, role: null, sortOrder: 0 }))
        equal(made[name], value, name);
      isObject(made.myRights, "myRights");
      equal(typeof made.isSubscribed, "boolean", "type of isSubscribed");
    },
  },
  {
    id: "updated-null",
    level: "MUST",
    says: "The value for each id is a Foo object containing any property that changed in a way *not* explicitly requested by the PatchObject, or null if none.",
    run: async (t) => {
      const id = await t.mailbox();
      const value = await updateOne(t, "Mailbox", id, { sortOrder: 5 });
      ok(value === null || Object.keys(value).length === 0, `the value of updated is ${show(value)}`);
    },
  },
  {
    id: "null-when-none",
    level: "MUST",
    says: "This argument is null if no Foo objects were successfully created (updated, destroyed), and each not… null if all successful.",
    run: async (t) => {
      const id = await t.mailbox();
      const good = await t.set("Mailbox", { update: { [id]: { sortOrder: 1 } } });
      for (const name of ["created", "destroyed", "notCreated", "notUpdated", "notDestroyed"] as const) {
        equal(good[name] ?? null, null, name);
      }
      const bad = await t.set("Mailbox", { update: { [id]: { noSuchProperty: 1 } } });
      equal(bad.updated ?? null, null, "updated");
    },
  },
]);

const states = defineTests(group, [
  {
    id: "if-in-state",
    level: "MUST",
    says: "If supplied, the string must match the current state.",
    exclusive: true,
    run: async (t) => {
      const id = await t.mailbox();
      const ifInState = await t.state("Mailbox");
      const answer = await t.set("Mailbox", { ifInState, update: { [id]: { sortOrder: 2 } } });
      ok(answer.updated && id in answer.updated, `the update was refused: ${show(answer)}`);
    },
  },
  {
    id: "state-mismatch",
    level: "MUST",
    says: "Otherwise, the method will be aborted and a “stateMismatch” error returned.",
    run: async (t) => {
      const id = await t.mailbox({ sortOrder: 1 });
      const ifInState = await t.state("Mailbox");
      await updateOne(t, "Mailbox", id, { sortOrder: 2 });
      const change = { ifInState, update: { [id]: { sortOrder: 3 } } };
      await t.error("Mailbox/set", change, "stateMismatch");
      for (const other of [noSuchId, ""])
        await t.error("Mailbox/set", { ...change, ifInState: other }, "stateMismatch");
      equal((await t.find("Mailbox", id)).sortOrder, 2, "sortOrder");
    },
  },
  {
    id: "repeated-with-old-state",
    level: "MUST",
    says: "A /set repeated with its old ifInState is aborted with “stateMismatch” and changes nothing.",
    exclusive: true,
    run: async (t) => {
      const parentId = await t.box();
      const ifInState = await t.state("Mailbox");
      const once = { ifInState, create: { m: { name: t.unique(), parentId } } };
      t.destroyLater("Mailbox", createdId(await t.set("Mailbox", once), "m"));
      const after = await t.state("Mailbox");
      await t.error("Mailbox/set", once, "stateMismatch");
      equal(await t.state("Mailbox"), after, "state");
    },
  },
]);

const records = defineTests(group, [
  {
    id: "not-found",
    level: "MUST",
    says: "If an id given cannot be found, the update or destroy MUST be rejected with a “notFound” set error.",
    run: async (t) => {
      const other = `${noSuchId}-2`;
      const answer = await t.set("Mailbox", { update: { [noSuchId]: { name: "x" } }, destroy: [other] });
      setError(answer.notUpdated, noSuchId, "notFound");
      setError(answer.notDestroyed, other, "notFound");
    },
  },
  {
    id: "continues-after-rejection",
    level: "MUST",
    says: "The server MUST continue to the next create/update/destroy. It does not terminate the method.",
    run: async (t) => {
      const parentId = await t.box();
      const [changed, gone] = (await t.mailboxes([{}, {}])) as [string, string];
      const otherId = `${noSuchId}-2`;
      const answer = await t.set("Mailbox", {
        create: { bad: { name: 5, parentId }, good: { name: "good", parentId } },
        update: { [noSuchId]: { sortOrder: 1 }, [changed]: { sortOrder: 1 } },
        destroy: [otherId, gone],
      });
      t.destroyLater("Mailbox", createdId(answer, "good"));
      setError(answer.notCreated, "bad", "invalidProperties");
      setError(answer.notUpdated, noSuchId, "notFound");
      setError(answer.notDestroyed, otherId, "notFound");
      sameMembers(Object.keys(answer.updated ?? {}), [changed], "updated");
      same(answer.destroyed, [gone], "destroyed");
    },
  },
  {
    id: "record-is-atomic",
    level: "MUST",
    says: "It MUST NOT only commit part of an update to a single record (e.g., update a “name” property but not a “count” property).",
    run: async (t) => {
      const id = await t.mailbox({ sortOrder: 1 });
      const answer = await t.set("Mailbox", { update: { [id]: { sortOrder: 2, name: 5 } } });
      setError(answer.notUpdated, id, "invalidProperties");
      equal((await t.find("Mailbox", id)).sortOrder, 1, "sortOrder");
    },
  },
  {
    id: "swap-unique-names",
    level: "MUST",
    says: "A single method call could rename an object A => B and simultaneously rename another object B => A. If the final state is valid, this is allowed.",
    run: async (t) => {
      const parentId = await t.box();
      const [a, b] = (await t.mailboxes([
        { parentId, name: "A" },
        { parentId, name: "B" },
      ])) as [string, string];
      const answer = await t.set("Mailbox", { update: { [a]: { name: "B" }, [b]: { name: "A" } } });
      sameMembers(Object.keys(answer.updated ?? {}), [a, b], `updated (${show(answer.notUpdated)})`);
      equal((await t.find("Mailbox", a)).name, "B", "name of the first");
    },
  },
  {
    id: "name-of-destroyed",
    level: "MUST",
    says: "The final state MUST be valid after the “Foo/set” is finished; however, the server may have to transition through invalid intermediate states.",
    run: async (t) => {
      const parentId = await t.box();
      const old = await t.mailbox({ parentId, name: "same" });
      const answer = await t.set("Mailbox", { create: { m: { name: "same", parentId } }, destroy: [old] });
      t.destroyLater("Mailbox", createdId(answer, "m"));
      same(answer.destroyed, [old], "destroyed");
    },
  },
  {
    id: "update-and-destroy",
    level: "MUST",
    says: "The server MAY skip an update (rejecting it with a “willDestroy” SetError) if that object is destroyed in the same /set request.",
    run: async (t) => {
      const id = await t.mailbox();
      const answer = await t.set("Mailbox", { update: { [id]: { sortOrder: 9 } }, destroy: [id] });
      same(answer.destroyed, [id], "destroyed");
      if (!answer.updated || !(id in answer.updated)) setError(answer.notUpdated, id, "willDestroy");
      same(await t.get("Mailbox", [id]), [], "list after it");
    },
  },
]);

const invalid = defineTests(group, [
  {
    id: "server-set-in-create",
    level: "MUST",
    says: "invalidProperties: it contains a property that may only be set by the server. The client MUST omit any properties that may only be set by the server.",
    run: async (t) => {
      const parentId = await t.box();
      const answer = await t.set("Mailbox", { create: { m: { name: "m", parentId, totalEmails: 7, id: "mine" } } });
      setError(answer.notCreated, "m", "invalidProperties");
    },
  },
  {
    id: "server-set-same-value",
    level: "MUST",
    says: "Any server-set properties MAY be included in the patch if their value is identical to the current server value.",
    run: async (t) => {
      const id = await t.mailbox();
      await updateOne(t, "Mailbox", id, { id, totalEmails: 0, sortOrder: 4 });
      equal((await t.find("Mailbox", id)).sortOrder, 4, "sortOrder");
    },
  },
  {
    id: "server-set-other-value",
    level: "MUST",
    says: "Otherwise, the update MUST be rejected with an “invalidProperties” SetError.",
    run: async (t) => {
      const id = await t.mailbox();
      for (const patch of [{ totalEmails: 1 }, { id: "other" }, { "myRights/mayDelete": "x" }] as Json[]) {
        setError((await t.set("Mailbox", { update: { [id]: patch } })).notUpdated, id, "invalidProperties");
      }
    },
  },
  {
    id: "unknown-property",
    level: "MUST",
    says: "invalidProperties: it contains properties that are invalid according to the type specification of this record type.",
    run: async (t) => {
      const parentId = await t.box();
      const answer = await t.set("Mailbox", {
        create: { m: { name: "m", parentId, noSuchProperty: 1 } },
        update: { [parentId]: { noSuchProperty: 1 } },
      });
      setError(answer.notCreated, "m", "invalidProperties");
      setError(answer.notUpdated, parentId, "invalidProperties");
    },
  },
  {
    id: "foreign-key",
    level: "MUST",
    says: "invalidProperties: there is a reference to another record (foreign key), and the given id does not correspond to a valid record.",
    run: async (t) => {
      const answer = await t.set("Mailbox", { create: { m: { name: "m", parentId: noSuchId } } });
      setError(answer.notCreated, "m", "invalidProperties");
    },
  },
  {
    id: "properties-listed",
    level: "SHOULD",
    says: "The SetError object SHOULD also have a property called “properties” of type “String[]” that lists *all* the properties that were invalid.",
    run: async (t) => {
      const create = { m: { name: 5, parentId: await t.box(), sortOrder: "first", noSuchProperty: 1 } };
      const { notCreated } = await t.set("Mailbox", { create });
      setError(notCreated, "m", "invalidProperties", ["name", "sortOrder", "noSuchProperty"]);
    },
  },
  {
    id: "immutable",
    level: "MUST",
    says: "“immutable”: the value MUST NOT change after the object is created.",
    run: async (t) => {
      const { id } = await t.email({ subject: "before" });
      const answer = await t.set("Email", { update: { [id]: { subject: "after" } } });
      setError(answer.notUpdated, id, "invalidProperties");
      equal((await t.find("Email", id, ["subject"])).subject, "before", "subject");
    },
  },
]);

const limits = defineTests(group, [
  {
    id: "request-too-large",
    level: "MUST",
    says: "requestTooLarge: the total number of objects to create, update, or destroy exceeds the maximum number the server is willing to process in a single method call.",
    run: async (t) => {
      const count = t.limit("maxObjectsInSet");
      if (count > 20_000) t.skip(`maxObjectsInSet is ${count}`);
      const name = t.unique("never");
      const destroy = Array.from({ length: count - 1 }, (_, at) => `${noSuchId}-${at}`);
      const create = { m: { name, parentId: await t.box() } };
      const update = { [noSuchId]: { name: "x" } };
      await t.error("Mailbox/set", { create, update, destroy }, "requestTooLarge");
      same((await t.one<{ ids: string[] }>("Mailbox/query", { filter: { name } })).ids, [], "mailboxes made");
    },
  },
  {
    id: "limit-reached",
    level: "MUST",
    says: "maxObjectsInSet: the maximum number of objects the client may send to create, update, or destroy in a single /set type method call.",
    run: async (t) => {
      const count = t.limit("maxObjectsInSet");
      if (count > 20_000) t.skip(`maxObjectsInSet is ${count}`);
      const destroy = Array.from({ length: count }, (_, at) => `${noSuchId}-${at}`);
      const answer: SetResult = await t.set("Email", { destroy });
      equal(Object.keys(answer.notDestroyed ?? {}).length, count, "number in notDestroyed");
    },
  },
  {
    id: "destroyed-is-gone",
    level: "MUST",
    says: "destroy: a list of ids for Foo objects to permanently delete.",
    run: async (t) => {
      const { id } = await t.email();
      same((await t.set("Email", { destroy: [id] })).destroyed, [id], "destroyed");
      same(await t.get("Email", [id]), [], "list");
      const { ids } = await t.one<{ ids: string[] }>("Email/query", { filter: { inMailbox: await t.box() } });
      excludes(ids, id, "ids of the query");
    },
  },
]);

export const set = [...response, ...states, ...records, ...invalid, ...limits];
