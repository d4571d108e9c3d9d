import { type ExpressionBuilder, sql } from "kysely";
import type { Database } from "../core/database.ts";
import type { DB } from "../core/db.ts";
import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";
import type { LoginName } from "./login-name.ts";

const columns = [
  "id",
  "deviceClientId",
  "url",
  "p256dh",
  "auth",
  "verificationCode",
  "verified",
  "expiresAt",
  "types",
] as const;
type Stored = Row<"pushSubscription", (typeof columns)[number]>;

/** RFC 8620 §7.2: a PushSubscription as its client sees it. */
export interface PushSubscriptionRow extends Omit<Stored, "p256dh" | "auth"> {
  keys: { p256dh: Buffer; auth: Buffer } | null;
}

export interface NewPushSubscription extends Omit<PushSubscriptionRow, "verified"> {
  credentialExpiresAt: Date | null;
}

const heldColumns = [
  "login",
  "credential",
  "credentialExpiresAt",
  "verificationSent",
  "pushState",
  "attempts",
  "failingSince",
  "nextAttemptAt",
] as const;

/** A subscription with the state needed to push. */
export type HeldPush = PushSubscriptionRow & Row<"pushSubscription", (typeof heldColumns)[number]>;

function withKeys<Given extends Stored>({ p256dh, auth, ...row }: Given) {
  return { ...row, keys: p256dh && auth && { p256dh, auth } };
}

/** The login and credential that ask; each credential sees only its own subscriptions. */
export interface Owner extends LoginName {
  credential: string;
}

const isAlive = (eb: ExpressionBuilder<DB, "pushSubscription">, { now }: { now: Date }) =>
  eb.and([
    eb.or([eb("expiresAt", "is", null), eb("expiresAt", ">", now)]),
    eb.or([eb("credentialExpiresAt", "is", null), eb("credentialExpiresAt", ">", now)]),
  ]);

const all = read("pushSubscriptions.all", (db, $: Owner & { now: Date; limit: number }) =>
  db
    .selectFrom("pushSubscription")
    .select(columns)
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("credential", "=", $.credential)
    .where((eb) => isAlive(eb, $))
    .orderBy("createdAt")
    .orderBy("id")
    .limit($.limit),
);
const byId = read("pushSubscriptions.byId", (db, $: Owner & { now: Date; ids: readonly number[] }) =>
  db
    .selectFrom("pushSubscription")
    .select(columns)
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("credential", "=", $.credential)
    .where((eb) => isAlive(eb, $))
    .where("id", "in", $.ids),
);

/** The unexpired subscriptions with these ids, or up to `limit` of all for null. */
export async function findPushSubscriptions(
  database: Database,
  owner: Owner,
  want: { ids: number[] | null; limit: number; now: Date },
): Promise<PushSubscriptionRow[]> {
  const { ids, limit, now } = want;
  const rows = ids
    ? await database.run(byId, { ...owner, now, ids })
    : await database.run(all, { ...owner, now, limit });
  return rows.map(withKeys);
}

const count = read("pushSubscriptions.count", (db, $: LoginName & { now: Date }) =>
  db
    .selectFrom("pushSubscription")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where((eb) => eb.or([eb("expiresAt", "is", null), eb("expiresAt", ">", $.now)])),
);

/** How many subscriptions a login has through all its credentials. */
export async function countPushSubscriptions(database: Database, owner: LoginName, now: Date): Promise<number> {
  return (await database.run(count, { ...owner, now }))[0]!.count;
}

type Added = Stored &
  Row<"pushSubscription", "userId" | "login" | "credential" | "credentialExpiresAt" | "createdAt" | "holder">;
const insert = write("pushSubscriptions.add", (db, $: Omit<Added, "verified">) =>
  db.insertInto("pushSubscription").values({
    userId: $.userId,
    login: $.login,
    id: $.id,
    credential: $.credential,
    credentialExpiresAt: $.credentialExpiresAt,
    deviceClientId: $.deviceClientId,
    url: $.url,
    p256dh: $.p256dh,
    auth: $.auth,
    verificationCode: $.verificationCode,
    expiresAt: $.expiresAt,
    types: $.types,
    createdAt: $.createdAt,
    holder: $.holder,
  }),
);

/** `holder`: the process that will push. */
export async function addPushSubscription(
  database: Database,
  owner: Owner,
  { keys, now, ...row }: NewPushSubscription & { holder: string; now: Date },
): Promise<void> {
  const { p256dh, auth } = keys ?? { p256dh: null, auth: null };
  await database.run(insert, { ...owner, ...row, p256dh, auth, createdAt: now });
}

export interface PushSubscriptionUpdate extends Pick<PushSubscriptionRow, "id" | "expiresAt" | "types" | "verified"> {
  /** The process that takes over the pushes, so that only it needs to know of the update. */
  holder: string;
  /** The states that the client is now assumed to know; null leaves them. */
  pushState: string | null;
}

// Once verified, it no longer waits for the retry of its verification.
const update = write(
  "pushSubscriptions.update",
  (_, $: Owner & PushSubscriptionUpdate) => sql`
  UPDATE push_subscription SET expires_at = ${$.expiresAt}, types = ${$.types}, verified = ${$.verified},
    holder = ${$.holder}, push_state = coalesce(${$.pushState}, push_state),
    attempts = CASE WHEN ${$.verified} AND NOT verified THEN 0 ELSE attempts END,
    failing_since = CASE WHEN ${$.verified} AND NOT verified THEN NULL ELSE failing_since END,
    next_attempt_at = CASE WHEN ${$.verified} AND NOT verified THEN NULL ELSE next_attempt_at END
  WHERE user_id = ${$.userId} AND login = ${$.login} AND credential = ${$.credential} AND id = ${$.id}`,
);

export async function updatePushSubscription(
  database: Database,
  owner: Owner,
  row: PushSubscriptionUpdate,
): Promise<void> {
  await database.run(update, { ...owner, ...row });
}

const remove = write("pushSubscriptions.remove", (db, $: LoginName & { ids: readonly number[] }) =>
  db
    .deleteFrom("pushSubscription")
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("id", "in", $.ids),
);

export async function removePushSubscriptions(database: Database, owner: LoginName, ids: number[]): Promise<void> {
  await database.run(remove, { ...owner, ids });
}

const removeOfCredentials = write(
  "pushSubscriptions.removeOf",
  (db, $: LoginName & { credentials: readonly string[] }) =>
    db
      .deleteFrom("pushSubscription")
      .where("userId", "=", $.userId)
      .where("login", "=", $.login)
      .where("credential", "in", $.credentials),
);

/** RFC 8620 §7.2: subscriptions end with the credentials that created them. */
export async function removePushesOf(
  executor: Executor,
  { login, userId }: LoginName,
  credentials: readonly string[],
): Promise<void> {
  await executor.run(removeOfCredentials, { login, userId, credentials });
}

/** A subscription that this process holds. */
export interface PushName extends LoginName {
  id: number;
  holder: string;
}

const held = read("pushSubscriptions.held", (db, $: PushName) =>
  db
    .selectFrom("pushSubscription")
    .select(columns)
    .select(heldColumns)
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("id", "=", $.id)
    .where("holder", "=", $.holder),
);

/** The current row; undefined when it is gone or another process holds it. */
export async function findHeldPush(database: Database, push: PushName): Promise<HeldPush | undefined> {
  const [row] = await database.run(held, push);
  return row && withKeys(row);
}

const noteTold = write("pushSubscriptions.notePushed", (db, $: PushName & { pushState: string }) =>
  db
    .updateTable("pushSubscription")
    .set({ pushState: $.pushState, attempts: 0, failingSince: null, nextAttemptAt: null })
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("id", "=", $.id)
    .where("holder", "=", $.holder),
);

export async function notePushed(database: Database, push: PushName, pushState: string): Promise<void> {
  await database.run(noteTold, { ...push, pushState });
}

const noteVerification = write("pushSubscriptions.noteVerificationSent", (db, $: PushName) =>
  db
    .updateTable("pushSubscription")
    .set({ verificationSent: true })
    .where("userId", "=", $.userId)
    .where("login", "=", $.login)
    .where("id", "=", $.id)
    .where("holder", "=", $.holder),
);

export async function noteVerificationSent(database: Database, push: PushName): Promise<void> {
  await database.run(noteVerification, push);
}

const noteFailure = write(
  "pushSubscriptions.noteFailed",
  (db, $: PushName & { attempts: number; since: Date; nextAttemptAt: Date }) =>
    db
      .updateTable("pushSubscription")
      .set({ attempts: $.attempts, failingSince: $.since, nextAttemptAt: $.nextAttemptAt })
      .where("userId", "=", $.userId)
      .where("login", "=", $.login)
      .where("id", "=", $.id)
      .where("holder", "=", $.holder),
);

export async function notePushFailed(
  database: Database,
  push: PushName,
  failure: { attempts: number; since: Date; nextAttemptAt: Date },
): Promise<void> {
  await database.run(noteFailure, { ...push, ...failure });
}
