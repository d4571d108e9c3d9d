import { statement, unprepared } from "../sql.ts";
import type { Reader } from "../store.ts";
import { type EmailList, openList, orderBy } from "./list.ts";
import { orderKeys } from "./order.ts";

const windows = [200, 2000];
const selectCutoff = statement<{ received_at: Date }>(
  "SELECT received_at FROM search WHERE user_id = $1 ORDER BY received_at DESC OFFSET $2 LIMIT 1",
);

/**
 * The first `wanted` emails of a search by date, looked for among the newest mails of the account, then among more of
 * them. Undefined when that does not do: the planner holds `@@` to be free, so an unbounded ORDER BY … LIMIT would
 * walk the whole account for an absent word.
 */
export async function searchNewest(reader: Reader, list: EmailList, wanted: number): Promise<number[] | undefined> {
  for (const size of windows) {
    if (wanted > size) continue;
    const [cutoff] = await reader.run(selectCutoff, [reader.accountId, size - 1]);
    const most = list.dropRepeats ? 2 * wanted + 20 : wanted;
    const { ids, rows } = await searchSince(reader, list, cutoff?.received_at, most);
    if (ids.length >= wanted || (!cutoff && rows < most)) return ids;
    // A word that the newest mails lack is rare: the index finds all of its mails at once for less.
    if (rows === 0) break;
  }
  return undefined;
}

async function searchSince(
  reader: Reader,
  list: EmailList,
  since: Date | undefined,
  most: number,
): Promise<{ ids: number[]; rows: number }> {
  const { bindings, source, where } = openList(list);
  const order = orderBy(list, orderKeys(list.sort, source), source.id);
  const window = since === undefined ? "" : ` AND s.received_at >= ${bindings.add(since, "timestamptz")}`;
  const text = `SELECT ${source.id} AS id, ${source.threadId} AS thread_id FROM ${source.from}
    WHERE ${where}${window} ORDER BY ${order} LIMIT ${bindings.add(most, "bigint")}`;
  const rows = await reader.run(unprepared<{ id: number; thread_id: number }>(text), bindings.values);
  if (!list.dropRepeats) return { ids: rows.map((row) => row.id), rows: rows.length };
  const firsts = new Map<number, number>();
  for (const row of rows) if (!firsts.has(row.thread_id)) firsts.set(row.thread_id, row.id);
  return { ids: [...firsts.values()], rows: rows.length };
}
