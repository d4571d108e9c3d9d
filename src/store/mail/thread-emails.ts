import { statement } from "../core/sql.ts";
import type { Reader } from "../core/store.ts";

const selectSome = statement<{ thread_id: number; id: number }>(`
  SELECT thread_id, id FROM email
  WHERE user_id = $1 AND thread_id = ANY($2::bigint[]) ORDER BY thread_id, received_at, id`);
const selectAll = statement<{ thread_id: number; ids: number[] }>(`
  SELECT thread_id, array_agg(id ORDER BY received_at, id) AS ids FROM email
  WHERE user_id = $1 GROUP BY thread_id LIMIT $2`);

/** Thread → its emails, oldest first, equal times by id. Null: all threads, at most `limit`. */
export async function loadThreads(reader: Reader, ids: number[] | null, limit: number): Promise<Map<number, number[]>> {
  if (!ids) {
    const rows = await reader.run(selectAll, [reader.accountId, limit]);
    return new Map(rows.map((row) => [row.thread_id, row.ids]));
  }
  const threads = new Map<number, number[]>();
  for (const row of await reader.run(selectSome, [reader.accountId, ids])) {
    const emails = threads.get(row.thread_id);
    if (emails) emails.push(row.id);
    else threads.set(row.thread_id, [row.id]);
  }
  return threads;
}
