import { sql } from "kysely";
import { write } from "../core/declare.ts";
import type { Tx } from "../core/store.ts";

const refresh = write(
  "heads.refresh",
  (_, $: { accountId: number; threadIds: readonly number[] }) => sql<never>`
  UPDATE email_mailbox e SET head = NOT e.head
  FROM (
    SELECT p.email_id, p.mailbox_id, p.head, row_number() OVER (
      PARTITION BY p.thread_id, p.mailbox_id ORDER BY p.received_at DESC, p.email_id DESC) = 1 AS is_head
    FROM email_mailbox p WHERE p.user_id = ${$.accountId} AND p.thread_id = ANY(${$.threadIds}::bigint[])
  ) h
  WHERE e.user_id = ${$.accountId} AND e.email_id = h.email_id AND e.mailbox_id = h.mailbox_id AND h.head <> h.is_head`,
);

/** Sets the head bits of some threads anew: the newest email of the thread in each mailbox. */
export async function refreshHeads(tx: Tx, threadIds: readonly number[]): Promise<void> {
  tx.send(refresh, { accountId: tx.accountId, threadIds });
}
