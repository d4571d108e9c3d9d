import type { Database } from "../core/database.ts";
import { statement } from "../core/sql.ts";
import type { Place } from "./place.ts";
import { removePushesOf } from "./push-subscriptions.ts";

/** What a password is checked against. */
export interface LoginSecrets {
  userId: number;
  passwordHash: string;
  appPasswords: { id: string; hash: string }[];
}

const selectLogin = statement<{ user_id: number; password_hash: string }>(
  "SELECT user_id, password_hash FROM login WHERE login = $1",
);
const selectAppHashes = statement<{ id: string; password_hash: string }>(
  "SELECT id, password_hash FROM app_password WHERE user_id = $1 AND login = $2 ORDER BY created_at DESC",
);

export async function findLogin(database: Database, login: string): Promise<LoginSecrets | undefined> {
  const [row] = await database.run(selectLogin, [login]);
  if (!row) return undefined;
  const apps = await database.run(selectAppHashes, [row.user_id, login]);
  return {
    userId: row.user_id,
    passwordHash: row.password_hash,
    appPasswords: apps.map(({ id, password_hash: hash }) => ({ id, hash })),
  };
}

const selectAccess = statement<{ account_id: number }>(
  "SELECT account_id FROM account_access WHERE login = $1 ORDER BY account_id",
);
const selectName = statement<{ name: string }>("SELECT name FROM account WHERE user_id = $1");

/** The accounts a login opens: its own, then those shared with it. */
export async function openAccounts(
  database: Database,
  login: string,
  userId: number,
): Promise<{ id: number; name: string; isPersonal: boolean; isReadOnly: boolean }[]> {
  const shared = (await database.run(selectAccess, [login])).map((row) => row.account_id).filter((id) => id !== userId);
  const named = await Promise.all(
    [userId, ...shared].map(async (id) => ({ id, name: (await database.run(selectName, [id]))[0]?.name })),
  );
  return named.flatMap(({ id, name }) =>
    name === undefined ? [] : [{ id, name, isPersonal: id === userId, isReadOnly: false }],
  );
}

const updatePassword = statement<{ user_id: number }>(
  "UPDATE login SET password_hash = $2 WHERE login = $1 RETURNING user_id",
);
/** False where there is no such login. The pushes that the old password asked for end with it. */
export async function setPassword(store: Place, login: string, passwordHash: string): Promise<boolean> {
  const [row] = await store.database.run(updatePassword, [login, passwordHash]);
  if (row) await removePushesOf(store.database, { login, userId: row.user_id, credential: "password" });
  return row !== undefined;
}
