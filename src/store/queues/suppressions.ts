import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists } from "../core/lists.ts";
import type { Executor } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";

const columns = ["address", "reason", "since"] as const;

/** An address, in lower case, that gets no mail, and why. */
export type Suppression = Row<"suppression", (typeof columns)[number]>;

const add = write("suppressions.add", (db, $: { accountId: number } & Lists<"suppression", (typeof columns)[number]>) =>
  insertLists(db, "suppression", columns, $).onConflict((conflict) => conflict.doNothing()),
);
const addForAll = write("suppressions.addForAll", (db, $: Suppression) =>
  db
    .insertInto("generalSuppression")
    .values({ address: $.address, reason: $.reason, since: $.since })
    .onConflict((conflict) => conflict.column("address").doNothing()),
);
const removeForAll = write("suppressions.removeForAll", (db, $: { address: string }) =>
  db.deleteFrom("generalSuppression").where("address", "=", $.address),
);
const amongForAll = read("suppressions.amongForAll", (db, $: { addresses: readonly string[] }) =>
  db.selectFrom("generalSuppression").select(columns).where("address", "in", $.addresses),
);
const allForAll = read("suppressions.allForAll", (db, $: { limit: number }) =>
  db.selectFrom("generalSuppression").select(columns).orderBy("since", "desc").orderBy("address").limit($.limit),
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

type Page = { after: string; limit: number };
const pageForAll = read("suppressions.pageForAll", (db, $: Page) =>
  db.selectFrom("generalSuppression").select(columns).where("address", ">", $.after).orderBy("address").limit($.limit),
);
const pageOfOne = read("suppressions.page", (db, $: Page & { userId: number }) =>
  db
    .selectFrom("suppression")
    .select(columns)
    .where("userId", "=", $.userId)
    .where("address", ">", $.after)
    .orderBy("address")
    .limit($.limit),
);

/** A page of an account's list, or without one of that of the installation, by address. */
export function pageOfSuppressions(executor: Executor, userId: number | undefined, page: Page): Promise<Suppression[]> {
  return userId === undefined ? executor.run(pageForAll, page) : executor.run(pageOfOne, { userId, ...page });
}

/** Those of the addresses that are on an account's list, or without one on that of the installation. */
export function suppressionsNamed(
  executor: Executor,
  userId: number | undefined,
  addresses: readonly string[],
): Promise<Suppression[]> {
  return userId === undefined ? executor.run(amongForAll, { addresses }) : executor.run(among, { userId, addresses });
}

/** Adds addresses to the account's list; those on it stay as they are. */
export async function suppress(tx: Tx, found: readonly Omit<Suppression, "since">[]): Promise<void> {
  if (found.length === 0) return;
  const rows = found.map((row) => ({ ...row, since: tx.now }));
  await tx.run(add, { accountId: tx.accountId, ...lists(rows, columns) });
}

/** Adds an address to the list of the whole installation. */
export async function suppressForAll(executor: Executor, row: Suppression): Promise<void> {
  await executor.run(addForAll, row);
}

/** Takes an address off the list of the whole installation; false if it was not on it. */
export async function unsuppressForAll(executor: Executor, address: string): Promise<boolean> {
  return (await executor.count(removeForAll, { address })) > 0;
}

/** Takes addresses off the account's list; returns those that were on it. */
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
    database.run(amongForAll, { addresses }),
  ]);
  return [...own, ...general];
}

/** The account's list, newest first. */
export function listSuppressions(executor: Executor, userId: number, limit: number): Promise<Suppression[]> {
  return executor.run(all, { userId, limit });
}

/** The list of the whole installation, newest first. */
export function listGeneralSuppressions(executor: Executor, limit: number): Promise<Suppression[]> {
  return executor.run(allForAll, { limit });
}
