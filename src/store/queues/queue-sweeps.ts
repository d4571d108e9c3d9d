import type { Database } from "../core/database.ts";
import { unprepared } from "../core/sql.ts";
import { crossing } from "../core/unbound-tables.ts";

/** Statements of the mail queues that look across accounts and shards, and say so in their text. */
const across = <Row extends object>(text: string) => unprepared<Row & Record<string, unknown>>(crossing + text);

const incomingHolders = across<{ holder: string }>("SELECT DISTINCT leased_by AS holder FROM incoming");
const incomingDue = across<{ id: number }>(`
  SELECT id FROM incoming WHERE leased_until <= $1 OR leased_by = ANY($2::text[]) ORDER BY leased_until LIMIT $3`);

export async function incomingLeaseHolders(database: Database): Promise<string[]> {
  return (await database.run(incomingHolders)).map((row) => row.holder);
}

/** Incoming messages whose lease has run out or belongs to one of these holders. */
export async function dueIncoming(database: Database, now: Date, gone: string[], most: number): Promise<number[]> {
  return (await database.run(incomingDue, [now, gone, most])).map((row) => row.id);
}

const deliveryHolders = across<{ holder: string }>(
  `SELECT leased_by AS holder FROM delivery WHERE state = 'queued' AND leased_by IS NOT NULL
  UNION SELECT leased_by FROM delivery WHERE state <> 'queued' AND leased_by IS NOT NULL`,
);
const freeDeliveries = across<object>(
  "UPDATE delivery SET leased_by = NULL, leased_until = NULL WHERE state = 'queued' AND leased_by = ANY($1::text[])",
);
const lostHints = across<{ user_id: number; submission_id: number; next_attempt_at: Date }>(`
  SELECT user_id, submission_id, min(next_attempt_at) AS next_attempt_at FROM delivery
  WHERE state = 'queued' AND next_attempt_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
  GROUP BY user_id, submission_id LIMIT $2`);
const restoreHints = across<object>(`
  INSERT INTO due AS d (user_id, submission_id, next_attempt_at)
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[])
  ON CONFLICT (user_id, submission_id) DO UPDATE SET next_attempt_at = least(d.next_attempt_at, excluded.next_attempt_at)`);

export async function deliveryLeaseHolders(database: Database): Promise<string[]> {
  return (await database.run(deliveryHolders)).map((row) => row.holder);
}

/** Ends the leases of holders who are gone. */
export async function freeDeliveryLeases(database: Database, gone: string[]): Promise<void> {
  if (gone.length > 0) await database.run(freeDeliveries, [gone]);
}

const heldDeliveries = across<{ user_id: number; submission_id: number; leased_until: Date }>(`
  SELECT DISTINCT user_id, submission_id, leased_until FROM delivery WHERE state = 'queued' AND leased_by = $1`);

export interface HeldLease {
  userId: number;
  submissionId: number;
  until: Date;
}

/** What a holder has leased, by the database's account. */
export async function leasesOf(database: Database, holder: string): Promise<HeldLease[]> {
  const rows = await database.run(heldDeliveries, [holder]);
  return rows.map((row) => ({ userId: row.user_id, submissionId: row.submission_id, until: row.leased_until }));
}

const unlogged = across<{ user_id: number; submission_id: number }>(`
  SELECT DISTINCT user_id, submission_id FROM delivery
  WHERE state <> 'queued' AND leased_by IS NOT NULL AND (leased_until <= $1 OR leased_by = ANY($2::text[])) LIMIT $3`);

/** Submissions with outcomes that the change log has not been told, and whose holder will not do it any more. */
export async function unloggedSubmissions(database: Database, now: Date, gone: string[], most: number) {
  const rows = await database.run(unlogged, [now, gone, most]);
  return rows.map((row) => ({ userId: row.user_id, submissionId: row.submission_id }));
}

/** Makes hints for deliveries that are due and in nobody's hands. How many. */
export async function restoreDue(database: Database, now: Date, most: number): Promise<number> {
  const rows = await database.run(lostHints, [now, most]);
  if (rows.length === 0) return 0;
  await database.run(restoreHints, [
    rows.map((row) => row.user_id),
    rows.map((row) => row.submission_id),
    rows.map((row) => row.next_attempt_at),
  ]);
  return rows.length;
}
