import type { Log } from "../../base/log.ts";
import type { Database } from "../core/database.ts";
import { across, type Row, read, unnamed, write } from "../core/declare.ts";
import { everywhere, readEverywhere } from "../core/everywhere.ts";
import type { Executor } from "../core/sql.ts";
import type { LoginName } from "./login-name.ts";
import { findGrant, findGrants, removeGrants } from "./oauth-grants.ts";
import type { Place } from "./place.ts";
import { removePushesOf } from "./push-subscriptions.ts";

/** Further credentials of a login, each revocable by itself. Only hashes of their secrets are stored. */
export interface Credential {
  kind: "app-password" | "token" | "grant";
  id: string;
  label: string;
  createdAt: Date;
  expiresAt: Date | undefined;
}

type AppPassword = Row<"appPassword", "userId" | "login" | "id" | "label" | "passwordHash" | "createdAt">;
const insertAppPassword = write("appPasswords.add", (db, $: AppPassword) =>
  db.insertInto("appPassword").values({
    userId: $.userId,
    login: $.login,
    id: $.id,
    label: $.label,
    passwordHash: $.passwordHash,
    createdAt: $.createdAt,
  }),
);
export async function addAppPassword(
  store: Place,
  { hash, ...app }: LoginName & { id: string; label: string; hash: string },
): Promise<void> {
  await store.database.run(insertAppPassword, { ...app, passwordHash: hash, createdAt: store.clock.now() });
}

type Token = Row<"token", "userId" | "hash" | "id" | "login" | "label" | "createdAt" | "expiresAt">;
const insertToken = write("tokens.add", (db, $: Token) =>
  db.insertInto("token").values({
    userId: $.userId,
    hash: $.hash,
    id: $.id,
    login: $.login,
    label: $.label,
    createdAt: $.createdAt,
    expiresAt: $.expiresAt,
  }),
);
export async function addToken(
  store: Place,
  token: LoginName & { id: string; label: string; hash: Buffer; expiresAt: Date | undefined },
): Promise<void> {
  const row = { ...token, createdAt: store.clock.now(), expiresAt: token.expiresAt ?? null };
  await store.database.run(insertToken, row);
}

const found = [
  "userId",
  "id",
  "login",
  "expiresAt",
  "usedAt",
  "network",
  "isWeb",
  "grantId",
  "scope",
  "label",
] as const;
const byHash = read("tokens.byHash", (db, $: { userId: number; hash: Buffer }) =>
  db.selectFrom("token").select(found).where("userId", "=", $.userId).where("hash", "=", $.hash),
);
const byHashAlone = read(
  "tokens.byHashAlone",
  (db, $: { hash: Buffer }) => db.selectFrom("token").select(found).where("hash", "=", $.hash),
  across("a token from before 0.2 does not tell where it lies: on Citus all nodes are asked for it"),
);

export interface FoundToken extends LoginName {
  id: string;
  expiresAt: Date | undefined;
  usedAt: Date | null;
  network: string | null;
  /** Somebody signed in to the pages with a browser. */
  isWeb: boolean;
  label: string;
  /** Of an access token (OAuth 2.0). */
  grantId: string | null;
  /** What the token may be used for; null: everything. */
  scope: string | null;
}

/** `userId`: the account that the token names, if any. */
export async function findToken(
  database: Database,
  hash: Buffer,
  userId: number | undefined,
): Promise<FoundToken | undefined> {
  const [row] =
    userId === undefined ? await database.run(byHashAlone, { hash }) : await database.run(byHash, { userId, hash });
  return row && { ...row, expiresAt: row.expiresAt ?? undefined };
}

const listAppPasswords = read("appPasswords.ofLogin", (db, $: LoginName) =>
  db
    .selectFrom("appPassword")
    .select(["id", "label", "createdAt"])
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .orderBy("createdAt"),
);
const listTokens = read("tokens.ofLogin", (db, $: LoginName) =>
  db
    .selectFrom("token")
    .select(["id", "label", "createdAt", "expiresAt"])
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("grantId", "is", null)
    .orderBy("createdAt"),
);

export async function listCredentials(database: Database, { userId, login }: LoginName): Promise<Credential[]> {
  const apps = await database.run(listAppPasswords, { userId, login });
  const tokens = await database.run(listTokens, { userId, login });
  const grants = await findGrants(database, { userId, login });
  return [
    ...apps.map((row) => ({ kind: "app-password" as const, ...row, expiresAt: undefined })),
    ...tokens.map((row) => ({ kind: "token" as const, ...row, expiresAt: row.expiresAt ?? undefined })),
    ...grants.map(({ id, name: label, createdAt }) => ({
      kind: "grant" as const,
      ...{ id, label, createdAt, expiresAt: undefined },
    })),
  ];
}

const deleteAppPassword = write("appPasswords.remove", (db, $: LoginName & { id: string }) =>
  db.deleteFrom("appPassword").where("userId", "=", $.userId).where("login", "=", $.login).where("id", "=", $.id),
);
const deleteToken = write("tokens.remove", (db, $: LoginName & { id: string }) =>
  db.deleteFrom("token").where("userId", "=", $.userId).where("login", "=", $.login).where("id", "=", $.id),
);

/** False when the login has no such credential. Its push subscriptions end with it. */
export async function revokeCredential(database: Executor, owner: LoginName, id: string): Promise<boolean> {
  const isGrant = (await findGrant(database, { userId: owner.userId, id }))?.login === owner.login;
  if (isGrant) await removeGrants(database, owner, [id]);
  const apps = await database.count(deleteAppPassword, { ...owner, id });
  const tokens = await database.count(deleteToken, { ...owner, id });
  await removePushesOf(database, owner, [`app:${id}`, `token:${id}`]);
  return apps + tokens > 0 || isGrant;
}

const expired = everywhere(
  "token",
  ["userId"],
  read(
    "tokens.expired",
    (db, $: { until: Date }) => db.selectFrom("token").select("userId").distinct().where("expiresAt", "<=", $.until),
    across("finds expired tokens, whosever they are"),
    unnamed("runs rarely, so it is planned for the current data"),
  ),
);
const dropExpired = write("tokens.dropExpired", (db, $: { userId: number; until: Date }) =>
  db.deleteFrom("token").where("userId", "=", $.userId).where("expiresAt", "<=", $.until),
);

/** Removes the tokens that expired up to `until`. */
export async function dropExpiredTokens(database: Database, log: Log, until: Date): Promise<void> {
  const { rows } = await readEverywhere(database, log, expired, { until });
  for (const { userId } of rows) await database.run(dropExpired, { userId, until });
}
