import { sql } from "kysely";
import { read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";

const some = read("threads.emails", (db, $: { accountId: number; ids: readonly number[] }) =>
  db
    .selectFrom("email")
    .select(["threadId", "id"])
    .where("userId", "=", $.accountId)
    .where("threadId", "in", $.ids)
    .orderBy("threadId")
    .orderBy("receivedAt")
    .orderBy("id"),
);
const all = read("threads.all", (db, $: { accountId: number; limit: number }) =>
  db
    .selectFrom("email")
    .select(["threadId", sql<number[]>`array_agg(id ORDER BY received_at, id)`.as("ids")])
    .where("userId", "=", $.accountId)
    .groupBy("threadId")
    .limit($.limit),
);

/** Maps each thread to its emails by receivedAt, then id. Null: all threads, at most `limit`. */
export async function loadThreads(reader: Reader, ids: number[] | null, limit: number): Promise<Map<number, number[]>> {
  const { accountId } = reader;
  if (!ids) {
    const rows = await reader.run(all, { accountId, limit });
    return new Map(rows.map((row) => [row.threadId, row.ids]));
  }
  const threads = new Map<number, number[]>();
  for (const row of await reader.run(some, { accountId, ids })) {
    const emails = threads.get(row.threadId);
    if (emails) emails.push(row.id);
    else threads.set(row.threadId, [row.id]);
  }
  return threads;
}
