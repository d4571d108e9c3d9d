import { decodeId, idPrefix } from "../../base/ids.ts";
import { invalidProperties, SetError } from "../errors.ts";
import type { JmapObject } from "../standard/type.ts";

/** The limits that the mail capability announces (RFC 8621 §1.3.1), and others that /set enforces. */
export const emailLimits = { maxMailboxes: 100, maxKeywords: 100, maxSizeAttachments: 50_000_000 };

/** An Email's keywords: in lower case (RFC 8621 §4.1.1), sorted, each once. */
export function keywordList({ keywords }: JmapObject): string[] {
  const set = Object.entries((keywords ?? {}) as Record<string, boolean>).filter(([, isSet]) => isSet);
  return [...new Set(set.map(([keyword]) => keyword.toLowerCase()))].sort();
}

/** The numbers of an Email's mailboxes; ids that are not a mailbox's are left out. */
export function mailboxList({ mailboxIds }: JmapObject): number[] {
  const ids = Object.entries((mailboxIds ?? {}) as Record<string, boolean>).filter(([, isIn]) => isIn);
  return ids.map(([id]) => decodeId(idPrefix.mailbox, id)).filter((id) => id !== undefined);
}

/** RFC 8621 §4.1.1: requires at least one mailbox, not too many, and all to exist (once `existing` is known). */
export function mailboxFault(email: JmapObject, existing?: ReadonlySet<number>): SetError | undefined {
  const wire = Object.entries((email.mailboxIds ?? {}) as Record<string, boolean>).filter(([, isIn]) => isIn);
  const ids = wire.map(([id]) => decodeId(idPrefix.mailbox, id));
  const { maxMailboxes } = emailLimits;
  if (ids.length === 0) return invalidProperties("an email must be in at least one mailbox", "mailboxIds");
  if (ids.length > maxMailboxes) return new SetError("tooManyMailboxes", `at most ${maxMailboxes}`);
  const isMissing = ids.some((id) => id === undefined || existing?.has(id) === false);
  return isMissing ? invalidProperties("no such mailbox", "mailboxIds") : undefined;
}

export function keywordFault(email: JmapObject): SetError | undefined {
  const { maxKeywords } = emailLimits;
  return keywordList(email).length > maxKeywords
    ? new SetError("tooManyKeywords", `at most ${maxKeywords}`)
    : undefined;
}
