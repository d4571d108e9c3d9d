import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists } from "../core/lists.ts";
import type { Executor } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";

const columns = ["address", "reason", "since"] as const;

/** An address, in lower case, that gets no mail, and why. */
export type Suppression = Row<"suppression", (typeof columns)[number]>;

/** The list that holds for all accounts; accounts are numbered from 1. */
export const everyone = 0;

const add = write("suppressions.add", (db, $: { accountId: number } & Lists<"suppression", (typeof columns)[number]>) =>
  insertLists(db, "suppression", columns, $).onConflict((conflict) => conflict.doNothing()),
);
const addForAll = write("suppressions.addForAll", (db, $: Suppression & { userId: number }) =>
  db
    .insertInto("suppression")
    .values({ userId: $.userId, address: $.address, reason: $.reason, since: $.since })
    .onConflict((conflict) => conflict.doNothing()),
);
const remove = write("suppressions.remove", (db, $: { userId: number; addresses: readonly string[] }) =>
  db.deleteFrom("suppression").where("userId", "=", $.userId).where("address", "in", $.addresses).returning("address"),
);
const among = read("suppressions.among", (db, $: { userId: number; addresses: readonly string[] }) =>
  db.selectFrom("suppression").select(columns).where("userId", "=", $.userId).where("address", "in", $.addresses),
);
const all = read("suppressions.all", (db, $: { userId: number; limit: number }) =>
  db
    .selectFrom("suppression")
    .select(columns)
    .where("userId", "=", $.userId)
    .orderBy("since", "desc")
    .orderBy("address")
    .limit($.limit),
);

/** Adds addresses to the account's list; those on it stay as they are. */
export async function suppress(tx: Tx, found: readonly Omit<Suppression, "since">[]): Promise<void> {
  if (found.length === 0) return;
  const rows = found.map((row) => ({ ...row, since: tx.now }));
  await tx.run(add, { accountId: tx.accountId, ...lists(rows, columns) });
}

/** Adds an address to the list of the whole installation. */
export async function suppressForAll(executor: Executor, row: Suppression): Promise<void> {
  await executor.run(addForAll, { userId: everyone, ...row });
}

/** Takes addresses off a list; returns those that were on it. */
export async function unsuppress(executor: Executor, userId: number, addresses: readonly string[]): Promise<string[]> {
  if (addresses.length === 0) return [];
  return (await executor.run(remove, { userId, addresses })).map(({ address }) => address);
}

/** Those of the addresses that the account may not send to, with the reasons: by its own list or by that of all. */
export async function findSuppressed(
  database: Database,
  userId: number,
  addresses: readonly string[],
): Promise<Suppression[]> {
  if (addresses.length === 0) return [];
  const [own, general] = await Promise.all([
    database.run(among, { userId, addresses }),
    database.run(among, { userId: everyone, addresses }),
  ]);
  return [...own, ...general];
}

/** A list, newest first: an account's, or that of the installation. */
export function listSuppressions(executor: Executor, userId: number, limit: number): Promise<Suppression[]> {
  return executor.run(all, { userId, limit });
}
