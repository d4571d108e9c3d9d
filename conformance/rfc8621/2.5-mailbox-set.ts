import type { Json } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { equal, includes, matches, ok, same, sameMembers, setError, show } from "../runner/expect.ts";
import { mailGroup, nowhere, update, yes } from "./support.ts";

const group = mailGroup("2.5", "Mailbox/set");

const destroys = defineTests(group, [
  {
    id: "destroy",
    level: "MUST",
    says: 'This is a standard "/set" method: destroyed is a list of the ids of the records that were destroyed.',
    run: async (t) => {
      const box = await t.mailbox();
      same((await t.set("Mailbox", { destroy: [box] })).destroyed, [box], "destroyed");
      same(await t.get("Mailbox", [box]), [], "the Mailbox");
    },
  },
  {
    id: "destroy-with-email",
    level: "MUST",
    says: 'onDestroyRemoveEmails: If false, any attempt to destroy a Mailbox that still has Emails in it will be rejected with a "mailboxHasEmail" SetError.',
    run: async (t) => {
      const box = await t.box();
      const { id } = await t.email();
      for (const extra of [{}, { onDestroyRemoveEmails: false }]) {
        const answer = await t.set("Mailbox", { destroy: [box], ...extra });
        setError(answer.notDestroyed, box, "mailboxHasEmail");
      }
      await t.find("Mailbox", box);
      await t.find("Email", id, ["id"]);
    },
  },
  {
    id: "destroy-removes-emails",
    level: "MUST",
    says: "onDestroyRemoveEmails: If true, any Emails that were in the Mailbox will be removed from it, and if in no other Mailboxes, they will be destroyed when the Mailbox is destroyed.",
    run: async (t) => {
      const [box, other] = [await t.mailbox(), await t.box()];
      const [alone, both] = await t.emails([{ in: box }, { in: [box, other] }]);
      const state = await t.state("Email");
      const answer = await t.set("Mailbox", { destroy: [box], onDestroyRemoveEmails: true });
      same(answer.destroyed, [box], "destroyed");
      same(await t.get("Email", [alone?.id as string], ["id"]), [], "the Email that was only there");
      const kept = await t.find("Email", both?.id as string, ["mailboxIds"]);
      same(kept.mailboxIds, yes(other), "mailboxIds of the Email that was in another Mailbox, too");
      const changes = await t.one("Email/changes", { sinceState: state });
      includes(changes.destroyed, alone?.id, "destroyed of Email/changes");
      includes(changes.updated, both?.id, "updated of Email/changes");
    },
  },
  {
    id: "destroy-with-child",
    level: "MUST",
    says: "mailboxHasChild: The Mailbox still has at least one child Mailbox. The client MUST remove these before it can delete the parent Mailbox.",
    run: async (t) => {
      const box = await t.box();
      await t.mailbox({ parentId: box });
      setError((await t.set("Mailbox", { destroy: [box] })).notDestroyed, box, "mailboxHasChild");
      await t.find("Mailbox", box);
    },
  },
  {
    id: "destroy-with-child-and-emails",
    level: "MUST",
    says: "Destroying a Mailbox with children is mailboxHasChild even with onDestroyRemoveEmails, and then no email is touched.",
    run: async (t) => {
      const box = await t.box();
      await t.mailbox({ parentId: box });
      const { id } = await t.email();
      const answer = await t.set("Mailbox", { destroy: [box], onDestroyRemoveEmails: true });
      setError(answer.notDestroyed, box, "mailboxHasChild");
      same((await t.find("Email", id, ["mailboxIds"])).mailboxIds, yes(box), "mailboxIds");
    },
  },
  {
    id: "destroy-child-first",
    level: "MUST",
    says: "The client MUST remove these before it can delete the parent Mailbox.",
    run: async (t) => {
      const box = await t.mailbox();
      const child = await t.mailbox({ parentId: box });
      const answer = await t.set("Mailbox", { destroy: [child, box] });
      sameMembers(answer.destroyed, [child, box], "destroyed");
    },
  },
  {
    id: "destroy-child-moved-away",
    level: "MUST",
    says: "mailboxHasChild: The Mailbox still has at least one child Mailbox. (Updates are done before destroys.)",
    run: async (t) => {
      const box = await t.mailbox();
      const child = await t.mailbox({ parentId: box });
      const parentId = await t.world.parentMailbox();
      const answer = await t.set("Mailbox", { update: { [child]: { parentId } }, destroy: [box] });
      same(answer.destroyed, [box], "destroyed");
    },
  },
  {
    id: "destroy-not-found",
    level: "MUST",
    says: 'This is a standard "/set" method: notFound – the id given to update or destroy does not exist.',
    run: async (t) => {
      setError((await t.set("Mailbox", { destroy: [nowhere] })).notDestroyed, nowhere, "notFound");
      setError((await t.set("Mailbox", { update: { [nowhere]: { name: "x" } } })).notUpdated, nowhere, "notFound");
    },
  },
  {
    id: "destroy-may-delete",
    level: "MUST",
    says: "mayDelete: The user may delete the Mailbox itself.",
    run: async (t) => {
      type Box = { id: string; myRights: { mayDelete: boolean } };
      const fixed = (await t.get<Box>("Mailbox", null, ["myRights"])).find(({ myRights }) => !myRights.mayDelete);
      if (!fixed) return t.skip("the user may delete every Mailbox");
      const answer = await t.set("Mailbox", { destroy: [fixed.id] });
      setError(answer.notDestroyed, fixed.id, ["forbidden", "mailboxHasChild", "mailboxHasEmail"]);
    },
  },
]);

const sets = defineTests(group, [
  {
    id: "create-server-set",
    level: "MUST",
    says: 'This is a standard "/set" method: created contains all properties of the created Foo object that were not sent by the client.',
    run: async (t) => {
      const create = { k: { parentId: await t.world.parentMailbox(), name: t.unique("box") } };
      const made = (await t.set<Json & { id: string }>("Mailbox", { create })).created?.k;
      ok(made, "the Mailbox was not created");
      t.destroyLater("Mailbox", made.id);
      const zero = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };
      matches(made, { ...zero, role: null, sortOrder: 0 }, "created");
      for (const name of ["myRights", "isSubscribed"]) ok(name in made, `created lacks ${name}`);
      ok(!("name" in made), "created holds the name that was sent");
    },
  },
  {
    id: "create-set-by-server",
    level: "MUST",
    says: 'totalEmails: "UnsignedInt" (server-set); myRights: (server-set); id: (immutable; server-set).',
    run: async (t) => {
      const parentId = await t.world.parentMailbox();
      const create = Object.fromEntries(
        [{ totalEmails: 4 }, { unreadThreads: 4 }, { myRights: {} }, { id: "mine" }].map((extra, at) => [
          `k${at}`,
          { parentId, name: t.unique("box"), ...extra },
        ]),
      );
      const answer = await t.set<{ id: string }>("Mailbox", { create });
      for (const made of Object.values(answer.created ?? {})) t.destroyLater("Mailbox", made.id);
      const properties = ["totalEmails", "unreadThreads", "myRights", "id"];
      for (const [at] of properties.entries()) {
        setError(answer.notCreated, `k${at}`, "invalidProperties");
      }
    },
  },
  {
    id: "create-unknown-property",
    level: "MUST",
    says: 'This is a standard "/set" method: the record given is invalid – invalidProperties with the names of the properties.',
    run: async (t) => {
      const create = { k: { parentId: await t.world.parentMailbox(), name: t.unique("box"), colour: "red" } };
      const answer = await t.set<{ id: string }>("Mailbox", { create });
      for (const made of Object.values(answer.created ?? {})) t.destroyLater("Mailbox", made.id);
      setError(answer.notCreated, "k", "invalidProperties");
    },
  },
  {
    id: "invalid-properties-named",
    level: "SHOULD",
    says: 'This is a standard "/set" method: the SetError object SHOULD also have a property called "properties" that lists *all* the properties that were invalid.',
    run: async (t) => {
      const create = { k: { parentId: nowhere, name: "", sortOrder: -1 } };
      const { notCreated } = await t.set("Mailbox", { create });
      setError(notCreated, "k", "invalidProperties", ["parentId", "name", "sortOrder"]);
    },
  },
  {
    id: "create-parent-and-child",
    level: "MUST",
    says: 'This is a standard "/set" method: a creation id with "#" before it refers to a record that is created in the same call.',
    run: async (t) => {
      const create = {
        child: { parentId: "#top", name: "child" },
        top: { parentId: await t.world.parentMailbox(), name: t.unique("top") },
      };
      const { created, notCreated } = await t.set<{ id: string }>("Mailbox", { create });
      ok(created?.child && created.top, `not created: ${show(notCreated)}`);
      t.destroyLater("Mailbox", created.top.id, created.child.id);
      equal((await t.find("Mailbox", created.child.id)).parentId, created.top.id, "parentId of the child");
    },
  },
  {
    id: "update-response-null",
    level: "MUST",
    says: 'This is a standard "/set" method: updated – the keys are the ids; the value is null if no other property changed.',
    run: async (t) => {
      const box = await t.box();
      const name = t.unique("renamed");
      const answer = await t.set("Mailbox", { update: { [box]: { name, sortOrder: 3 } } });
      ok(answer.updated && box in answer.updated, "updated does not name the Mailbox");
      matches(await t.find("Mailbox", box), { name, sortOrder: 3 }, "Mailbox");
    },
  },
  {
    id: "update-keeps-id",
    level: "MUST",
    says: "Email id does not change if the Email changes Mailboxes; the id of the Mailbox is immutable.",
    run: async (t) => {
      const box = await t.box();
      const { id } = await t.email();
      await update(t, "Mailbox", box, { name: t.unique("renamed") });
      same((await t.find("Email", id, ["mailboxIds"])).mailboxIds, yes(box), "mailboxIds");
    },
  },
  {
    id: "update-server-set",
    level: "MUST",
    says: 'totalEmails: "UnsignedInt" (server-set).',
    run: async (t) => {
      const box = await t.box();
      const answer = await t.set("Mailbox", { update: { [box]: { totalEmails: 9 } } });
      setError(answer.notUpdated, box, "invalidProperties");
    },
  },
  {
    id: "state-mismatch",
    level: "MUST",
    says: "ifInState is never ignored. A mismatch fails the whole call with stateMismatch.",
    run: async (t) => {
      const box = await t.box();
      const update = { [box]: { name: t.unique("renamed") } };
      await t.error("Mailbox/set", { ifInState: "no-such-state", update }, "stateMismatch");
    },
  },
  {
    id: "swap-names",
    level: "MAY",
    says: "There MUST NOT be two sibling Mailboxes with the same name – a call that ends in a legal state may be accepted.",
    run: async (t) => {
      const [one, two] = [t.unique("one"), t.unique("two")];
      const [a = "", b = ""] = await t.mailboxes([{ name: one }, { name: two }]);
      const answer = await t.set("Mailbox", { update: { [a]: { name: two }, [b]: { name: one } } });
      same(answer.notUpdated ?? null, null, "notUpdated");
      equal((await t.find("Mailbox", a)).name, two, "name");
    },
  },
]);

export const mailboxSet = [...destroys, ...sets];
