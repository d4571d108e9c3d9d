import { sql } from "kysely";
import type { Log } from "../../base/log.ts";
import type { Database } from "../core/database.ts";
import { across, type Row, read, unnamed, write } from "../core/declare.ts";
import { everywhere, readEverywhere } from "../core/everywhere.ts";
import type { Executor } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";
import type { LoginName } from "./login-name.ts";
import { removePushesOf } from "./push-subscriptions.ts";

type Id = { userId: number; id: string };

const columns = [
  "userId",
  "id",
  "login",
  "clientId",
  "scope",
  "codeHash",
  "codeExpiresAt",
  "redirectUri",
  "challenge",
  "familyHash",
  "refreshHash",
] as const;

/** What somebody allowed a program to do. */
export type OauthGrant = Row<"oauthGrant", (typeof columns)[number]>;

const byId = read("oauthGrants.byId", (db, $: Id) =>
  db.selectFrom("oauthGrant").select(columns).where("userId", "=", $.userId).where("id", "=", $.id),
);

export async function findGrant(executor: Executor, { userId, id }: Id): Promise<OauthGrant | undefined> {
  return (await executor.run(byId, { userId, id }))[0];
}

const shown = ["id", "name", "isVerified", "scope", "createdAt", "usedAt", "network"] as const;

/** What its owner sees of a grant. */
export type ShownGrant = Row<"oauthGrant", (typeof shown)[number]>;

const ofLogin = read("oauthGrants.ofLogin", (db, $: LoginName) =>
  db
    .selectFrom("oauthGrant")
    .select(shown)
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("refreshHash", "is not", null)
    .orderBy("createdAt"),
);

/** The grants of a login whose codes were redeemed, oldest first. */
export function findGrants(executor: Executor, { login, userId }: LoginName): Promise<ShownGrant[]> {
  return executor.run(ofLogin, { login, userId });
}

type NewGrant = Omit<OauthGrant, "familyHash" | "refreshHash"> & Row<"oauthGrant", "name" | "isVerified" | "createdAt">;

const insert = write("oauthGrants.add", (db, $: NewGrant) =>
  db.insertInto("oauthGrant").values({
    userId: $.userId,
    id: $.id,
    login: $.login,
    clientId: $.clientId,
    name: $.name,
    isVerified: $.isVerified,
    scope: $.scope,
    createdAt: $.createdAt,
    codeHash: $.codeHash,
    codeExpiresAt: $.codeExpiresAt,
    redirectUri: $.redirectUri,
    challenge: $.challenge,
  }),
);
const beyond = read("oauthGrants.beyond", (db, $: LoginName & { keep: number }) =>
  db
    .selectFrom("oauthGrant")
    .select("id")
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .orderBy("createdAt", "desc")
    .orderBy("id")
    .offset($.keep)
    .limit(1000),
);

/** The most grants of a login: the oldest ones give way. */
const maxGrants = 100;

/** Adds a grant whose code waits to be redeemed. */
export async function addGrant(tx: Tx, grant: NewGrant): Promise<void> {
  await tx.run(insert, grant);
  const { login, userId } = grant;
  const rows = await tx.run(beyond, { login, userId, keep: maxGrants });
  const owner = { login, userId };
  await removeGrants(
    tx,
    owner,
    rows.map(({ id }) => id),
  );
}

type Renewal = Id & { familyHash: Buffer; refreshHash: Buffer; usedAt: Date; network: string | null };
const renew = write("oauthGrants.renew", (db, $: Renewal) =>
  db
    .updateTable("oauthGrant")
    .set({ familyHash: $.familyHash, refreshHash: $.refreshHash, usedAt: $.usedAt, network: $.network })
    .where("userId", "=", $.userId)
    .where("id", "=", $.id),
);
type AccessToken = Row<"token", "userId" | "hash" | "id" | "login" | "label" | "createdAt" | "expiresAt" | "scope"> & {
  grantId: string;
};
const insertToken = write("tokens.addAccess", (db, $: AccessToken) =>
  db.insertInto("token").values({
    userId: $.userId,
    hash: $.hash,
    id: $.id,
    login: $.login,
    label: $.label,
    createdAt: $.createdAt,
    expiresAt: $.expiresAt,
    grantId: $.grantId,
    scope: $.scope,
  }),
);
const dropOld = write(
  "tokens.dropOldAccess",
  (_, $: { userId: number; grantId: string; now: Date; keep: number }) => sql`
  DELETE FROM token WHERE user_id = ${$.userId} AND grant_id = ${$.grantId} AND (expires_at <= ${$.now} OR id IN (
    SELECT id FROM token WHERE user_id = ${$.userId} AND grant_id = ${$.grantId}
    ORDER BY created_at DESC, id OFFSET ${$.keep}))`,
);

/** The most access tokens of a grant, though each lives for an hour: one that is renewed without need loses the oldest. */
const maxAccessTokens = 20;

/** Gives a grant a new refresh token, which replaces the one before, and a further access token. */
export async function renewGrant(tx: Tx, renewal: Renewal, token: AccessToken): Promise<void> {
  await tx.run(renew, renewal);
  await tx.run(insertToken, token);
  const { userId, grantId, createdAt: now } = token;
  await tx.run(dropOld, { userId, grantId, now, keep: maxAccessTokens });
}

const deleteTokens = write("tokens.removeOfGrants", (db, $: LoginName & { ids: readonly string[] }) =>
  db.deleteFrom("token").where("userId", "=", $.userId).where("login", "=", $.login).where("grantId", "in", $.ids),
);
const deleteGrants = write("oauthGrants.remove", (db, $: LoginName & { ids: readonly string[] }) =>
  db.deleteFrom("oauthGrant").where("userId", "=", $.userId).where("login", "=", $.login).where("id", "in", $.ids),
);

/** Ends grants of a login, with their tokens and push subscriptions. */
export async function removeGrants(
  executor: Executor,
  { login, userId }: LoginName,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await removePushesOf(
    executor,
    { login, userId },
    ids.map((id) => `grant:${id}`),
  );
  await executor.run(deleteTokens, { login, userId, ids });
  await executor.run(deleteGrants, { login, userId, ids });
}

const idsOfLogin = read("oauthGrants.ids", (db, $: LoginName) =>
  db.selectFrom("oauthGrant").select("id").where("userId", "=", $.userId).where("login", "=", $.login),
);

/** Ends all grants of a login, those too whose codes were not redeemed. */
export async function removeAllGrants(executor: Executor, { login, userId }: LoginName): Promise<void> {
  const rows = await executor.run(idsOfLogin, { login, userId });
  const owner = { login, userId };
  await removeGrants(
    executor,
    owner,
    rows.map(({ id }) => id),
  );
}

type OneAccessToken = { userId: number; hash: Buffer; clientId: string };
const deleteToken = write("tokens.removeAccess", (db, $: OneAccessToken) =>
  db
    .deleteFrom("token")
    .where("userId", "=", $.userId)
    .where("hash", "=", $.hash)
    .where("grantId", "in", (eb) =>
      eb
        .selectFrom("oauthGrant")
        .select("id")
        .where("oauthGrant.userId", "=", $.userId)
        .where("oauthGrant.clientId", "=", $.clientId),
    )
    .returning("login"),
);

/** Ends one access token, if it is one of this program's. Returns its login. */
export async function removeAccessToken(executor: Executor, token: OneAccessToken): Promise<string | undefined> {
  return (await executor.run(deleteToken, token))[0]?.login;
}

type Ends = { codeUntil: Date; usedUntil: Date };
const ended = everywhere(
  "oauthGrant",
  ["userId", "login", "id"],
  read(
    "oauthGrants.ended",
    (db, $: Ends) =>
      db
        .selectFrom("oauthGrant")
        .select(["userId", "login", "id"])
        .where((eb) =>
          eb.or([
            eb.and([eb("refreshHash", "is", null), eb("codeExpiresAt", "<=", $.codeUntil)]),
            eb("usedAt", "<=", $.usedUntil),
          ]),
        ),
    across("finds grants that are no longer used, whosever they are"),
    unnamed("runs rarely, so it is planned for the current data"),
  ),
);

/** Removes grants whose code was not redeemed until `codeUntil`, or that got no tokens since `usedUntil`. */
export async function dropEndedGrants(database: Database, log: Log, until: Ends): Promise<void> {
  const { rows } = await readEverywhere(database, log, ended, until);
  for (const { userId, login, id } of rows) await removeGrants(database, { userId, login }, [id]);
}
