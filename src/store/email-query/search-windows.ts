import { sql } from "kysely";
import { ask, none } from "../core/compose.ts";
import { read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";
import { type EmailList, openList, orderBy } from "./list.ts";
import { withLongMails } from "./long-mails.ts";
import { matchOf } from "./match.ts";
import { isTerms } from "./normal.ts";
import { orderKeys } from "./order.ts";

const windows = [200, 2000];
export const widestWindow = Math.max(...windows);
const selectCutoff = read("emailQuery.cutoff", (db, $: { accountId: number; offset: number }) =>
  db
    .selectFrom("search")
    .select("receivedAt")
    .where("userId", "=", $.accountId)
    .orderBy("receivedAt", "desc")
    .offset($.offset)
    .limit(sql.lit(1)),
);

/**
 * The first `wanted` emails of a search by date, searched for among the newest 200 mails of the account, then 2,000.
 * Undefined if these do not suffice. Without a bound, ORDER BY … LIMIT would walk the whole account for an absent word,
 * since the planner takes `@@` to be cheap.
 */
export async function searchNewest(reader: Reader, sought: EmailList, wanted: number): Promise<number[] | undefined> {
  for (const size of windows) {
    if (wanted > size) continue;
    const [cutoff] = await reader.run(selectCutoff, { accountId: reader.accountId, offset: size - 1 });
    const known = await withLongMails(reader, sought, cutoff?.receivedAt);
    const list = known.choice.driver.kind === "terms" ? known : byExclusion(known);
    let most = list.dropRepeats ? 2 * wanted + 20 : wanted;
    const window = { since: cutoff?.receivedAt, walked: isWalked(list, size) };
    let { ids, rows } = await searchSince(reader, list, window, most);
    while (ids.length < wanted && rows === most) {
      most *= 3;
      ({ ids, rows } = await searchSince(reader, list, window, most));
    }
    if (ids.length >= wanted || !cutoff) return ids;
    // No newest mail has the word, so it is rare: the index finds all its mails for less.
    if (rows === 0) break;
  }
  return undefined;
}

/** Most mails lack an excluded word: the list is read from the rows of search, negating the match. */
function byExclusion(list: EmailList): EmailList {
  const { conditions } = list;
  const excluded = conditions.find(isTerms)!;
  const driver = { kind: "terms" as const, match: matchOf(excluded.atom), negated: true as const };
  return { ...list, choice: { driver, rest: conditions.filter((node) => node !== excluded), collapsed: false } };
}

/**
 * Whether a window is read mail by mail, newest first, instead of leaving that to the planner. The index has no positions
 * and weights, so for phrases it returns far more candidates than the planner expects: the first window is always walked,
 * the second only if a likely match limits it to few false candidates.
 */
function isWalked({ choice: { driver } }: EmailList, size: number): boolean {
  if (driver.kind !== "terms") return false;
  if (driver.negated || !/<->|:\*?D/.test(driver.match.query)) return driver.negated === true;
  return size === windows[0] || driver.match.likely !== undefined;
}

async function searchSince(
  reader: Reader,
  list: EmailList,
  { since, walked }: { since: Date | undefined; walked: boolean },
  most: number,
): Promise<{ ids: number[]; rows: number }> {
  const { source, where } = openList(list, walked && since ? { since } : { isDated: since !== undefined });
  const order = orderBy(list, orderKeys(list.sort, source), source.id);
  const window = since === undefined || walked ? none : sql` AND ${source.receivedAt} >= ${since}::timestamptz`;
  const query = sql<{
    id: number;
    thread_id: number;
  }>`SELECT ${source.id} AS id, ${source.threadId} AS thread_id FROM ${source.from}
    WHERE ${where}${window} ORDER BY ${order} LIMIT ${most}::bigint`;
  const rows = await ask(reader, query);
  if (!list.dropRepeats) return { ids: rows.map((row) => row.id), rows: rows.length };
  const firsts = new Map<number, number>();
  for (const row of rows) if (!firsts.has(row.thread_id)) firsts.set(row.thread_id, row.id);
  return { ids: [...firsts.values()], rows: rows.length };
}
