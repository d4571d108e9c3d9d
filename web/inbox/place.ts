import { computed } from "@preact/signals";
import type { Id, Mailbox } from "../shared/jmap/types.ts";
import { prefs } from "../shared/prefs.ts";
import type { Account } from "../shared/store/account.ts";
import { type ListSource, newestFirst } from "../shared/store/email-list.ts";
import { account, theAccount } from "./mail.ts";
import { route } from "./route.ts";
import { searchSource } from "./search/source.ts";

/** The mailbox of the route, by role or id; undefined in a search, and while the mailboxes are not known. */
export const currentMailbox = computed<Mailbox | undefined>(() => {
  const { place } = route.value;
  const current = account.value;
  if (place.kind !== "mailbox" || !current) return undefined;
  return current.byRole(place.key) ?? current.mailboxes.value.get(place.key);
});

/** What the list shows; undefined where there is no list. A string, so that it changes only when it is another. */
const sourceKey = computed<string | undefined>(() => {
  const { place } = route.value;
  const current = account.value;
  if (!current) return undefined;
  if (current.mailboxes.value.size === 0)
    return place.kind === "mailbox" && place.key === "inbox" ? rememberedInbox(current) : undefined;
  const source = place.kind === "search" ? searchSource(current, place.query) : mailboxSource();
  return source && JSON.stringify(source);
});

export const currentSource = computed<ListSource | undefined>(() => sourceKey.value && JSON.parse(sourceKey.value));

function mailboxSource(): ListSource | undefined {
  const mailbox = currentMailbox.value;
  if (!mailbox) return undefined;
  if (mailbox.role === "inbox") localStorage.setItem(inboxKey(theAccount()), mailbox.id);
  return sourceOf(mailbox.id);
}

const sourceOf = (inMailbox: Id): ListSource => ({
  filter: { inMailbox },
  sort: newestFirst,
  collapseThreads: prefs.value.conversations,
});

const inboxKey = ({ id }: Account) => `posthorn.inbox.${id}`;

/** From last time, so that the list need not wait for the mailboxes. If it is another inbox by now, the list is made anew. */
function rememberedInbox(of: Account): string | undefined {
  const id = localStorage.getItem(inboxKey(of));
  return id === null ? undefined : JSON.stringify(sourceOf(id));
}
