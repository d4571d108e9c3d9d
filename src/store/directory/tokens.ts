import type { Database } from "../core/database.ts";
import { type Executor, statement } from "../core/sql.ts";
import type { LoginName } from "./login-name.ts";
import type { Place } from "./place.ts";
import { removePushesOf } from "./push-subscriptions.ts";

/** Credentials beside a login's password, each revocable alone. Their secrets are never kept, only hashes. */
export interface Credential {
  kind: "app-password" | "token";
  id: string;
  label: string;
  createdAt: Date;
  expiresAt: Date | undefined;
}

const insertAppPassword = statement(`
  INSERT INTO app_password (user_id, login, id, label, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)`);
export async function addAppPassword(
  store: Place,
  app: LoginName & { id: string; label: string; hash: string },
): Promise<void> {
  const { userId, login, id, label, hash } = app;
  await store.database.run(insertAppPassword, [userId, login, id, label, hash, store.clock.now()]);
}

const insertToken = statement(`
  INSERT INTO token (user_id, hash, id, login, label, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`);
export async function addToken(
  store: Place,
  token: LoginName & { id: string; label: string; hash: Buffer; expiresAt: Date | undefined },
): Promise<void> {
  const { userId, hash, id, login, label, expiresAt } = token;
  await store.database.run(insertToken, [userId, hash, id, login, label, store.clock.now(), expiresAt ?? null]);
}

type TokenRow = { user_id: number; id: string; login: string; expires_at: Date | null };
const selectToken = statement<TokenRow>(
  "SELECT user_id, id, login, expires_at FROM token WHERE user_id = $1 AND hash = $2",
);
// A token from before 0.2 does not tell where it lies: on Citus all nodes are asked for it.
const selectOldToken = statement<TokenRow>(
  "-- crosses accounts\nSELECT user_id, id, login, expires_at FROM token WHERE hash = $1",
);

/** `userId`: the account that the token names, if it does. */
export async function findToken(
  database: Database,
  hash: Buffer,
  userId: number | undefined,
): Promise<(LoginName & { id: string; expiresAt: Date | undefined }) | undefined> {
  const [row] =
    userId === undefined ? await database.run(selectOldToken, [hash]) : await database.run(selectToken, [userId, hash]);
  return row && { userId: row.user_id, id: row.id, login: row.login, expiresAt: row.expires_at ?? undefined };
}

type Row = { id: string; label: string; created_at: Date; expires_at: Date | null };
const listAppPasswords = statement<Row>(`
  SELECT id, label, created_at, NULL::timestamptz AS expires_at FROM app_password WHERE user_id = $1 AND login = $2
  ORDER BY created_at`);
const listTokens = statement<Row>(`
  SELECT id, label, created_at, expires_at FROM token WHERE user_id = $1 AND login = $2 ORDER BY created_at`);

export async function listCredentials(database: Database, { userId, login }: LoginName): Promise<Credential[]> {
  const apps = await database.run(listAppPasswords, [userId, login]);
  const tokens = await database.run(listTokens, [userId, login]);
  return [...apps.map((row) => toCredential("app-password", row)), ...tokens.map((row) => toCredential("token", row))];
}

function toCredential(kind: Credential["kind"], row: Row): Credential {
  const { id, label, created_at: createdAt, expires_at: expires } = row;
  return { kind, id, label, createdAt, expiresAt: expires ?? undefined };
}

const deleteAppPassword = statement("DELETE FROM app_password WHERE user_id = $1 AND login = $2 AND id = $3");
const deleteToken = statement("DELETE FROM token WHERE user_id = $1 AND login = $2 AND id = $3");

/** False where the login has no such credential. Its pushes end with it. */
export async function revokeCredential(database: Executor, owner: LoginName, id: string): Promise<boolean> {
  const { userId, login } = owner;
  const apps = await database.count(deleteAppPassword, [userId, login, id]);
  const tokens = await database.count(deleteToken, [userId, login, id]);
  for (const kind of ["app", "token"]) await removePushesOf(database, { ...owner, credential: `${kind}:${id}` });
  return apps + tokens > 0;
}
