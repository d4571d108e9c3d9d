import type { Account } from "../../shared/store/account.ts";
import { type ListSource, newestFirst } from "../../shared/store/email-list.ts";

/** What a query finds: in all mailboxes but Junk and Trash, unless it names one. */
export function searchSource(account: Account, query: string): ListSource {
  const others = ["junk", "trash"].flatMap((role) => account.byRole(role)?.id ?? []);
  const conditions = [{ text: query }, ...(others.length > 0 ? [{ inMailboxOtherThan: others }] : [])];
  return { filter: { operator: "AND", conditions }, sort: newestFirst, collapseThreads: true };
}
