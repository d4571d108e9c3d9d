import { Slots } from "../../base/slots.ts";
import { Kind } from "../core/change.ts";
import type { Database } from "../core/database.ts";
import { across, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";

/** An account's limit on bytes of mail, and its use. */
export interface Quota {
  /** A new id each time a limit is introduced. */
  id: number;
  /** The account's name. */
  name: string;
  /** In bytes. */
  limit: number;
  used: number;
}

const find = read("quota.find", (db, $: { accountId: number }) =>
  db.selectFrom("account").select(["name", "used", "quota", "quotaId"]).where("userId", "=", $.accountId),
);
const findSome = read(
  "quota.findSome",
  (db, $: { accountIds: readonly number[] }) =>
    db.selectFrom("account").select(["userId", "used", "quota"]).where("userId", "in", $.accountIds),
  across("a message has recipients in several accounts"),
);
const set = write("quota.set", (db, $: { accountId: number; limit: number | null; id: number | null }) =>
  db.updateTable("account").set({ quota: $.limit, quotaId: $.id }).where("userId", "=", $.accountId),
);

/** Undefined when there is no limit. */
export async function findQuota(executor: Executor, accountId: number): Promise<Quota | undefined> {
  const [row] = await executor.run(find, { accountId });
  if (!row || row.quota === null || row.quotaId === null) return undefined;
  return { id: row.quotaId, name: row.name, limit: row.quota, used: row.used };
}

/** So many accounts are asked for at a time, each at its own node. */
const maxAsked = 8;

/** The limits of these accounts, by account; those without a limit are left out. One statement, where one server has all accounts. */
export async function findQuotas(
  database: Database,
  accountIds: readonly number[],
): Promise<Map<number, Pick<Quota, "limit" | "used">>> {
  if (accountIds.length > 1 && database.nodes.all.length === 1) {
    const rows = await database.run(findSome, { accountIds });
    return new Map(
      rows.flatMap(({ userId, used, quota }) => (quota === null ? [] : [[userId, { limit: quota, used }]])),
    );
  }
  const slots = new Slots(maxAsked);
  const ask = async (id: number) => [id, await slots.run(() => findQuota(database, id))] as const;
  const found = await Promise.all([...new Set(accountIds)].map(ask));
  return new Map(found.flatMap(([id, quota]) => (quota ? [[id, quota]] : [])));
}

/** How many bytes of mail the account holds. */
export async function findUsed(executor: Executor, accountId: number): Promise<number> {
  const [row] = await executor.run(find, { accountId });
  return row?.used ?? 0;
}

/** Sets or, with null, removes the limit. Existing mail stays even if it exceeds the limit. */
export async function setQuota(tx: Tx, limit: number | null): Promise<void> {
  const before = await findQuota(tx, tx.accountId);
  if (limit === (before?.limit ?? null)) return;
  const id = limit === null ? null : (before?.id ?? (await tx.newIds(1))[0]!);
  await tx.run(set, { accountId: tx.accountId, limit, id });
  if (id === null) tx.changed({ type: "Quota", id: before!.id, kind: Kind.destroyed });
  else tx.changed({ type: "Quota", id, kind: before ? Kind.properties : Kind.created });
}
