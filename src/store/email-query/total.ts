import { sql } from "kysely";
import { account, ask, constant, type Fragment } from "../core/compose.ts";
import type { Reader } from "../core/store.ts";
import { createList, type EmailList, openList } from "./list.ts";
import { isLiteral, isTerms, type Node } from "./normal.ts";
import { findPlace, isUnread } from "./source.ts";

/** The number of emails in the list (of threads if repeats are dropped), as a scalar subquery. */
export function totalQuery(list: EmailList): Fragment {
  return keptTotal(list) ?? negatedTotal(list) ?? countQuery(list);
}

export async function countList(reader: Reader, list: EmailList): Promise<number> {
  const [row] = await ask(reader, sql<{ total: number }>`SELECT ${totalQuery(list)} AS total`);
  return row!.total;
}

/** Whether the total is a count kept with the mailbox. */
export function hasKeptTotal(list: EmailList): boolean {
  return keptTotal(list) !== undefined;
}

const isNoDraft = (node: Node) =>
  isLiteral(node) && node.negated && node.atom.kind === "hasKeyword" && node.atom.keyword === "$draft";

/** The count kept with the mailbox, if it counts exactly this list. */
function keptTotal(list: EmailList): Fragment | undefined {
  const { conditions, choice, dropRepeats } = list;
  const place = findPlace(conditions);
  if (!place) return undefined;
  const rest = conditions.filter((node) => node !== place.node);
  const collapsed = choice.collapsed || dropRepeats;
  let column: string | undefined;
  if (rest.length === 0) column = collapsed ? "total_threads" : "total_emails";
  // RFC 8621 §2: unreadEmails counts neither seen emails nor drafts; unreadThreads follows another rule.
  if (rest.length === 2 && rest.some(isUnread) && rest.some(isNoDraft) && !collapsed) column = "unread_emails";
  if (column === undefined) return undefined;
  return sql`(SELECT coalesce(max(${constant(`b.${column}`)}), 0) FROM mailbox b
    WHERE b.user_id = ${account} AND b.id = ${place.mailboxId}::bigint)`;
}

/** Subtracts the mails with an excluded word from all: the word index can only count mails that have a word. */
function negatedTotal(list: EmailList): Fragment | undefined {
  if (list.dropRepeats) return undefined;
  const absent = list.conditions.filter(isTerms).find((node) => node.negated);
  if (!absent) return undefined;
  const others = list.conditions.filter((node) => node !== absent);
  const options = { sort: [], collapseThreads: false };
  const without = totalQuery(createList(others, options));
  const present = [...others, { ...absent, negated: false }];
  return sql`(${without} - ${totalQuery(createList(present, options))})`;
}

function countQuery(list: EmailList): Fragment {
  const { source, where } = openList(list);
  const threads = list.dropRepeats && source.threadId;
  const rows = sql`FROM ${source.from} WHERE ${where}`;
  // Grouped, not count(DISTINCT …): that would sort.
  return threads
    ? sql`(SELECT count(*)::int FROM (SELECT ${threads} ${rows} GROUP BY ${threads}) t)`
    : sql`(SELECT count(*)::int ${rows})`;
}
