import { core, type Invocation, type Json, mail, type SetResult } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, ok, same, setError, show } from "../runner/expect.ts";
import { createdId, noSuchId } from "./support.ts";

const group = { rfc: "rfc8620", section: "5.3", title: "/set: creation ids", requires: [core, mail] };

/** A Mailbox/set whose creations go at the end of the test. */
async function setMailboxes(t: TestContext, args: Json): Promise<SetResult> {
  const answer = await t.set("Mailbox", args);
  t.destroyLater("Mailbox", ...Object.values(answer.created ?? {}).map(({ id }) => String(id)));
  return answer;
}

async function parentOf(t: TestContext, id: string): Promise<unknown> {
  return (await t.find("Mailbox", id, ["parentId"])).parentId;
}

const within = defineTests(group, [
  {
    id: "creation-id-in-create",
    level: "MUST",
    says: "The client refers to the new record using its creation id prefixed with a “#”.",
    run: async (t) => {
      const parentId = await t.box();
      const create = { p: { name: "p", parentId }, c: { name: "c", parentId: "#p" } };
      const answer = await setMailboxes(t, { create });
      equal(await parentOf(t, createdId(answer, "c")), createdId(answer, "p"), "parentId");
    },
  },
  {
    id: "creation-id-before-its-create",
    level: "MUST",
    says: "The server MUST order the creates and updates within a single method call so that creates happen before their creation ids are referenced by another create/update/destroy in the same call.",
    run: async (t) => {
      const parentId = await t.box();
      const create = {
        a: { name: "a", parentId: "#b" },
        b: { name: "b", parentId: "#c" },
        c: { name: "c", parentId },
      };
      const answer = await setMailboxes(t, { create });
      equal(await parentOf(t, createdId(answer, "a")), createdId(answer, "b"), "parentId of a");
      equal(await parentOf(t, createdId(answer, "b")), createdId(answer, "c"), "parentId of b");
    },
  },
  {
    id: "creation-id-in-update",
    level: "MUST",
    says: "That reference may be set (via create or update) in the same request as the referenced record is created.",
    run: async (t) => {
      const [parentId, moved] = (await t.mailboxes([{}, {}])) as [string, string];
      const answer = await setMailboxes(t, {
        create: { p: { name: "p", parentId } },
        update: { [moved]: { parentId: "#p" } },
      });
      equal(await parentOf(t, moved), createdId(answer, "p"), `parentId (${show(answer.notUpdated)})`);
    },
  },
  {
    id: "creation-id-as-key",
    level: "MUST",
    says: "If it comes across a reference to a creation id, it looks it up in the map (in the names of mailboxIds, which are ids).",
    run: async (t) => {
      const { accountId } = t;
      const parentId = await t.box();
      const { id } = await t.email();
      const [made] = await t.call([
        ["Mailbox/set", { accountId, create: { new: { name: "new", parentId } } }, "0"],
        ["Email/set", { accountId, update: { [id]: { mailboxIds: { "#new": true } } } }, "1"],
      ]);
      const box = createdId(made?.[1] as SetResult, "new");
      t.destroyLater("Mailbox", box);
      t.destroyLater("Email", id);
      same((await t.find("Email", id, ["mailboxIds"])).mailboxIds, { [box]: true }, "mailboxIds");
    },
  },
  {
    id: "creation-id-in-pointer",
    level: "SHOULD",
    says: "The client refers to the new record using its creation id prefixed with a “#” (as a part of a patch's pointer).",
    run: async (t) => {
      const { accountId } = t;
      const parentId = await t.box();
      const { id } = await t.email();
      const [made, update] = await t.call([
        ["Mailbox/set", { accountId, create: { new: { name: "new", parentId } } }, "0"],
        ["Email/set", { accountId, update: { [id]: { "mailboxIds/#new": true } } }, "1"],
      ]);
      const box = createdId(made?.[1] as SetResult, "new");
      t.destroyLater("Mailbox", box);
      const mailboxIds = (await t.find("Email", id, ["mailboxIds"])).mailboxIds;
      same(mailboxIds, { [parentId]: true, [box]: true }, `mailboxIds (${show(update)})`);
    },
  },
  {
    id: "creation-id-of-updated",
    level: "SHOULD",
    says: "Creates happen before their creation ids are referenced by another create/update/destroy in the same call (the record to update named by a creation id).",
    run: async (t) => {
      const parentId = await t.box();
      const answer = await setMailboxes(t, {
        create: { m: { name: "m", parentId } },
        update: { "#m": { sortOrder: 6 } },
      });
      equal((await t.find("Mailbox", createdId(answer, "m"))).sortOrder, 6, `sortOrder (${show(answer.notUpdated)})`);
    },
  },
  {
    id: "creation-id-of-destroyed",
    level: "SHOULD",
    says: "Creates happen before their creation ids are referenced by another create/update/destroy in the same call (the record to destroy named by a creation id).",
    run: async (t) => {
      const parentId = await t.box();
      const { accountId } = t;
      const [made, gone] = await t.call([
        ["Mailbox/set", { accountId, create: { m: { name: "m", parentId } } }, "0"],
        ["Mailbox/set", { accountId, destroy: ["#m"] }, "1"],
      ]);
      const id = createdId(made?.[1] as SetResult, "m");
      t.destroyLater("Mailbox", id);
      same(await t.get("Mailbox", [id]), [], `list (${show(gone)})`);
    },
  },
]);

/** One /set that makes a record and does something to it. */
const ownRecords = defineTests(
  group,
  (["Mailbox", "Email"] as const).flatMap((type) => {
    const given = async (t: TestContext, more: Json = {}): Promise<Json> => {
      const box = await t.box();
      if (type === "Mailbox") return { name: t.unique("own"), parentId: box, ...more };
      return { mailboxIds: { [box]: true }, subject: t.unique("own"), ...more };
    };
    const patch: Json = type === "Mailbox" ? { sortOrder: 6 } : { "keywords/$flagged": true };
    const isChanged = (record: Json) =>
      type === "Mailbox" ? record.sortOrder === 6 : (record.keywords as Json)?.$flagged === true;
    return [
      {
        id: `creation-id-of-destroyed-at-once[${type}]`,
        level: "SHOULD" as const,
        says: "Creates happen before their creation ids are referenced by another create/update/destroy in the same call (the record to destroy is one that the same call creates).",
        run: async (t: TestContext) => {
          const answer = await t.set(type, { create: { a: await given(t), b: await given(t) }, destroy: ["#a"] });
          const [a, b] = [createdId(answer, "a"), createdId(answer, "b")];
          t.destroyLater(type, a, b);
          same(answer.destroyed, [a], `destroyed (${show(answer.notDestroyed)})`);
          same(
            (await t.get<{ id: string }>(type, [a, b])).map(({ id }) => id),
            [b],
            "ids in list",
          );
        },
      },
      {
        id: `creation-id-of-updated-at-once[${type}]`,
        level: "SHOULD" as const,
        says: "Creates happen before their creation ids are referenced by another create/update/destroy in the same call (the record to update is one that the same call creates).",
        run: async (t: TestContext) => {
          const answer = await t.set(type, { create: { a: await given(t) }, update: { "#a": patch } });
          const id = createdId(answer, "a");
          t.destroyLater(type, id);
          ok(isChanged(await t.find(type, id)), `the update was not done: ${show(answer.notUpdated)}`);
        },
      },
      {
        id: `creation-id-not-created-at-once[${type}]`,
        level: "MUST" as const,
        says: "notFound: The id given to update/destroy cannot be found (it stands for a record that the same call could not create).",
        run: async (t: TestContext) => {
          const create = { a: { ...(await given(t)), noSuchProperty: 1 } };
          const { created, updated, destroyed } = await t.set(type, {
            create,
            update: { "#a": patch },
            destroy: ["#a"],
          });
          same(
            [created ?? null, updated ?? null, destroyed ?? null],
            [null, null, null],
            "created, updated, destroyed",
          );
        },
      },
    ];
  }),
);

const refusals = defineTests(group, [
  {
    id: "unknown-creation-id",
    level: "MUST",
    says: "It looks it up in the map and replaces the reference with the real id, if found; invalidProperties: the given id does not correspond to a valid record.",
    run: async (t) => {
      const { notCreated } = await setMailboxes(t, { create: { m: { name: "m", parentId: `#${noSuchId}` } } });
      setError(notCreated, "m", "invalidProperties");
    },
  },
  {
    id: "failed-creation-id",
    level: "MUST",
    says: "The map holds each newly created record (a reference to one that was not created is invalid).",
    run: async (t) => {
      const create = { p: { name: 5, parentId: await t.box() }, c: { name: "c", parentId: "#p" } };
      const { notCreated } = await setMailboxes(t, { create });
      setError(notCreated, "p", "invalidProperties");
      setError(notCreated, "c", "invalidProperties");
    },
  },
  {
    id: "creation-id-cycle",
    level: "MUST",
    says: "Creates happen before their creation ids are referenced by another create (two that name each other cannot).",
    run: async (t) => {
      const create = {
        a: { name: "a", parentId: "#b" },
        b: { name: "b", parentId: "#a" },
        self: { name: "s", parentId: "#self" },
      };
      const { created, notCreated } = await setMailboxes(t, { create });
      equal(created ?? null, null, "created");
      for (const id of ["a", "b", "self"]) setError(notCreated, id, "invalidProperties");
    },
  },
  {
    id: "creation-id-of-later-call",
    level: "MUST",
    says: "The order of the method calls MUST be such that the record being referenced is created in the same or an earlier call. Thus, the server never has to look ahead.",
    run: async (t) => {
      const { accountId } = t;
      const parentId = await t.box();
      const set = (create: Json, id: string): Invocation => ["Mailbox/set", { accountId, create }, id];
      const answers = await t.call([
        set({ c: { name: "c", parentId: "#p" } }, "0"),
        set({ p: { name: "p", parentId } }, "1"),
      ]);
      t.destroyLater("Mailbox", createdId(answers[1]?.[1] as SetResult, "p"));
      setError((answers[0] as Invocation)[1].notCreated as SetResult["notCreated"], "c", "invalidProperties");
    },
  },
]);

const map = defineTests(group, [
  {
    id: "creation-id-of-earlier-call",
    level: "MUST",
    says: "The server MUST keep a simple map for the duration of the request of creation id to record id for each newly created record, so it can substitute in the correct value if necessary in later method calls.",
    run: async (t) => {
      const { accountId } = t;
      const parentId = await t.box();
      const answers = await t.call([
        ["Mailbox/set", { accountId, create: { p: { name: "p", parentId } } }, "0"],
        ["Mailbox/set", { accountId, create: { c: { name: "c", parentId: "#p" } } }, "1"],
      ]);
      const [p, c] = [createdId(answers[0]?.[1] as SetResult, "p"), createdId(answers[1]?.[1] as SetResult, "c")];
      t.destroyLater("Mailbox", p, c);
      equal(await parentOf(t, c), p, "parentId");
    },
  },
  {
    id: "creation-ids-span-types",
    level: "MUST",
    says: "Creation ids are not scoped by type but are a single map for all types.",
    run: async (t) => {
      const { accountId } = t;
      const parentId = await t.box();
      const { blobId } = await t.upload("From: a@conformance.example\r\nSubject: s\r\n\r\nx\r\n", "message/rfc822");
      const answers = await t.call([
        ["Mailbox/set", { accountId, create: { p: { name: "p", parentId } } }, "0"],
        ["Email/import", { accountId, emails: { e: { blobId, mailboxIds: { "#p": true } } } }, "1"],
      ]);
      const p = createdId(answers[0]?.[1] as SetResult, "p");
      t.destroyLater("Mailbox", p);
      const id = createdId(answers[1]?.[1] as SetResult, "e");
      same((await t.find("Email", id, ["mailboxIds"])).mailboxIds, { [p]: true }, "mailboxIds");
    },
  },
  {
    id: "creation-id-reused",
    level: "MUST",
    says: "If a creation id is reused, the server MUST map the creation id to the most recently created item with that id.",
    run: async (t) => {
      const { accountId } = t;
      const parentId = await t.box();
      const set = (create: Json, id: string): Invocation => ["Mailbox/set", { accountId, create }, id];
      const answers = await t.call([
        set({ x: { name: "first", parentId } }, "0"),
        set({ x: { name: "second", parentId } }, "1"),
        set({ c: { name: "c", parentId: "#x" } }, "2"),
      ]);
      const made = answers.map(([, args], at) => createdId(args as SetResult, at === 2 ? "c" : "x"));
      t.destroyLater("Mailbox", ...made);
      equal(await parentOf(t, made[2] as string), made[1], "parentId");
    },
  },
  {
    id: "creation-id-forgotten",
    level: "MUST",
    says: "The server MUST keep a simple map for the duration of the request.",
    run: async (t) => {
      const parentId = await t.box();
      const name = t.unique("gone");
      createdId(await setMailboxes(t, { create: { [name]: { name, parentId } } }), name);
      const { notCreated } = await setMailboxes(t, { create: { c: { name: "c", parentId: `#${name}` } } });
      setError(notCreated, "c", "invalidProperties");
      ok(notCreated, "notCreated");
    },
  },
]);

export const creationIds = [...within, ...ownRecords, ...refusals, ...map];
