import type { Database } from "./database.ts";
import { removePushesOf } from "./push-subscriptions.ts";
import { statement, unprepared } from "./sql.ts";
import type { Store } from "./store.ts";

/** Credentials beside a login's password, each revocable alone. Their secrets are never kept, only hashes. */
export interface Credential {
  kind: "app-password" | "token";
  id: string;
  label: string;
  createdAt: Date;
  expiresAt: Date | undefined;
}

const insertAppPassword = statement(`
  INSERT INTO app_password (login, id, label, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)`);
export async function addAppPassword(
  store: Store,
  app: { login: string; id: string; label: string; hash: string },
): Promise<void> {
  await store.database.run(insertAppPassword, [app.login, app.id, app.label, app.hash, store.clock.now()]);
}

const insertToken = statement(`
  INSERT INTO token (hash, id, login, label, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`);
export async function addToken(
  store: Store,
  token: { login: string; id: string; label: string; hash: Buffer; expiresAt: Date | undefined },
): Promise<void> {
  const { hash, id, login, label, expiresAt } = token;
  await store.database.run(insertToken, [hash, id, login, label, store.clock.now(), expiresAt ?? null]);
}

const selectToken = statement<{ id: string; login: string; expires_at: Date | null }>(
  "SELECT id, login, expires_at FROM token WHERE hash = $1",
);
export async function findToken(
  database: Database,
  hash: Buffer,
): Promise<{ id: string; login: string; expiresAt: Date | undefined } | undefined> {
  const [row] = await database.run(selectToken, [hash]);
  return row && { id: row.id, login: row.login, expiresAt: row.expires_at ?? undefined };
}

type Row = { id: string; label: string; created_at: Date; expires_at: Date | null };
const listAppPasswords = statement<Row>(`
  SELECT id, label, created_at, NULL::timestamptz AS expires_at FROM app_password WHERE login = $1 ORDER BY created_at`);
const listTokens = unprepared<Row>(
  "-- crosses accounts\nSELECT id, label, created_at, expires_at FROM token WHERE login = $1 ORDER BY created_at",
);

export async function listCredentials(database: Database, login: string): Promise<Credential[]> {
  const apps = await database.run(listAppPasswords, [login]);
  const tokens = await database.run(listTokens, [login]);
  return [...apps.map((row) => toCredential("app-password", row)), ...tokens.map((row) => toCredential("token", row))];
}

function toCredential(kind: Credential["kind"], row: Row): Credential {
  const { id, label, created_at: createdAt, expires_at: expires } = row;
  return { kind, id, label, createdAt, expiresAt: expires ?? undefined };
}

const deleteAppPassword = statement("DELETE FROM app_password WHERE login = $1 AND id = $2");
const deleteToken = unprepared("-- crosses accounts\nDELETE FROM token WHERE login = $1 AND id = $2");

/** False where the login has no such credential. Its pushes end with it. Announce it afterwards (`announceRevoked`). */
export async function revokeCredential(database: Database, login: string, id: string): Promise<boolean> {
  const apps = await database.count(deleteAppPassword, [login, id]);
  const tokens = await database.count(deleteToken, [login, id]);
  for (const kind of ["app", "token"]) await removePushesOf(database, login, `${kind}:${id}`);
  return apps + tokens > 0;
}
