import type { EmailRow, EmailUpdate } from "../../store/mail/emails.ts";
import type { ImportItem } from "../../store/mail/imports.ts";

type Said = Pick<EmailRow, "mailboxIds" | "keywords">;

/** What the items of one message say together. */
export function saidBy(items: readonly ImportItem[]): Said {
  const placing = items.filter(({ isSpare }) => !isSpare);
  return {
    mailboxIds: [...new Set((placing.length > 0 ? placing : items).flatMap(({ mailboxIds }) => mailboxIds))],
    keywords: [...new Set(items.flatMap(({ keywords }) => keywords))].sort(),
  };
}

const without = <T>(all: readonly T[], gone: readonly T[]) => all.filter((one) => !gone.includes(one));

function changed<T>(now: readonly T[], before: readonly T[], after: readonly T[]): T[] {
  return [...new Set([...without(now, without(before, after)), ...without(after, before)])];
}

/**
 * Brings to an email what changed in the source, and keeps what was changed here. Undefined if that is nothing;
 * "destroyed" if it is in no mailbox any more, and is here by the import alone.
 */
export function mergeInto(
  email: EmailRow,
  before: readonly ImportItem[],
  after: readonly ImportItem[],
): EmailUpdate | "destroyed" | undefined {
  const [was, is] = [saidBy(before), saidBy(after)];
  const mailboxIds = changed(email.mailboxIds, was.mailboxIds, is.mailboxIds);
  const keywords = changed(email.keywords, was.keywords, is.keywords).sort();
  if (mailboxIds.length === 0) {
    if (after.length === 0 && before.every(({ isMade }) => isMade)) return "destroyed";
    return undefined;
  }
  const isSame =
    mailboxIds.length === email.mailboxIds.length &&
    without(mailboxIds, email.mailboxIds).length === 0 &&
    keywords.join(" ") === email.keywords.join(" ");
  return isSame ? undefined : { before: email, mailboxIds, keywords };
}
