import { sql } from "kysely";
import { Kind } from "../core/change.ts";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists, unnest } from "../core/lists.ts";
import type { Reader, Tx } from "../core/store.ts";

const shared = ["id", "name", "parentId", "role", "sortOrder"] as const;
const fields = [...shared, "isSubscribed"] as const;
const columns = [...fields, "totalEmails", "unreadEmails", "totalThreads", "unreadThreads"] as const;
type Field = (typeof fields)[number];

/** The properties of a mailbox that a client sets. */
export type MailboxFields = Row<"mailbox", Field>;
export type MailboxRow = Row<"mailbox", (typeof columns)[number]>;

const all = read("mailboxes.all", (db, $: { accountId: number }) =>
  db.selectFrom("mailbox").select(columns).where("userId", "=", $.accountId).orderBy("id"),
);
const some = read("mailboxes.some", (db, $: { accountId: number; ids: readonly number[] }) =>
  db.selectFrom("mailbox").select(columns).where("userId", "=", $.accountId).where("id", "in", $.ids),
);

const insert = write("mailboxes.insert", (db, $: { accountId: number } & Lists<"mailbox", Field>) =>
  insertLists(db, "mailbox", fields, $),
);
const update = write("mailboxes.update", (db, $: { accountId: number } & Lists<"mailbox", Field>) =>
  db
    .updateTable("mailbox as m")
    .from(unnest("mailbox", fields, $))
    .set((eb) => ({
      name: eb.ref("x.name"),
      parentId: eb.ref("x.parentId"),
      role: eb.ref("x.role"),
      sortOrder: eb.ref("x.sortOrder"),
      isSubscribed: eb.ref("x.isSubscribed"),
    }))
    .where("m.userId", "=", $.accountId)
    .whereRef("m.id", "=", "x.id"),
);
const updateShared = write(
  "mailboxes.updateShared",
  (db, $: { accountId: number } & Lists<"mailbox", (typeof shared)[number]>) =>
    db
      .updateTable("mailbox as m")
      .from(unnest("mailbox", shared, $))
      .set((eb) => ({
        name: eb.ref("x.name"),
        parentId: eb.ref("x.parentId"),
        role: eb.ref("x.role"),
        sortOrder: eb.ref("x.sortOrder"),
      }))
      .where("m.userId", "=", $.accountId)
      .whereRef("m.id", "=", "x.id"),
);
const remove = write("mailboxes.remove", (db, $: { accountId: number; ids: readonly number[] }) =>
  db.deleteFrom("mailbox").where("userId", "=", $.accountId).where("id", "in", $.ids),
);
/** What of a mailbox comes back with its emails. */
const keep = write("mailboxes.keep", (db, $: { accountId: number; ids: readonly number[]; now: Date }) =>
  db
    .insertInto("deletedMailbox")
    .columns(["userId", ...fields, "deletedAt"])
    .expression(
      db
        .selectFrom("mailbox as m")
        .select(["m.userId", ...fields, sql<Date>`${$.now}::timestamptz`.as("deletedAt")])
        .where("m.userId", "=", $.accountId)
        .where("m.id", "in", $.ids),
    ),
);

const subscriptions = read("mailboxes.subscriptions", (db, $: { accountId: number; login: string }) =>
  db
    .selectFrom("mailboxSubscription")
    .select("mailboxId")
    .where("userId", "=", $.accountId)
    .where("login", "=", $.login),
);
const subscribe = write(
  "mailboxes.subscribe",
  (db, $: { accountId: number } & Lists<"mailboxSubscription", "login" | "mailboxId">) =>
    insertLists(db, "mailboxSubscription", ["login", "mailboxId"], $).onConflict((conflict) =>
      conflict.columns(["userId", "login", "mailboxId"]).doNothing(),
    ),
);
const unsubscribe = write(
  "mailboxes.unsubscribe",
  (db, $: { accountId: number; login: string; ids: readonly number[] }) =>
    db
      .deleteFrom("mailboxSubscription")
      .where("userId", "=", $.accountId)
      .where("login", "=", $.login)
      .where("mailboxId", "in", $.ids),
);
const unsubscribeAll = write("mailboxes.unsubscribeAll", (db, $: { accountId: number; ids: readonly number[] }) =>
  db.deleteFrom("mailboxSubscription").where("userId", "=", $.accountId).where("mailboxId", "in", $.ids),
);

/** A login that uses an account shared with it, with subscriptions of its own; undefined for the owner. */
export type Guest = string | undefined;

/** The mailboxes with these ids, or all in order of creation. */
export async function loadMailboxes(
  reader: Reader,
  { ids = null, guest }: { ids?: number[] | null; guest?: Guest } = {},
): Promise<MailboxRow[]> {
  const { accountId } = reader;
  const rows = await (ids ? reader.run(some, { accountId, ids }) : reader.run(all, { accountId }));
  if (guest === undefined) return rows;
  const own = await reader.run(subscriptions, { accountId, login: guest });
  const subscribed = new Set(own.map((row) => row.mailboxId));
  return rows.map((row) => ({ ...row, isSubscribed: subscribed.has(row.id) }));
}

export async function insertMailboxes(tx: Tx, mailboxes: MailboxFields[], guest?: Guest): Promise<void> {
  const rows = guest === undefined ? mailboxes : mailboxes.map((mailbox) => ({ ...mailbox, isSubscribed: true }));
  await tx.run(insert, { accountId: tx.accountId, ...lists(rows, fields) });
  if (guest !== undefined) await writeSubscriptions(tx, mailboxes, guest);
  for (const { id } of mailboxes) tx.changed({ type: "Mailbox", id, kind: Kind.created });
}

export async function updateMailboxes(tx: Tx, mailboxes: MailboxFields[], guest?: Guest): Promise<void> {
  const { accountId } = tx;
  if (guest === undefined) await tx.run(update, { accountId, ...lists(mailboxes, fields) });
  else {
    await tx.run(updateShared, { accountId, ...lists(mailboxes, shared) });
    await writeSubscriptions(tx, mailboxes, guest);
  }
  for (const { id } of mailboxes) tx.changed({ type: "Mailbox", id, kind: Kind.properties });
}

async function writeSubscriptions(tx: Tx, mailboxes: MailboxFields[], guest: string): Promise<void> {
  const { on = [], off = [] } = Object.groupBy(mailboxes, ({ isSubscribed }) => (isSubscribed ? "on" : "off"));
  const { accountId } = tx;
  const begun = on.map(({ id }) => ({ login: guest, mailboxId: id }));
  if (on.length > 0) await tx.run(subscribe, { accountId, ...lists(begun, ["login", "mailboxId"]) });
  if (off.length > 0) await tx.run(unsubscribe, { accountId, login: guest, ids: off.map(({ id }) => id) });
}

/** Deletes mailboxes, which must contain no emails any more. */
export async function deleteMailboxes(tx: Tx, ids: number[]): Promise<void> {
  tx.send(keep, { accountId: tx.accountId, ids, now: tx.now });
  await tx.run(remove, { accountId: tx.accountId, ids });
  await tx.run(unsubscribeAll, { accountId: tx.accountId, ids });
  for (const id of ids) tx.changed({ type: "Mailbox", id, kind: Kind.destroyed });
}

const defaults = [
  { name: "Inbox", role: "inbox" },
  { name: "Drafts", role: "drafts" },
  { name: "Sent", role: "sent" },
  { name: "Archive", role: "archive" },
  { name: "Junk", role: "junk" },
  { name: "Trash", role: "trash" },
];

/** Creates the mailboxes of a new account. */
export async function createDefaultMailboxes(tx: Tx): Promise<void> {
  const ids = await tx.newIds(defaults.length);
  const mailboxes = defaults.map((mailbox, index) => ({
    ...mailbox,
    id: ids[index]!,
    parentId: null,
    sortOrder: index + 1,
    isSubscribed: true,
  }));
  await insertMailboxes(tx, mailboxes);
}

/** Whether these are the mailboxes of a new account, with no mail in them. */
export function areUntouched(mailboxes: readonly MailboxRow[]): boolean {
  const isDefault = ({ name, role, parentId, totalEmails }: MailboxRow) =>
    parentId === null && totalEmails === 0 && defaults.some((usual) => usual.name === name && usual.role === role);
  return mailboxes.length === 0 || (mailboxes.length === defaults.length && mailboxes.every(isDefault));
}
