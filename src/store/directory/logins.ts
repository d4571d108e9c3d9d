import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { accountName } from "./account-name.ts";
import type { LoginName } from "./login-name.ts";
import type { Place } from "./place.ts";
import { removePushesOf } from "./push-subscriptions.ts";

/** What a password is checked against. */
export interface LoginSecrets extends Row<"login", "userId" | "passwordHash"> {
  appPasswords: Row<"appPassword", "id" | "passwordHash">[];
}

const byName = read("logins.byName", (db, $: { login: string }) =>
  db.selectFrom("login").select(["userId", "passwordHash"]).where("login", "=", $.login),
);
const appHashes = read("appPasswords.hashes", (db, $: LoginName) =>
  db
    .selectFrom("appPassword")
    .select(["id", "passwordHash"])
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .orderBy("createdAt", "desc"),
);

export async function findLogin(database: Database, login: string): Promise<LoginSecrets | undefined> {
  const [row] = await database.run(byName, { login });
  return row && { ...row, appPasswords: await database.run(appHashes, { userId: row.userId, login }) };
}

const shares = read("access.ofLogin", (db, $: { login: string }) =>
  db.selectFrom("accountAccess").select("accountId").where("login", "=", $.login).orderBy("accountId"),
);

/** The accounts a login opens: its own, then those shared with it. */
export async function openAccounts(
  database: Database,
  login: string,
  userId: number,
): Promise<{ id: number; name: string; isPersonal: boolean; isReadOnly: boolean }[]> {
  const shared = (await database.run(shares, { login })).map((row) => row.accountId).filter((id) => id !== userId);
  const named = await Promise.all(
    [userId, ...shared].map(async (id) => ({
      id,
      name: (await database.run(accountName, { accountId: id }))[0]?.name,
    })),
  );
  return named.flatMap(({ id, name }) =>
    name === undefined ? [] : [{ id, name, isPersonal: id === userId, isReadOnly: false }],
  );
}

const updatePassword = write("logins.setPassword", (db, $: { login: string; passwordHash: string }) =>
  db.updateTable("login").set({ passwordHash: $.passwordHash }).where("login", "=", $.login).returning("userId"),
);
/** False where there is no such login. The pushes that the old password asked for end with it. */
export async function setPassword(store: Place, login: string, passwordHash: string): Promise<boolean> {
  const [row] = await store.database.run(updatePassword, { login, passwordHash });
  if (row) await removePushesOf(store.database, { login, userId: row.userId, credential: "password" });
  return row !== undefined;
}
