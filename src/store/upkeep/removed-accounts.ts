import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import type { Removed } from "../core/db.ts";
import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";
import type { Store, Tx } from "../core/store.ts";
import { isKept } from "../directory/keeping.ts";
import { isAccount } from "../directory/logins.ts";
import { cancelAllSubmissions } from "../queues/submissions.ts";
import { closeAccount, previewRemoval, type Removal, removeAccount, removeLogins } from "./removal.ts";

/** An account that was removed and may come back. */
export type RemovedAccount = Row<"removedAccount", "accountId" | "login" | "removedAt" | "what">;

type Account = { userId: number };
const logins = read("removed.logins", (db, $: Account) =>
  db.selectFrom("login").select(["login", "passwordHash", "createdAt"]).where("userId", "=", $.userId).orderBy("login"),
);
const addressColumns = ["address", "createdAt", "maskedId", "isPaused", "forwards", "keepsCopy"] as const;
const addresses = read("removed.addresses", (db, $: Account) =>
  db.selectFrom("address").select(addressColumns).where("userId", "=", $.userId).orderBy("address"),
);
const shares = read("removed.shares", (db, $: Account & { logins: readonly string[] }) =>
  db
    .selectFrom("accountAccess")
    .select(["login", "accountId", "createdAt"])
    .where((eb) => eb.or([eb("accountId", "=", $.userId), eb("login", "in", $.logins)])),
);
const byNumber = read("removed.byNumber", (db, $: { accountId: number }) =>
  db.selectFrom("removedAccount").select("what").where("accountId", "=", $.accountId),
);
const note = write(
  "removed.note",
  (db, $: Row<"removedAccount", "accountId" | "login" | "removedAt"> & { what: string }) =>
    db
      .insertInto("removedAccount")
      .values({ accountId: $.accountId, login: $.login, removedAt: $.removedAt, what: $.what })
      .onConflict((conflict) =>
        conflict
          .column("accountId")
          .doUpdateSet((eb) => ({ removedAt: eb.ref("excluded.removedAt"), what: eb.ref("excluded.what") })),
      ),
);
const byLogin = read("removed.byLogin", (db, $: { login: string }) =>
  db
    .selectFrom("removedAccount")
    .select(["accountId", "login", "removedAt", "what"])
    .where("login", "=", $.login)
    .orderBy("removedAt", "desc")
    .limit(1),
);
const older = read("removed.older", (db, $: { until: Date }) =>
  db
    .selectFrom("removedAccount")
    .select("accountId")
    .where("removedAt", "<=", $.until)
    .orderBy("removedAt")
    .limit(1_000),
);
const all = read("removed.all", (db) =>
  db.selectFrom("removedAccount").select(["accountId", "login"]).orderBy("accountId"),
);
const forget = write("removed.forget", (db, $: { accountId: number }) =>
  db.deleteFrom("removedAccount").where("accountId", "=", $.accountId),
);
/** Either it comes back or it goes for good: who changes the row first decides. */
const forgetPutBack = write(
  "removed.forgetPutBack",
  (_, $: { accountId: number }) =>
    sql`DELETE FROM removed_account WHERE account_id = ${$.accountId} AND NOT what ? 'isGoing'`,
);
const markGoing = write(
  "removed.markGoing",
  (_, $: { accountId: number }) =>
    sql`UPDATE removed_account SET what = what || '{"isGoing": true}' WHERE account_id = ${$.accountId}`,
);
const markStaying = write(
  "removed.markStaying",
  (_, $: { accountId: number }) =>
    sql`UPDATE removed_account SET what = what - 'isGoing' WHERE account_id = ${$.accountId}`,
);

const dropTokens = write("removed.tokens", (db, $: Account) => db.deleteFrom("token").where("userId", "=", $.userId));
const dropGrants = write("removed.grants", (db, $: Account) =>
  db.deleteFrom("oauthGrant").where("userId", "=", $.userId),
);
const dropPushes = write("removed.pushes", (db, $: Account) =>
  db.deleteFrom("pushSubscription").where("userId", "=", $.userId),
);

const putLogin = write("removed.putLogin", (db, $: Row<"login", "login" | "userId" | "passwordHash" | "createdAt">) =>
  db
    .insertInto("login")
    .values({ login: $.login, userId: $.userId, passwordHash: $.passwordHash, createdAt: $.createdAt })
    .onConflict((conflict) => conflict.column("login").doNothing()),
);
const putAddress = write("removed.putAddress", (db, $: Row<"address", "userId" | (typeof addressColumns)[number]>) =>
  db
    .insertInto("address")
    .values({
      ...{ address: $.address, userId: $.userId, createdAt: $.createdAt, maskedId: $.maskedId },
      ...{ isPaused: $.isPaused, forwards: $.forwards, keepsCopy: $.keepsCopy },
    })
    .onConflict((conflict) => conflict.column("address").doNothing()),
);
const putShare = write("removed.putShare", (db, $: Row<"accountAccess", "login" | "accountId" | "createdAt">) =>
  db
    .insertInto("accountAccess")
    .values({ login: $.login, accountId: $.accountId, createdAt: $.createdAt })
    .onConflict((conflict) => conflict.columns(["login", "accountId"]).doNothing()),
);
const ownerOf = read("removed.ownerOf", (db, $: { address: string }) =>
  db.selectFrom("address").select("userId").where("address", "=", $.address),
);

/**
 * Removes what leads to the account and what it opens; its rows and bodies stay until `dropRemovedAccounts`. What waited to
 * be sent is canceled. The login goes last, so that an interrupted removal can be repeated. `record` runs in the transaction
 * that changes the account.
 */
export async function setAccountAside(
  store: Store,
  { userId, login }: { userId: number; login: string },
  record: (tx: Tx) => Promise<void>,
): Promise<Removal> {
  const { database } = store;
  const removal = await previewRemoval(database, userId);
  const found: Removed = {
    logins: plain(await database.run(logins, { userId })),
    addresses: plain(await database.run(addresses, { userId })),
    shares: plain(await database.run(shares, { userId, logins: removal.logins })),
  };
  // An earlier removal may have been interrupted when the addresses were gone: what it noted is whole.
  const [earlier] = await database.run(byNumber, { accountId: userId });
  const what = found.addresses.length > 0 || !earlier ? found : earlier.what;
  await database.run(note, { accountId: userId, login, removedAt: store.clock.now(), what: JSON.stringify(what) });
  await closeAccount(database, userId, removal.logins);
  await store.write(userId, "server", async (tx) => {
    for (const drop of [dropTokens, dropGrants, dropPushes]) tx.send(drop, { userId });
    await cancelAllSubmissions(tx);
    await record(tx);
  });
  await removeLogins(database, userId, removal.logins);
  return removal;
}

/** As JSON has it. */
const plain = <T extends { createdAt: Date }>(rows: readonly T[]) =>
  rows.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() }));

/** The account of this login that was removed last. */
export async function findRemovedAccount(database: Database, login: string): Promise<RemovedAccount | undefined> {
  return (await database.run(byLogin, { login }))[0];
}

/** The addresses of a removed account that others have by now. */
export async function takenSince(executor: Executor, { accountId, what }: RemovedAccount): Promise<string[]> {
  const taken: string[] = [];
  for (const { address } of what.addresses) {
    const [owner] = await executor.run(ownerOf, { address });
    if (owner && owner.userId !== accountId) taken.push(address);
  }
  return taken;
}

/** Leads to a removed account again, but for addresses that others have by now. False when it is going for good. */
export async function putAccountBack(executor: Executor, { accountId, what }: RemovedAccount): Promise<boolean> {
  if ((await executor.count(forgetPutBack, { accountId })) === 0) return false;
  for (const row of what.logins) {
    await executor.run(putLogin, { ...row, userId: accountId, createdAt: new Date(row.createdAt) });
  }
  for (const row of what.addresses) {
    await executor.run(putAddress, { ...row, userId: accountId, createdAt: new Date(row.createdAt) });
  }
  for (const row of what.shares) await executor.run(putShare, { ...row, createdAt: new Date(row.createdAt) });
  return true;
}

/** All that may come back. */
export function listRemoved(database: Database): Promise<Pick<RemovedAccount, "accountId" | "login">[]> {
  return database.run(all);
}

/** When nothing of the account is left. */
export async function forgetRemoval(executor: Executor, accountId: number): Promise<void> {
  await executor.run(forget, { accountId });
}

/** Removes for good the accounts that were removed before `until`, but for those of which a hold or a rule keeps mail. */
export async function dropRemovedAccounts(store: Store, until: Date): Promise<void> {
  const { database, clock } = store;
  for (const { accountId } of await database.run(older, { until })) {
    // The removal was interrupted, so nobody was told that it is done.
    if (await isAccount(database, accountId)) continue;
    if (await isKept(database, accountId, clock.now())) continue;
    // Somebody has just brought it back.
    if ((await database.count(markGoing, { accountId })) === 0) continue;
    const mayGo = async (tx: Tx) => !(await isKept(tx, accountId, clock.now()));
    if (await removeAccount(store, accountId, { mayGo })) await forgetRemoval(database, accountId);
    else await database.run(markStaying, { accountId });
  }
}
