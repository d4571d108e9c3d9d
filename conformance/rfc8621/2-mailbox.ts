import type { Json } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, isId, isObject, isString, isUnsignedInt, matches, ok, same, setError, show } from "../runner/expect.ts";
import { mailGroup, nowhere, table, update } from "./support.ts";

const group = mailGroup("2", "Mailboxes");
const rights = [
  "mayReadItems",
  "mayAddItems",
  "mayRemoveItems",
  "maySetSeen",
  "maySetKeywords",
  "mayCreateChild",
  "mayRename",
  "mayDelete",
  "maySubmit",
];

/** A creation below the run's mailbox that must be refused. */
async function refused(t: TestContext, properties: Json, type: string | readonly string[]): Promise<void> {
  const parentId = await t.world.parentMailbox();
  const create = { k: { parentId, name: t.unique("box"), ...properties } };
  const answer = await t.set<{ id: string }>("Mailbox", { create });
  if (answer.created?.k) t.destroyLater("Mailbox", answer.created.k.id);
  setError(answer.notCreated, "k", type);
}

async function updateRefused(t: TestContext, id: string, patch: Json, type: string | readonly string[]): Promise<void> {
  setError((await t.set("Mailbox", { update: { [id]: patch } })).notUpdated, id, type);
}

function nameLimit(t: TestContext): number {
  const limit = t.mailCapability("maxSizeMailboxName");
  return typeof limit === "number" ? limit : t.skip("the account names no maxSizeMailboxName");
}

const invalid = "invalidProperties";
const taken = ["alreadyExists", "invalidProperties"];

const properties = defineTests(group, [
  {
    id: "properties",
    level: "MUST",
    says: "A Mailbox object has the following properties: id, name, parentId, role, sortOrder, totalEmails, unreadEmails, totalThreads, unreadThreads, myRights, isSubscribed.",
    run: async (t) => {
      for (const box of [await t.find("Mailbox", await t.box()), ...(await t.get("Mailbox", null))]) {
        isId(box.id, "id");
        isString(box.name, "name");
        ok(box.parentId === null || typeof box.parentId === "string", "parentId is neither null nor an Id");
        ok(box.role === null || typeof box.role === "string", "role is neither null nor a string");
        for (const name of ["sortOrder", "totalEmails", "unreadEmails", "totalThreads", "unreadThreads"]) {
          isUnsignedInt(box[name], name);
        }
        isObject(box.myRights, "myRights");
        equal(typeof box.isSubscribed, "boolean", "type of isSubscribed");
      }
    },
  },
  {
    id: "rights",
    level: "MUST",
    says: "A MailboxRights object has the following properties: mayReadItems, mayAddItems, mayRemoveItems, maySetSeen, maySetKeywords, mayCreateChild, mayRename, mayDelete, maySubmit.",
    run: async (t) => {
      const { myRights } = await t.find("Mailbox", await t.box(), ["myRights"]);
      for (const right of rights) equal(typeof (myRights as Json)[right], "boolean", `type of ${right}`);
    },
  },
  {
    id: "defaults",
    level: "MUST",
    says: 'parentId: "Id|null" (default: null); role: "String|null" (default: null); sortOrder: "UnsignedInt" (default: 0).',
    run: async (t) => {
      if (!t.mailCapability("mayCreateTopLevelMailbox")) t.skip("no mailbox may be made at the top");
      const name = t.unique("top");
      const answer = await t.set<{ id: string }>("Mailbox", { create: { k: { name } } });
      ok(answer.created?.k, `the mailbox was not created: ${show(answer.notCreated)}`);
      t.destroyLater("Mailbox", answer.created.k.id);
      matches(
        await t.find("Mailbox", answer.created.k.id),
        { name, parentId: null, role: null, sortOrder: 0 },
        "Mailbox",
      );
    },
  },
  {
    id: "subscribed-default",
    level: "SHOULD",
    says: "isSubscribed: This SHOULD default to true for any new Mailboxes created by the user themself.",
    run: async (t) => {
      equal((await t.find("Mailbox", await t.box())).isSubscribed, true, "isSubscribed");
    },
  },
  {
    id: "subscribed-settable",
    level: "MUST",
    says: "isSubscribed: Has the user indicated they wish to see this Mailbox in their client?",
    run: async (t) => {
      const box = await t.mailbox({ isSubscribed: false });
      equal((await t.find("Mailbox", box)).isSubscribed, false, "isSubscribed after the creation");
      await update(t, "Mailbox", box, { isSubscribed: true });
      equal((await t.find("Mailbox", box)).isSubscribed, true, "isSubscribed after the update");
    },
  },
  {
    id: "created-empty",
    level: "MUST",
    says: "totalEmails: The number of Emails in this Mailbox.",
    run: async (t) => {
      const zero = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };
      matches(await t.find("Mailbox", await t.box()), zero, "counts of a new Mailbox");
    },
  },
]);

const names = defineTests(group, [
  {
    id: "name-empty",
    level: "MUST",
    says: "name: This MUST be a Net-Unicode string of at least 1 character in length.",
    run: (t) => refused(t, { name: "" }, invalid),
  },
  {
    id: "name-missing",
    level: "MUST",
    says: "name: This MUST be a Net-Unicode string of at least 1 character in length.",
    run: async (t) => {
      const create = { k: { parentId: await t.world.parentMailbox() } };
      setError((await t.set("Mailbox", { create })).notCreated, "k", invalid);
    },
  },
  {
    id: "name-longest",
    level: "MUST",
    says: "maxSizeMailboxName: The maximum length, in (UTF-8) octets, allowed for the name of a Mailbox.",
    run: async (t) => {
      const limit = Math.min(nameLimit(t), 10_000);
      const name = t.unique("é").padEnd(limit - 1, "x");
      equal(Buffer.byteLength(name), limit, "octets of the name");
      const box = await t.mailbox({ name });
      equal((await t.find("Mailbox", box)).name, name, "name");
    },
  },
  {
    id: "name-too-long",
    level: "MUST",
    says: "name: […] subject to the maximum size given in the capability object.",
    run: async (t) => {
      const limit = nameLimit(t);
      if (limit > 100_000) t.skip("names may be very long");
      await refused(t, { name: t.unique("é").padEnd(limit, "x") }, [invalid, "tooLarge"]);
    },
  },
  {
    id: "name-control-characters",
    level: "MUST",
    says: "name: This MUST be a Net-Unicode string [RFC5198].",
    run: async (t) => {
      const create = { k: { parentId: await t.world.parentMailbox(), name: `${t.unique("a")}\u0000b` } };
      const answer = await t.set<Json & { id: string }>("Mailbox", { create });
      if (!answer.created?.k) return void setError(answer.notCreated, "k", invalid);
      t.destroyLater("Mailbox", answer.created.k.id);
      const { name } = await t.find<{ name: string }>("Mailbox", answer.created.k.id);
      ok(!name.includes("\u0000"), "the name holds a NUL");
    },
  },
  {
    id: "name-normalized",
    level: "SHOULD",
    says: "name: This MUST be a Net-Unicode string [RFC5198] — which says that text SHOULD be normalized to Form C.",
    run: async (t) => {
      const name = `${t.unique("cafe")}e\u0301`;
      const create = { k: { parentId: await t.world.parentMailbox(), name } };
      const answer = await t.set<Json & { id: string }>("Mailbox", { create });
      if (!answer.created?.k) return void setError(answer.notCreated, "k", invalid);
      t.destroyLater("Mailbox", answer.created.k.id);
      equal((await t.find("Mailbox", answer.created.k.id)).name, name.normalize("NFC"), "name");
    },
  },
  {
    id: "name-unicode",
    level: "MUST",
    says: "name: User-visible name for the Mailbox.",
    run: async (t) => {
      const name = `${t.unique("Ordner")} żółć 收件箱 😀 & "more"`;
      equal((await t.find("Mailbox", await t.mailbox({ name }))).name, name, "name");
    },
  },
  {
    id: "name-sibling",
    level: "MUST",
    says: "There MUST NOT be two sibling Mailboxes with both the same parent and the same name.",
    run: async (t) => {
      const name = t.unique("twin");
      await t.mailbox({ name });
      await refused(t, { name }, taken);
    },
  },
  {
    id: "name-sibling-already-exists",
    level: "SHOULD",
    says: "A second sibling Mailbox of the same name is refused with alreadyExists.",
    run: async (t) => {
      const name = t.unique("twin");
      await t.mailbox({ name });
      await refused(t, { name }, "alreadyExists");
    },
  },
  {
    id: "name-sibling-rename",
    level: "MUST",
    says: "There MUST NOT be two sibling Mailboxes with both the same parent and the same name.",
    run: async (t) => {
      const name = t.unique("twin");
      const [, other = ""] = await t.mailboxes([{ name }, {}]);
      await updateRefused(t, other, { name }, taken);
    },
  },
  {
    id: "name-sibling-move",
    level: "MUST",
    says: "There MUST NOT be two sibling Mailboxes with both the same parent and the same name.",
    run: async (t) => {
      const name = t.unique("twin");
      const parentId = await t.box();
      await t.mailbox({ name });
      const child = await t.mailbox({ name, parentId });
      await updateRefused(t, child, { parentId: await t.world.parentMailbox() }, taken);
    },
  },
  {
    id: "name-other-parent",
    level: "MUST",
    says: "There MUST NOT be two sibling Mailboxes with both the same parent and the same name. (With another parent there may.)",
    run: async (t) => {
      const [a, b] = await t.mailboxes([{}, {}]);
      await t.mailboxes([
        { parentId: a, name: "same" },
        { parentId: b, name: "same" },
      ]);
    },
  },
]);

const tree = defineTests(group, [
  {
    id: "parent-itself",
    level: "MUST",
    says: "Mailboxes form acyclic graphs (forests) directed by the child-to-parent relationship. There MUST NOT be a loop.",
    run: async (t) => {
      const box = await t.box();
      await updateRefused(t, box, { parentId: box }, invalid);
    },
  },
  {
    id: "parent-descendant",
    level: "MUST",
    says: "Mailboxes form acyclic graphs (forests) directed by the child-to-parent relationship. There MUST NOT be a loop.",
    run: async (t) => {
      const top = await t.box();
      const middle = await t.mailbox({ parentId: top });
      const bottom = await t.mailbox({ parentId: middle });
      await updateRefused(t, top, { parentId: bottom }, invalid);
    },
  },
  {
    id: "parent-loop-of-two-updates",
    level: "MUST",
    says: "There MUST NOT be a loop.",
    run: async (t) => {
      const [a = "", b = ""] = await t.mailboxes([{}, {}]);
      await t.set("Mailbox", { update: { [a]: { parentId: b }, [b]: { parentId: a } } });
      const [one, two] = await t.get("Mailbox", [a, b], ["parentId"]);
      const loop = [one, two].every((box) => box?.parentId === a || box?.parentId === b);
      if (loop) await t.set("Mailbox", { update: { [a]: { parentId: await t.world.parentMailbox() } } });
      ok(!loop, "each of the two mailboxes is the parent of the other");
    },
  },
  {
    id: "parent-not-found",
    level: "MUST",
    says: "parentId: The Mailbox id for the parent of this Mailbox, or null if this Mailbox is at the top level.",
    run: (t) => refused(t, { parentId: nowhere }, invalid),
  },
  {
    id: "parent-move",
    level: "MUST",
    says: "mayRename: The user may rename the Mailbox or make it a child of another Mailbox.",
    run: async (t) => {
      const [a, b = ""] = await t.mailboxes([{}, {}]);
      await update(t, "Mailbox", b, { parentId: a });
      equal((await t.find("Mailbox", b)).parentId, a, "parentId");
    },
  },
  {
    id: "max-depth",
    level: "MUST",
    says: "maxMailboxDepth: The maximum depth of the Mailbox hierarchy (i.e., one more than the maximum number of ancestors a Mailbox may have).",
    run: async (t) => {
      const limit = t.mailCapability("maxMailboxDepth");
      if (typeof limit !== "number" || limit > 50) return t.skip("mailboxes may lie very deep");
      let parentId = await t.world.parentMailbox();
      for (let depth = 2; depth <= limit; depth++) parentId = await t.mailbox({ parentId });
      await refused(t, { parentId }, [invalid, "forbidden"]);
    },
  },
]);

const roles = defineTests(group, [
  {
    id: "role-unknown",
    level: "MUST",
    says: 'role: The value MUST be one of the Mailbox attribute names listed in the IANA "IMAP Mailbox Name Attributes" registry, converted to lowercase.',
    run: (t) => refused(t, { role: "conformance-no-role" }, invalid),
  },
  {
    id: "role-uppercase",
    level: "MUST",
    says: "role: The value MUST be one of the Mailbox attribute names […], converted to lowercase.",
    run: (t) => refused(t, { role: "Inbox" }, invalid),
  },
  {
    id: "role-twice",
    level: "MUST",
    says: "There MUST NOT be two Mailboxes in the same account with the same role.",
    run: async (t) => {
      await t.role("inbox");
      await refused(t, { role: "inbox" }, [...taken, "forbidden"]);
    },
  },
  {
    id: "role-settable",
    level: "MAY",
    exclusive: true,
    says: 'role: "String|null" (default: null).',
    run: async (t) => {
      const all = await t.get<{ role: string | null }>("Mailbox", null, ["role"]);
      const free = ["important", "flagged", "all", "archive", "junk"].find(
        (role) => !all.some((one) => one.role === role),
      );
      if (!free) return t.skip("the account has a Mailbox for each role");
      const box = await t.mailbox({ role: free });
      equal((await t.find("Mailbox", box)).role, free, "role");
      await updateRefused(t, await t.box(), { role: free }, [...taken, "forbidden"]);
      await update(t, "Mailbox", box, { role: null });
      equal((await t.find("Mailbox", box)).role, null, "role");
    },
  },
  {
    id: "role-unique",
    level: "MUST",
    says: "There MUST NOT be two Mailboxes in the same account with the same role.",
    run: async (t) => {
      const all = await t.get<{ role: string | null }>("Mailbox", null, ["role"]);
      const given = all.map(({ role }) => role).filter((role) => role !== null);
      same(given.length, new Set(given).size, "number of different roles");
      for (const role of given) equal(role, role.toLowerCase(), "role");
    },
  },
]);

const sortOrders = defineTests(group, [
  {
    id: "sort-order-largest",
    level: "MUST",
    says: "sortOrder: The number MUST be an integer in the range 0 <= sortOrder < 2^31.",
    run: async (t) => {
      const box = await t.mailbox({ sortOrder: 2 ** 31 - 1 });
      equal((await t.find("Mailbox", box)).sortOrder, 2 ** 31 - 1, "sortOrder");
    },
  },
  ...table(
    [
      { name: "negative", sortOrder: -1 },
      { name: "too-large", sortOrder: 2 ** 31 },
      { name: "fraction", sortOrder: 1.5 },
      { name: "string", sortOrder: "1" },
    ],
    ({ name, sortOrder }) => ({
      id: `sort-order-${name}`,
      level: "MUST",
      says: "sortOrder: The number MUST be an integer in the range 0 <= sortOrder < 2^31.",
      run: (t) => refused(t, { sortOrder }, invalid),
    }),
  ),
]);

export const mailbox = [...properties, ...names, ...tree, ...roles, ...sortOrders];
