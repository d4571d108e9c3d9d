import type { Account } from "../../shared/store/account.ts";
import { type ListSource, newestFirst } from "../../shared/store/email-list.ts";
import { parseSearch, type SearchContext } from "./parse.ts";

export function contextOf(account: Account): SearchContext {
  return { mailboxes: [...account.mailboxes.value.values()], now: Date.now() };
}

/** What a query finds: in all mailboxes but Junk and Trash, unless it names one. */
export function searchSource(account: Account, query: string): ListSource {
  const { filter = {} } = parseSearch(query, contextOf(account));
  return { filter, sort: newestFirst, collapseThreads: true };
}
