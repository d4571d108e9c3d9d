import { write } from "../core/declare.ts";
import { insertLists, type Lists, lists } from "../core/lists.ts";
import type { Tx } from "../core/store.ts";

const columns = ["incomingId", "receivedAt"] as const;

const claim = write("received.claim", (db, $: { accountId: number } & Lists<"received", (typeof columns)[number]>) =>
  insertLists(db, "received", columns, $)
    .onConflict((conflict) => conflict.columns(["userId", "incomingId"]).doNothing())
    .returning("incomingId"),
);

/** Marks these incoming messages as received by the account, and returns those that were not before. */
export async function claimIncoming(tx: Tx, ids: readonly number[]): Promise<Set<number>> {
  if (ids.length === 0) return new Set();
  const received = [...new Set(ids)].map((incomingId) => ({ incomingId, receivedAt: tx.now }));
  const rows = await tx.run(claim, { accountId: tx.accountId, ...lists(received, columns) });
  return new Set(rows.map((row) => row.incomingId));
}
