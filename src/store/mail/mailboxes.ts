import { Kind } from "../core/change.ts";
import { statement } from "../core/sql.ts";
import type { Reader, Tx } from "../core/store.ts";

/** What a client decides about a mailbox. */
export interface MailboxFields {
  id: number;
  name: string;
  parentId: number | null;
  role: string | null;
  sortOrder: number;
  isSubscribed: boolean;
}

export interface MailboxRow extends MailboxFields {
  totalEmails: number;
  unreadEmails: number;
  totalThreads: number;
  unreadThreads: number;
}

const columns = `id, name, parent_id AS "parentId", role, sort_order AS "sortOrder", is_subscribed AS "isSubscribed",
  total_emails AS "totalEmails", unread_emails AS "unreadEmails",
  total_threads AS "totalThreads", unread_threads AS "unreadThreads"`;
const selectAll = statement<MailboxRow>(`SELECT ${columns} FROM mailbox WHERE user_id = $1 ORDER BY id`);
const selectSome = statement<MailboxRow>(`SELECT ${columns} FROM mailbox WHERE user_id = $1 AND id = ANY($2)`);

const fields = `(id bigint, name text, "parentId" bigint, role text, "sortOrder" integer, "isSubscribed" boolean)`;
const insert = statement(`
  INSERT INTO mailbox (user_id, id, name, parent_id, role, sort_order, is_subscribed)
  SELECT a.user_id, x.id, x.name, x."parentId", x.role, x."sortOrder", x."isSubscribed"
  FROM account a, json_to_recordset($2::json) AS x ${fields} WHERE a.user_id = $1`);
const update = statement(`
  UPDATE mailbox m SET name = x.name, parent_id = x."parentId", role = x.role,
    sort_order = x."sortOrder", is_subscribed = x."isSubscribed"
  FROM json_to_recordset($2::json) AS x ${fields} WHERE m.user_id = $1 AND m.id = x.id`);
const updateShared = statement(`
  UPDATE mailbox m SET name = x.name, parent_id = x."parentId", role = x.role, sort_order = x."sortOrder"
  FROM json_to_recordset($2::json) AS x ${fields} WHERE m.user_id = $1 AND m.id = x.id`);
const remove = statement("DELETE FROM mailbox WHERE user_id = $1 AND id = ANY($2)");

const selectSubscribed = statement<{ mailbox_id: number }>(
  "SELECT mailbox_id FROM mailbox_subscription WHERE user_id = $1 AND login = $2",
);
const subscribe = statement(`
  INSERT INTO mailbox_subscription (user_id, login, mailbox_id)
  SELECT a.user_id, $2, x.id FROM account a, unnest($3::bigint[]) AS x (id) WHERE a.user_id = $1
  ON CONFLICT (user_id, login, mailbox_id) DO NOTHING`);
const unsubscribe = statement(
  "DELETE FROM mailbox_subscription WHERE user_id = $1 AND login = $2 AND mailbox_id = ANY($3)",
);
const unsubscribeAll = statement("DELETE FROM mailbox_subscription WHERE user_id = $1 AND mailbox_id = ANY($2)");

/** A login that looks into an account not its own: it has subscriptions of its own there. Undefined: the owner. */
export type Guest = string | undefined;

/** All mailboxes of the account in the order they were made, or those of the ids. */
export async function loadMailboxes(
  reader: Reader,
  { ids = null, guest }: { ids?: number[] | null; guest?: Guest } = {},
): Promise<MailboxRow[]> {
  const { accountId } = reader;
  const rows = await (ids ? reader.run(selectSome, [accountId, ids]) : reader.run(selectAll, [accountId]));
  if (guest === undefined) return rows;
  const subscribed = new Set((await reader.run(selectSubscribed, [accountId, guest])).map((row) => row.mailbox_id));
  return rows.map((row) => ({ ...row, isSubscribed: subscribed.has(row.id) }));
}

export async function insertMailboxes(tx: Tx, mailboxes: MailboxFields[], guest?: Guest): Promise<void> {
  const rows = guest === undefined ? mailboxes : mailboxes.map((mailbox) => ({ ...mailbox, isSubscribed: true }));
  await tx.run(insert, [tx.accountId, JSON.stringify(rows)]);
  if (guest !== undefined) await writeSubscriptions(tx, mailboxes, guest);
  for (const { id } of mailboxes) tx.changed({ type: "Mailbox", id, kind: Kind.created });
}

export async function updateMailboxes(tx: Tx, mailboxes: MailboxFields[], guest?: Guest): Promise<void> {
  await tx.run(guest === undefined ? update : updateShared, [tx.accountId, JSON.stringify(mailboxes)]);
  if (guest !== undefined) await writeSubscriptions(tx, mailboxes, guest);
  for (const { id } of mailboxes) tx.changed({ type: "Mailbox", id, kind: Kind.properties });
}

async function writeSubscriptions(tx: Tx, mailboxes: MailboxFields[], guest: string): Promise<void> {
  const { on = [], off = [] } = Object.groupBy(mailboxes, ({ isSubscribed }) => (isSubscribed ? "on" : "off"));
  const ids = (some: MailboxFields[]) => some.map(({ id }) => id);
  if (on.length > 0) await tx.run(subscribe, [tx.accountId, guest, ids(on)]);
  if (off.length > 0) await tx.run(unsubscribe, [tx.accountId, guest, ids(off)]);
}

/** Their emails must have left before. */
export async function deleteMailboxes(tx: Tx, ids: number[]): Promise<void> {
  await tx.run(remove, [tx.accountId, ids]);
  await tx.run(unsubscribeAll, [tx.accountId, ids]);
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

/** What a new account starts with. */
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
