import type { EmailUpdate } from "../../store/mail/emails.ts";
import type { MailboxPlace } from "../../store/mail/mailbox-places.ts";

/**
 * What these changes say of emails, by id: true for spam. A keyword that is set speaks louder than a move; what leaves
 * Junk for the trash is thrown away, not wanted.
 */
export function saidOfSpam(updates: readonly EmailUpdate[], places: readonly MailboxPlace[]): Map<number, boolean> {
  const idOf = (role: string) => places.find((place) => place.role === role)?.id;
  const [junk, trash] = [idOf("junk"), idOf("trash")];
  const said = new Map<number, boolean>();
  for (const { before, mailboxIds, keywords } of updates) {
    const isSet = (keyword: string) => keywords.includes(keyword) && !before.keywords.includes(keyword);
    const [wasIn, isIn] = [before.mailboxIds, mailboxIds].map((ids) => junk !== undefined && ids.includes(junk));
    if (isSet("$notjunk")) said.set(before.id, false);
    else if (isSet("$junk") || (isIn && !wasIn)) said.set(before.id, true);
    else if (wasIn && !isIn && !(trash !== undefined && mailboxIds.includes(trash))) said.set(before.id, false);
  }
  return said;
}
