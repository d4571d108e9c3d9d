import { computed } from "@preact/signals";
import type { Mailbox } from "../shared/jmap/types.ts";
import { prefs } from "../shared/prefs.ts";
import { type ListSource, newestFirst } from "../shared/store/email-list.ts";
import { account } from "./mail.ts";
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
  if (!current || current.mailboxes.value.size === 0) return undefined;
  const source = place.kind === "search" ? searchSource(current, place.query) : mailboxSource();
  return source && JSON.stringify(source);
});

export const currentSource = computed<ListSource | undefined>(() => sourceKey.value && JSON.parse(sourceKey.value));

function mailboxSource(): ListSource | undefined {
  const mailbox = currentMailbox.value;
  if (!mailbox) return undefined;
  return { filter: { inMailbox: mailbox.id }, sort: newestFirst, collapseThreads: prefs.value.conversations };
}
