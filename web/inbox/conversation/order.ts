import type { Id } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";

/** A mail, or a row of read ones in the middle of a long conversation that stand for themselves in one line. */
export type Entry = { kind: "mail"; key: string; email: EmailRecord } | { kind: "folded"; key: string; count: number };

/** Opened at once at the most: the rest waits to be asked for. */
const maxOpened = 25;
/** Fewer than these are not worth a line. */
const minFolded = 4;

/** What is new, and the newest; opened from Drafts, the drafts. */
export function openedAtFirst(mails: readonly EmailRecord[], isFromDrafts: boolean): EmailRecord[] {
  const drafts = mails.filter(({ keywords }) => keywords?.$draft);
  if (isFromDrafts && drafts.length > 0) return drafts.slice(-maxOpened);
  const isNew = ({ keywords }: EmailRecord) => !keywords?.$seen && !keywords?.$draft;
  const last = mails.findLast(({ keywords }) => !keywords?.$draft) ?? mails.at(-1);
  return mails.filter((email) => email === last || isNew(email)).slice(-maxOpened);
}

/** Folded mails in the middle in one line, unless they are spread: the first stays, and the one before what is open. */
export function entriesOf(mails: readonly EmailRecord[], opened: ReadonlySet<Id>, isSpread: boolean): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < mails.length; at++) {
    const email = mails[at]!;
    let end = at;
    while (end < mails.length && !opened.has(mails[end]!.id)) end++;
    const count = end - at - 1;
    if (!isSpread && at > 0 && count >= minFolded) {
      entries.push({ kind: "folded", key: `folded ${email.id}`, count });
      at += count - 1;
    } else entries.push({ kind: "mail", key: email.id, email });
  }
  return entries;
}

/**
 * What of a conversation is shown: not what lies in Trash or Junk alone, unless it was opened from there or nothing else is
 * left of it.
 */
export function shownOf(
  mails: readonly EmailRecord[],
  account: Account,
  mailboxId: Id | undefined,
  areHiddenShown: boolean,
): { shown: readonly EmailRecord[]; hidden: number } {
  const away = new Set(["trash", "junk"].flatMap((role) => account.byRole(role)?.id ?? []));
  if (areHiddenShown || (mailboxId !== undefined && away.has(mailboxId))) return { shown: mails, hidden: 0 };
  const shown = mails.filter(({ mailboxIds }) => Object.keys(mailboxIds ?? {}).some((id) => !away.has(id)));
  return shown.length === 0 ? { shown: mails, hidden: 0 } : { shown, hidden: mails.length - shown.length };
}
