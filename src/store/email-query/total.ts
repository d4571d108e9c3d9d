import { unprepared } from "../core/sql.ts";
import type { Reader } from "../core/store.ts";
import { Bindings } from "./bindings.ts";
import { createList, type EmailList, openList } from "./list.ts";
import { isLiteral, isTerms, type Node } from "./normal.ts";
import { findPlace, isUnread } from "./source.ts";

/** How many emails (threads, when repeats are dropped) the list has, as a scalar subquery. */
export function totalQuery(list: EmailList, bindings: Bindings): string {
  return keptTotal(list, bindings) ?? negatedTotal(list, bindings) ?? countQuery(list, bindings);
}

export async function countList(reader: Reader, list: EmailList): Promise<number> {
  const bindings = new Bindings(list.accountId);
  const text = `SELECT ${totalQuery(list, bindings)} AS total`;
  const [row] = await reader.run(unprepared<{ total: number }>(text), bindings.values);
  return row!.total;
}

/** True where a total is a look at the mailbox. */
export function hasKeptTotal(list: EmailList): boolean {
  return keptTotal(list, new Bindings(list.accountId)) !== undefined;
}

const isNoDraft = (node: Node) =>
  isLiteral(node) && node.negated && node.atom.kind === "hasKeyword" && node.atom.keyword === "$draft";

/** The mailbox's kept counts, where they count just this list. */
function keptTotal(list: EmailList, bindings: Bindings): string | undefined {
  const { conditions, choice, dropRepeats } = list;
  const place = findPlace(conditions);
  if (!place) return undefined;
  const rest = conditions.filter((node) => node !== place.node);
  const collapsed = choice.collapsed || dropRepeats;
  let column: string | undefined;
  if (rest.length === 0) column = collapsed ? "total_threads" : "total_emails";
  // Kept as unread are emails that are neither seen nor drafts; unread threads follow a rule of their own.
  if (rest.length === 2 && rest.some(isUnread) && rest.some(isNoDraft) && !collapsed) column = "unread_emails";
  if (column === undefined) return undefined;
  return `(SELECT coalesce(max(b.${column}), 0) FROM mailbox b
    WHERE b.user_id = $1 AND b.id = ${bindings.add(place.mailboxId, "bigint")})`;
}

/** Mails without a word are all less those with it: the index of terms knows only these. */
function negatedTotal(list: EmailList, bindings: Bindings): string | undefined {
  if (list.dropRepeats) return undefined;
  const absent = list.conditions.filter(isTerms).find((node) => node.negated);
  if (!absent) return undefined;
  const others = list.conditions.filter((node) => node !== absent);
  const options = { sort: [], collapseThreads: false };
  const without = totalQuery(createList(list.accountId, others, options), bindings);
  const present = [...others, { ...absent, negated: false }];
  return `(${without} - ${totalQuery(createList(list.accountId, present, options), bindings)})`;
}

function countQuery(list: EmailList, bindings: Bindings): string {
  const { source, where } = openList(list, { bindings });
  const threads = list.dropRepeats && source.threadId;
  const rows = `FROM ${source.from} WHERE ${where}`;
  // Grouped, not count(DISTINCT …): that would sort.
  return threads
    ? `(SELECT count(*)::int FROM (SELECT ${threads} ${rows} GROUP BY ${threads}) t)`
    : `(SELECT count(*)::int ${rows})`;
}
