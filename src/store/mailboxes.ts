import { Kind } from "./change.ts";
import { statement } from "./sql.ts";
import type { Reader, Tx } from "./store.ts";

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
const remove = statement("DELETE FROM mailbox WHERE user_id = $1 AND id = ANY($2)");

/** All mailboxes of the account in the order they were made, or those of the ids. */
export function loadMailboxes(reader: Reader, ids: number[] | null = null): Promise<MailboxRow[]> {
  return ids ? reader.run(selectSome, [reader.accountId, ids]) : reader.run(selectAll, [reader.accountId]);
}

export async function insertMailboxes(tx: Tx, mailboxes: MailboxFields[]): Promise<void> {
  await tx.run(insert, [tx.accountId, JSON.stringify(mailboxes)]);
  for (const { id } of mailboxes) tx.changed({ type: "Mailbox", id, kind: Kind.created });
}

export async function updateMailboxes(tx: Tx, mailboxes: MailboxFields[]): Promise<void> {
  await tx.run(update, [tx.accountId, JSON.stringify(mailboxes)]);
  for (const { id } of mailboxes) tx.changed({ type: "Mailbox", id, kind: Kind.properties });
}

/** Their emails must have left before. */
export async function deleteMailboxes(tx: Tx, ids: number[]): Promise<void> {
  await tx.run(remove, [tx.accountId, ids]);
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
