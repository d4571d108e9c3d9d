import { decodeId } from "../../base/ids.ts";
import { idPrefix } from "../ids.ts";
import type { JmapObject } from "../standard/type.ts";

/** What the mail capability tells clients (RFC 8621 §1.3.1), and more that /set enforces. */
export const emailLimits = { maxMailboxes: 100, maxKeywords: 100, maxSizeAttachments: 50_000_000 };

/** The keywords of an Email: lower case (RFC 8621 §4.1.1), sorted, each once. */
export function keywordList({ keywords }: JmapObject): string[] {
  const set = Object.entries((keywords ?? {}) as Record<string, boolean>).filter(([, isSet]) => isSet);
  return [...new Set(set.map(([keyword]) => keyword.toLowerCase()))].sort();
}

/** The numbers of the mailboxes of an Email; ids of no mailbox are left out. */
export function mailboxList({ mailboxIds }: JmapObject): number[] {
  const ids = Object.entries((mailboxIds ?? {}) as Record<string, boolean>).filter(([, isIn]) => isIn);
  return ids.map(([id]) => decodeId(idPrefix.mailbox, id)).filter((id) => id !== undefined);
}
