import type { Database } from "../core/database.ts";
import { type Executor, statement } from "../core/sql.ts";
import type { LoginName } from "./login-name.ts";

/** RFC 8620 §7.2, as its client sees it. */
export interface PushSubscriptionRow {
  id: number;
  deviceClientId: string;
  url: string;
  keys: { p256dh: Buffer; auth: Buffer } | null;
  verificationCode: string;
  verified: boolean;
  expiresAt: Date | null;
  types: string[] | null;
}

export interface NewPushSubscription extends Omit<PushSubscriptionRow, "verified"> {
  credentialExpiresAt: Date | null;
}

/** What a push needs. */
export interface HeldPush extends PushSubscriptionRow {
  login: string;
  credential: string;
  credentialExpiresAt: Date | null;
  verificationSent: boolean;
  pushState: string | null;
  attempts: number;
  failingSince: Date | null;
  nextAttemptAt: Date | null;
}

interface Row {
  id: number;
  device_client_id: string;
  url: string;
  p256dh: Buffer | null;
  auth: Buffer | null;
  verification_code: string;
  verified: boolean;
  expires_at: Date | null;
  types: string[] | null;
  [name: string]: unknown;
}
interface HeldRow extends Row {
  login: string;
  credential: string;
  credential_expires_at: Date | null;
  verification_sent: boolean;
  push_state: string | null;
  attempts: number;
  failing_since: Date | null;
  next_attempt_at: Date | null;
}

const columns = "id, device_client_id, url, p256dh, auth, verification_code, verified, expires_at, types";
const alive =
  "(expires_at IS NULL OR expires_at > $4) AND (credential_expires_at IS NULL OR credential_expires_at > $4)";

function toRow(row: Row): PushSubscriptionRow {
  return {
    id: row.id,
    deviceClientId: row.device_client_id,
    url: row.url,
    keys: row.p256dh && row.auth && { p256dh: row.p256dh, auth: row.auth },
    verificationCode: row.verification_code,
    verified: row.verified,
    expiresAt: row.expires_at,
    types: row.types,
  };
}

/** Who asks: subscriptions that another credential of the same login made are not for it. */
export interface Owner extends LoginName {
  credential: string;
}

const selectAll = statement<Row>(`
  SELECT ${columns} FROM push_subscription WHERE user_id = $1 AND login = $2 AND credential = $3 AND ${alive}
  ORDER BY created_at, id LIMIT $5`);
const selectSome = statement<Row>(`
  SELECT ${columns} FROM push_subscription WHERE user_id = $1 AND login = $2 AND credential = $3 AND ${alive}
    AND id = ANY($5::bigint[])`);

/** Those of these ids, or all (at most `limit`) for null, that have not expired. */
export async function findPushSubscriptions(
  database: Database,
  { userId, login, credential }: Owner,
  want: { ids: number[] | null; limit: number; now: Date },
): Promise<PushSubscriptionRow[]> {
  const { ids, limit, now } = want;
  const rows = ids
    ? await database.run(selectSome, [userId, login, credential, now, ids])
    : await database.run(selectAll, [userId, login, credential, now, limit]);
  return rows.map(toRow);
}

const countAll = statement<{ count: number }>(`
  SELECT count(*) AS count FROM push_subscription
  WHERE user_id = $1 AND login = $2 AND (expires_at IS NULL OR expires_at > $3)`);

/** How many a login has, by all its credentials. */
export async function countPushSubscriptions(database: Database, { userId, login }: Owner, now: Date): Promise<number> {
  return (await database.run(countAll, [userId, login, now]))[0]!.count;
}

const insert = statement(`
  INSERT INTO push_subscription (user_id, login, id, credential, credential_expires_at, device_client_id, url, p256dh,
    auth, verification_code, expires_at, types, created_at, holder)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`);

/** `holder`: the process that is to push. */
export async function addPushSubscription(
  database: Database,
  { userId, login, credential }: Owner,
  row: NewPushSubscription & { holder: string; now: Date },
): Promise<void> {
  const { id, credentialExpiresAt, deviceClientId, url, keys, verificationCode, expiresAt, types, now, holder } = row;
  const key = [keys?.p256dh ?? null, keys?.auth ?? null];
  const values = [userId, login, id, credential, credentialExpiresAt, deviceClientId, url, ...key];
  await database.run(insert, [...values, verificationCode, expiresAt, types, now, holder]);
}

// Verified now, it need not wait for what its verification had to.
const update = statement(`
  UPDATE push_subscription SET expires_at = $5, types = $6, verified = $7, holder = $8,
    push_state = coalesce($9, push_state),
    attempts = CASE WHEN $7 AND NOT verified THEN 0 ELSE attempts END,
    failing_since = CASE WHEN $7 AND NOT verified THEN NULL ELSE failing_since END,
    next_attempt_at = CASE WHEN $7 AND NOT verified THEN NULL ELSE next_attempt_at END
  WHERE user_id = $1 AND login = $2 AND credential = $3 AND id = $4`);

export interface PushSubscriptionUpdate extends Pick<PushSubscriptionRow, "id" | "expiresAt" | "types" | "verified"> {
  /** Takes over the pushes: so it alone need be told. */
  holder: string;
  /** What the client is taken to know, where that begins anew. */
  pushState: string | null;
}

export async function updatePushSubscription(
  database: Database,
  { userId, login, credential }: Owner,
  row: PushSubscriptionUpdate,
): Promise<void> {
  const { id, expiresAt, types, verified, holder, pushState } = row;
  await database.run(update, [userId, login, credential, id, expiresAt, types, verified, holder, pushState]);
}

const remove = statement("DELETE FROM push_subscription WHERE user_id = $1 AND login = $2 AND id = ANY($3::bigint[])");

export async function removePushSubscriptions(
  database: Database,
  { userId, login }: LoginName,
  ids: number[],
): Promise<void> {
  await database.run(remove, [userId, login, ids]);
}

const removeOfCredential = statement(
  "DELETE FROM push_subscription WHERE user_id = $1 AND login = $2 AND credential = $3",
);

/** RFC 8620 §7.2: they end with the credential that made them. */
export async function removePushesOf(database: Executor, { userId, login, credential }: Owner): Promise<void> {
  await database.run(removeOfCredential, [userId, login, credential]);
}

const held = statement<HeldRow>(`
  SELECT ${columns}, login, credential, credential_expires_at, verification_sent, push_state, attempts, failing_since,
    next_attempt_at
  FROM push_subscription WHERE user_id = $1 AND login = $2 AND id = $3 AND holder = $4`);

/** As it stands now; undefined when it is gone, or another process pushes. */
export async function findHeldPush(
  database: Database,
  { userId, login, id, holder }: PushName,
): Promise<HeldPush | undefined> {
  const [row] = await database.run(held, [userId, login, id, holder]);
  return (
    row && {
      ...toRow(row),
      login: row.login,
      credential: row.credential,
      credentialExpiresAt: row.credential_expires_at,
      verificationSent: row.verification_sent,
      pushState: row.push_state,
      attempts: row.attempts,
      failingSince: row.failing_since,
      nextAttemptAt: row.next_attempt_at,
    }
  );
}

const noteTold = statement(`
  UPDATE push_subscription SET push_state = $5, attempts = 0, failing_since = NULL, next_attempt_at = NULL
  WHERE user_id = $1 AND login = $2 AND id = $3 AND holder = $4`);

export async function notePushed(database: Database, push: PushName, pushState: string): Promise<void> {
  await database.run(noteTold, [...keyOf(push), pushState]);
}

const noteVerification = statement(`
  UPDATE push_subscription SET verification_sent = true
  WHERE user_id = $1 AND login = $2 AND id = $3 AND holder = $4`);

export async function noteVerificationSent(database: Database, push: PushName): Promise<void> {
  await database.run(noteVerification, keyOf(push));
}

const noteFailure = statement(`
  UPDATE push_subscription SET attempts = $5, failing_since = $6, next_attempt_at = $7
  WHERE user_id = $1 AND login = $2 AND id = $3 AND holder = $4`);

export async function notePushFailed(
  database: Database,
  push: PushName,
  failure: { attempts: number; since: Date; nextAttemptAt: Date },
): Promise<void> {
  const { attempts, since, nextAttemptAt } = failure;
  await database.run(noteFailure, [...keyOf(push), attempts, since, nextAttemptAt]);
}

/** One that this process holds. */
export interface PushName extends LoginName {
  id: number;
  holder: string;
}

function keyOf({ userId, login, id, holder }: PushName): unknown[] {
  return [userId, login, id, holder];
}
