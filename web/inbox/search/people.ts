import type { EmailAddress } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import type { Correspondent } from "./suggest.ts";

type Field = "from" | "to" | "cc" | "bcc";

const maxMails = 40;
const maxKept = 50;

/** By account, then by field and beginning: what was asked once is not asked again while the page is open. */
const asked = new WeakMap<Account, Map<string, Promise<Correspondent[]>>>();

/**
 * Those in the newest mails that have somebody whose name or address begins so, the most frequent first. Rejects as calls do.
 */
export function findPeople(account: Account, field: Field, begun: string): Promise<Correspondent[]> {
  const known = asked.get(account) ?? new Map<string, Promise<Correspondent[]>>();
  asked.set(account, known);
  const key = `${field} ${begun.toLowerCase()}`;
  let found = known.get(key);
  if (!found) {
    found = ask(account, field, begun);
    found.catch(() => known.delete(key));
    known.set(key, found);
    for (const oldest of known.keys()) {
      if (known.size <= maxKept) break;
      known.delete(oldest);
    }
  }
  return found;
}

async function ask(account: Account, field: Field, begun: string): Promise<Correspondent[]> {
  const { jmap, id: accountId } = account;
  const words = begun.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  if (words.length === 0) return [];
  const query = jmap.call("Email/query", {
    accountId,
    filter: { [field]: words.map((word) => `${word}*`).join(" ") },
    sort: [{ property: "receivedAt", isAscending: false }],
    limit: maxMails,
  });
  const emails = jmap.call("Email/get", { accountId, "#ids": query.ref("/ids"), properties: [field] });
  const [{ list }] = await Promise.all([emails, query]);
  return ranked(list.flatMap((email) => email[field] ?? []));
}

/** Each once, with the name that came last; the most frequent first. */
export function ranked(people: readonly EmailAddress[]): Correspondent[] {
  const counts = new Map<string, Correspondent & { count: number }>();
  for (const { name, email } of people) {
    const key = email.toLowerCase();
    const known = counts.get(key);
    if (known) {
      known.count++;
      known.name ||= name?.trim() ?? "";
    } else counts.set(key, { email, name: name?.trim() ?? "", count: 1 });
  }
  return [...counts.values()]
    .toSorted((one, other) => other.count - one.count)
    .map(({ name, email }) => ({ name, email }));
}
