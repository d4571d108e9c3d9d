import { statement } from "../core/sql.ts";
import type { Reader } from "../core/store.ts";

/** By way of the threads, since there is no index of message ids alone. */
const select = statement<{ id: number }>(`
  SELECT DISTINCT e.id FROM thread_ref t
  JOIN email e ON e.user_id = $1 AND e.thread_id = t.thread_id
  JOIN message m ON m.user_id = $1 AND m.no = e.no
  WHERE t.user_id = $1 AND t.id_hash = $2 AND m.message_id[1] = $3 LIMIT 2`);

/** The email with this Message-ID; undefined when there is none, or more than one. */
export async function findEmailByMessageId(
  reader: Reader,
  { messageId, idHash }: { messageId: string; idHash: number },
): Promise<number | undefined> {
  const rows = await reader.run(select, [reader.accountId, idHash, messageId]);
  return rows.length === 1 ? rows[0]!.id : undefined;
}
