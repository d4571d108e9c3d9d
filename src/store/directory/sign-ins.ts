import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";
import type { LoginName } from "./login-name.ts";
import { removePushesOf } from "./push-subscriptions.ts";

/** What its owner sees of a token or an app password. `usedAt` is exact to within an hour. */
const shown = ["id", "label", "createdAt", "usedAt", "network"] as const;

export type SignInRow = Row<"token", (typeof shown)[number] | "agent" | "expiresAt" | "isWeb">;
export type AppPasswordRow = Row<"appPassword", (typeof shown)[number]>;

const listSignIns = read("tokens.signIns", (db, $: LoginName & { now: Date }) =>
  db
    .selectFrom("token")
    .select([...shown, "agent", "expiresAt", "isWeb"])
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("grantId", "is", null)
    .where((eb) => eb.or([eb("expiresAt", "is", null), eb("expiresAt", ">", $.now)]))
    .orderBy("createdAt"),
);
const listAppPasswords = read("appPasswords.shown", (db, $: LoginName) =>
  db
    .selectFrom("appPassword")
    .select(shown)
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .orderBy("createdAt"),
);

/** The tokens of a login that have not expired, but for those of grants, oldest first. */
export function findSignIns(executor: Executor, { login, userId }: LoginName, now: Date): Promise<SignInRow[]> {
  return executor.run(listSignIns, { login, userId, now });
}

/** The app passwords of a login, oldest first. */
export function findAppPasswords(executor: Executor, { login, userId }: LoginName): Promise<AppPasswordRow[]> {
  return executor.run(listAppPasswords, { login, userId });
}

type WebToken = Row<
  "token",
  "userId" | "hash" | "id" | "login" | "label" | "createdAt" | "expiresAt" | "agent" | "network"
>;
const insertWebToken = write("tokens.addWeb", (db, $: WebToken) =>
  db.insertInto("token").values({
    userId: $.userId,
    hash: $.hash,
    id: $.id,
    login: $.login,
    label: $.label,
    createdAt: $.createdAt,
    expiresAt: $.expiresAt,
    isWeb: true,
    agent: $.agent,
    usedAt: $.createdAt,
    network: $.network,
  }),
);
const webToken = read("tokens.isWeb", (db, $: LoginName & { id: string; labels: readonly string[] }) =>
  db
    .selectFrom("token")
    .select("id")
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("id", "=", $.id)
    .where("label", "in", $.labels)
    .where("isWeb", "=", true),
);

/** The labels of sign-ins to the inbox, and of those for which the identity provider has asked for a second factor. */
export const webSignIn = "web";
export const strongWebSignIn = "web, by the identity provider's second factor";

/** Whether a token was made by signing in with a browser, at a door that gives it one of these labels. */
export async function isWebToken(
  executor: Executor,
  token: LoginName & { id: string; labels: readonly string[] },
): Promise<boolean> {
  return (await executor.run(webToken, token)).length > 0;
}

const dropOldest = write(
  "tokens.dropOldestWeb",
  (_, $: LoginName & { keep: number }) => sql`
  DELETE FROM token WHERE user_id = ${$.userId} AND login = ${$.login} AND is_web AND id IN (
    SELECT id FROM token WHERE user_id = ${$.userId} AND login = ${$.login} AND is_web
    ORDER BY created_at DESC, id OFFSET ${$.keep})`,
);
const passwordOf = read("logins.passwordHash", (db, $: { login: string }) =>
  db.selectFrom("login").select("passwordHash").where("login", "=", $.login),
);

/** The hash of the login's password as it is under the account's lock, which every change of it takes. */
export async function currentPasswordHash(tx: Tx, login: string): Promise<string | undefined> {
  return (await tx.run(passwordOf, { login }))[0]?.passwordHash;
}

/** The most web tokens of a login: the oldest ones give way. */
const maxWebTokens = 50;

/** Adds the token of somebody who signed in with a browser. */
export async function addWebToken(tx: Tx, token: WebToken): Promise<void> {
  await tx.run(insertWebToken, token);
  await tx.run(dropOldest, { login: token.login, userId: token.userId, keep: maxWebTokens });
}

const deleteWebTokens = write("tokens.removeWeb", (db, $: LoginName & { except: string }) =>
  db
    .deleteFrom("token")
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("isWeb", "=", true)
    .where("id", "!=", $.except),
);
const deletePushes = write(
  "pushSubscriptions.removeOfWeb",
  (_, $: LoginName & { except: string }) => sql`
  DELETE FROM push_subscription WHERE user_id = ${$.userId} AND login = ${$.login} AND credential IN (
    SELECT 'token:' || id FROM token
    WHERE user_id = ${$.userId} AND login = ${$.login} AND is_web AND id <> ${$.except})`,
);

/** Ends what a login opened with browsers, but for the token `except`; their push subscriptions end with them. */
export async function removeWebTokens(executor: Executor, owner: LoginName, except = ""): Promise<void> {
  const which = { login: owner.login, userId: owner.userId, except };
  await executor.run(deletePushes, which);
  await executor.run(deleteWebTokens, which);
}

const deleteTokens = write("tokens.removeSome", (db, $: LoginName & { ids: readonly string[] }) =>
  db.deleteFrom("token").where("userId", "=", $.userId).where("login", "=", $.login).where("id", "in", $.ids),
);
const deleteAppPasswords = write("appPasswords.removeSome", (db, $: LoginName & { ids: readonly string[] }) =>
  db.deleteFrom("appPassword").where("userId", "=", $.userId).where("login", "=", $.login).where("id", "in", $.ids),
);
/** Removes tokens or app passwords with the push subscriptions made with them. */
export async function removeCredentials(
  tx: Tx,
  { login, userId }: LoginName,
  { kind, ids }: { kind: "token" | "app"; ids: readonly string[] },
): Promise<void> {
  const credentials = ids.map((id) => `${kind}:${id}`);
  await tx.run(kind === "token" ? deleteTokens : deleteAppPasswords, { login, userId, ids });
  await removePushesOf(tx, { login, userId }, credentials);
}

interface Use {
  userId: number;
  id: string;
  usedAt: Date;
  network: string | null;
}
const noteToken = write("tokens.used", (db, $: Use) =>
  db
    .updateTable("token")
    .set({ usedAt: $.usedAt, network: $.network })
    .where("userId", "=", $.userId)
    .where("id", "=", $.id),
);
const noteAppPassword = write("appPasswords.used", (db, $: Use & { login: string }) =>
  db
    .updateTable("appPassword")
    .set({ usedAt: $.usedAt, network: $.network })
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("id", "=", $.id),
);

/** How exact `usedAt` is: a use is recorded once in so long, or when the network is another. */
const recordedEveryMs = 3_600_000;

/** Records that a credential was used now, unless that is known well enough. */
export async function noteUse(
  database: Database,
  { kind, login, ...use }: Use & { kind: "token" | "app"; login: string },
  known: { usedAt: Date | null; network: string | null },
): Promise<void> {
  const isRecent = known.usedAt !== null && use.usedAt.getTime() - known.usedAt.getTime() < recordedEveryMs;
  if (isRecent && known.network === use.network) return;
  if (kind === "token") await database.run(noteToken, use);
  else await database.run(noteAppPassword, { ...use, login });
}
