import { statement } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";

const claim = statement<{ incoming_id: number }>(`
  INSERT INTO received (user_id, incoming_id, received_at)
  SELECT a.user_id, x.incoming_id, $3 FROM account a, unnest($2::bigint[]) AS x (incoming_id) WHERE a.user_id = $1
  ON CONFLICT (user_id, incoming_id) DO NOTHING
  RETURNING incoming_id`);

/** Which of these incoming messages this account has not received before; they are received now. */
export async function claimIncoming(tx: Tx, ids: readonly number[]): Promise<Set<number>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.run(claim, [tx.accountId, [...new Set(ids)], tx.now]);
  return new Set(rows.map((row) => row.incoming_id));
}
