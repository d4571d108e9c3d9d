import { Kind } from "../core/change.ts";
import { statement } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";
import { findQuota } from "../mail/quota.ts";

const select = statement<{ name: string }>("SELECT name FROM account WHERE user_id = $1");
const update = statement("UPDATE account SET name = $2 WHERE user_id = $1");
const updateIdentity = statement<{ id: number }>(`
  UPDATE identity SET name = $2 WHERE user_id = $1 AND NOT may_delete AND name IN ('', $3) AND name <> $2 RETURNING id`);

/**
 * What the account is called, in the session and in its Quota; the address where it has no name of its own. The identity
 * that was made with the account has the name too, unless its owner gave it another.
 */
export async function setAccountName(tx: Tx, address: string, name: string): Promise<void> {
  const [before] = await tx.run(select, [tx.accountId]);
  if (before!.name === (name || address)) return;
  await tx.run(update, [tx.accountId, name || address]);
  for (const { id } of await tx.run(updateIdentity, [tx.accountId, name, before!.name])) {
    tx.changed({ type: "Identity", id, kind: Kind.properties });
  }
  const quota = await findQuota(tx, tx.accountId);
  if (quota) tx.changed({ type: "Quota", id: quota.id, kind: Kind.properties });
}
