import type { Tx } from "../../../store/core/store.ts";
import { deleteMailboxes, insertMailboxes, loadMailboxes, type MailboxRow } from "../../../store/mail/mailboxes.ts";
import type { ArchivedMailbox } from "./archived.ts";

/** Archived id → the account's. */
export type MailboxMap = Map<string, number>;

/**
 * Gives the account the archive's mailboxes. One that has no mail and nothing but the mailboxes of a new account gets exactly the
 * archive's; in any other, those with the same role, or the same name in the same place, are the same.
 */
export async function restoreMailboxes(
  tx: Tx,
  archived: readonly ArchivedMailbox[],
  isNew: boolean,
): Promise<MailboxMap> {
  const existing = await loadMailboxes(tx);
  if (isNew && existing.length > 0) {
    await deleteMailboxes(
      tx,
      existing.map(({ id }) => id),
    );
  }
  return addMissing(tx, archived, isNew ? [] : existing);
}

async function addMissing(tx: Tx, archived: readonly ArchivedMailbox[], existing: MailboxRow[]): Promise<MailboxMap> {
  const map: MailboxMap = new Map();
  // In their own order, which is that of lists whose other keys are equal.
  const ids = await tx.newIds(archived.length);
  const idOf = new Map(archived.map(({ id }, at) => [id, ids[at]!]));
  const fresh: Parameters<typeof insertMailboxes>[1] = [];
  // Parents first, since a child is found by its parent.
  for (const mailbox of parentsFirst(archived)) {
    const parentId = mailbox.parentId === null ? null : (map.get(mailbox.parentId) ?? null);
    const same =
      existing.find(({ role }) => role !== null && role === mailbox.role) ??
      existing.find((other) => other.name === mailbox.name && other.parentId === parentId);
    const id = same?.id ?? idOf.get(mailbox.id)!;
    map.set(mailbox.id, id);
    const { name, role, sortOrder, isSubscribed } = mailbox;
    if (!same) fresh.push({ id, name, parentId, role, sortOrder, isSubscribed });
  }
  if (fresh.length > 0) await insertMailboxes(tx, fresh);
  return map;
}

function parentsFirst(mailboxes: readonly ArchivedMailbox[]): ArchivedMailbox[] {
  const children = Map.groupBy(mailboxes, ({ parentId }) => parentId);
  const known = new Set(mailboxes.map(({ id }) => id));
  const ordered = mailboxes.filter(({ parentId }) => parentId === null || !known.has(parentId));
  for (let at = 0; at < ordered.length; at++) ordered.push(...(children.get(ordered[at]!.id) ?? []));
  return ordered;
}
