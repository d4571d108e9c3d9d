import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { Unreachable } from "../core/errors.ts";
import { accountName } from "./account-name.ts";
import type { LoginName } from "./login-name.ts";
import { removeAllGrants } from "./oauth-grants.ts";
import type { Place } from "./place.ts";
import { removePushesOf } from "./push-subscriptions.ts";
import { removeWebTokens } from "./sign-ins.ts";

const byName = read("logins.byName", (db, $: { login: string }) =>
  db.selectFrom("login").select(["userId", "passwordHash"]).where("login", "=", $.login),
);
const ofAccount = read("logins.ofAccount", (db, $: { userId: number }) =>
  db.selectFrom("login").select("login").where("userId", "=", $.userId).limit(1),
);
const appHash = read("appPasswords.hash", (db, $: LoginName & { id: string }) =>
  db
    .selectFrom("appPassword")
    .select(["passwordHash", "usedAt", "network"])
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("id", "=", $.id),
);

/** The login's account and the hash of its password. On Citus any node can tell, so it is known while the account is not. */
export async function findLogin(
  database: Database,
  login: string,
): Promise<Row<"login", "userId" | "passwordHash"> | undefined> {
  const [row] = await database.run(byName, { login });
  return row;
}

/** Whether there is an account with this number. */
export async function isAccount(database: Database, userId: number): Promise<boolean> {
  return (await mainAddress(database, userId)) !== undefined;
}

/** The address that an account was made with, which is its login's name; undefined if there is no such account. */
export async function mainAddress(database: Database, userId: number): Promise<string | undefined> {
  return (await database.run(ofAccount, { userId }))[0]?.login;
}

/** An app password, which lies beside the account. */
export async function findAppPassword(
  database: Database,
  owner: LoginName,
  id: string,
): Promise<Row<"appPassword", "passwordHash" | "usedAt" | "network"> | undefined> {
  const [row] = await database.run(appHash, { ...owner, id });
  return row;
}

const shares = read("access.ofLogin", (db, $: { login: string }) =>
  db.selectFrom("accountAccess").select("accountId").where("login", "=", $.login).orderBy("accountId"),
);

/** The accounts a login opens: its own, then those shared with it. One that cannot be read just now has a stand-in for its name. */
export async function openAccounts(
  database: Database,
  login: string,
  userId: number,
): Promise<{ id: number; name: string; isPersonal: boolean; isReadOnly: boolean }[]> {
  const shared = (await database.run(shares, { login })).map((row) => row.accountId).filter((id) => id !== userId);
  const named = await Promise.all(
    [userId, ...shared].map(async (id) => ({
      id,
      name: await nameOf(database, id, id === userId ? login : `account ${id}`),
    })),
  );
  return named.flatMap(({ id, name }) =>
    name === undefined ? [] : [{ id, name, isPersonal: id === userId, isReadOnly: database.isReadOnly }],
  );
}

async function nameOf(database: Database, accountId: number, standIn: string): Promise<string | undefined> {
  try {
    return (await database.run(accountName, { accountId }))[0]?.name;
  } catch (error) {
    if (error instanceof Unreachable) return standIn;
    throw error;
  }
}

const updatePassword = write("logins.setPassword", (db, $: { login: string; passwordHash: string }) =>
  db.updateTable("login").set({ passwordHash: $.passwordHash }).where("login", "=", $.login).returning("userId"),
);
/**
 * False when there is no such login. What was opened with the old password ends: push subscriptions, what programs were
 * allowed by OAuth, and the tokens of browsers but for `exceptToken`.
 */
export async function setPassword(
  store: Place,
  login: string,
  passwordHash: string,
  exceptToken?: string,
): Promise<boolean> {
  const [row] = await store.database.run(updatePassword, { login, passwordHash });
  if (!row) return false;
  await removePushesOf(store.database, { login, userId: row.userId }, ["password"]);
  await removeWebTokens(store.database, { login, userId: row.userId }, exceptToken);
  await removeAllGrants(store.database, { login, userId: row.userId });
  return true;
}
