import { Kind } from "../core/change.ts";
import { type Executor, statement } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";

/** What an account's mail may come to, and does. */
export interface Quota {
  /** A new one each time an account gets a limit. */
  id: number;
  /** The account's name. */
  name: string;
  /** In bytes. */
  limit: number;
  used: number;
}

type Row = { name: string; used: number; quota: number | null; quota_id: number | null };
const select = statement<Row>("SELECT name, used, quota, quota_id FROM account WHERE user_id = $1");
const update = statement("UPDATE account SET quota = $2, quota_id = $3 WHERE user_id = $1");

/** Undefined where there is no limit. */
export async function findQuota(executor: Executor, accountId: number): Promise<Quota | undefined> {
  const [row] = await executor.run(select, [accountId]);
  if (!row || row.quota === null || row.quota_id === null) return undefined;
  return { id: row.quota_id, name: row.name, limit: row.quota, used: row.used };
}

/** How many bytes of mail the account holds. */
export async function findUsed(executor: Executor, accountId: number): Promise<number> {
  const [row] = await executor.run(select, [accountId]);
  return row?.used ?? 0;
}

/** Null: no limit from now on. What is there already stays, however much it is. */
export async function setQuota(tx: Tx, limit: number | null): Promise<void> {
  const before = await findQuota(tx, tx.accountId);
  if (limit === (before?.limit ?? null)) return;
  const id = limit === null ? null : (before?.id ?? (await tx.newIds(1))[0]!);
  await tx.run(update, [tx.accountId, limit, id]);
  if (id === null) tx.changed({ type: "Quota", id: before!.id, kind: Kind.destroyed });
  else tx.changed({ type: "Quota", id, kind: before ? Kind.properties : Kind.created });
}
