import type { StoredBlob } from "../blobs/blobs.ts";
import { Kind } from "../core/change.ts";
import type { Database } from "../core/database.ts";
import { statement, unprepared } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";
import type { Lease } from "./incoming.ts";
import { removeSubmissions } from "./submissions.ts";

/** A submission whose delivery may be due. */
export interface DueSubmission {
  userId: number;
  submissionId: number;
}

const queuedOf = statement<{ submission_id: number; next_attempt_at: Date }>(`
  SELECT submission_id, min(next_attempt_at) AS next_attempt_at FROM delivery
  WHERE user_id = $1 AND state = 'queued' AND (leased_until IS NULL OR leased_until <= $2) GROUP BY submission_id`);
const withoutWaiting = unprepared("SET LOCAL synchronous_commit = off");
const writeHints = statement(`
  INSERT INTO due (user_id, submission_id, next_attempt_at)
  SELECT $1, d.submission_id, d.next_attempt_at FROM unnest($2::bigint[], $3::timestamptz[])
    AS d (submission_id, next_attempt_at)
  ON CONFLICT (user_id, submission_id) DO UPDATE SET next_attempt_at = excluded.next_attempt_at`);

/** Makes hints of what an account has queued and nobody holds. Hints may be lost: the sweep finds the rows again. */
export async function hintQueued(database: Database, userId: number, now: Date): Promise<number> {
  const rows = await database.run(queuedOf, [userId, now]);
  if (rows.length === 0) return 0;
  await database.transaction("BEGIN", async (executor) => {
    executor.send(withoutWaiting);
    executor.send(writeHints, [userId, rows.map((row) => row.submission_id), rows.map((row) => row.next_attempt_at)]);
  });
  return rows.length;
}

type DueRow = { user_id: number; submission_id: number };
const claimHints = statement<DueRow>(`
  UPDATE due SET next_attempt_at = $2
  WHERE (user_id, submission_id) IN (
    SELECT user_id, submission_id FROM due WHERE next_attempt_at <= $1 ORDER BY next_attempt_at LIMIT $3
    FOR UPDATE SKIP LOCKED)
  RETURNING user_id, submission_id`);
const nextHint = statement<{ next: Date | null }>("SELECT min(next_attempt_at) AS next FROM due");
const nextOf = statement<{ next: Date | null }>(`
  SELECT min(greatest(next_attempt_at, leased_until)) AS next FROM delivery
  WHERE user_id = $1 AND submission_id = $2 AND state = 'queued'`);
const moveHint = statement("UPDATE due SET next_attempt_at = $3 WHERE user_id = $1 AND submission_id = $2");
const dropHint = statement("DELETE FROM due WHERE user_id = $1 AND submission_id = $2");

/** Takes hints that are due. They come back at `until`, should this process not live to see to them. */
export async function claimDue(database: Database, now: Date, until: Date, most: number): Promise<DueSubmission[]> {
  const rows = await database.run(claimHints, [now, until, most]);
  return rows.map((row) => ({ userId: row.user_id, submissionId: row.submission_id }));
}

/** When the next hint is due; undefined when there is none. */
export async function nextDue(database: Database): Promise<Date | undefined> {
  const [row] = await database.run(nextHint);
  return row?.next ?? undefined;
}

/** Puts the hint where the submission's rows say, or takes it away when nothing is queued. */
export async function settleHint(database: Database, { userId, submissionId }: DueSubmission): Promise<void> {
  const [row] = await database.run(nextOf, [userId, submissionId]);
  if (row?.next) await database.run(moveHint, [userId, submissionId, row.next]);
  else await database.run(dropHint, [userId, submissionId]);
}

export interface LeasedDelivery {
  no: number;
  rcptTo: string;
  parameters: Record<string, string | null> | null;
  /** This one included. */
  attempts: number;
  /** For recipients of our own. */
  incomingId: number;
  /** No earlier attempt had this id, so nothing was delivered by it. */
  isFresh: boolean;
}
export interface LeasedSubmission extends DueSubmission {
  leasedAt: Date;
  leasedUntil: Date;
  mailFrom: string;
  /** RET and the like, of MAIL FROM. */
  parameters: Record<string, string | null> | null;
  sendAt: Date;
  blob: StoredBlob;
  deliveries: LeasedDelivery[];
}

const lease = statement<Omit<LeasedDelivery, "isFresh">>(`
  UPDATE delivery SET leased_by = $3, leased_until = $4, attempts = attempts + 1,
    incoming_id = coalesce(incoming_id, $5)
  WHERE user_id = $1 AND submission_id = $2 AND state = 'queued' AND next_attempt_at <= $6
    AND (leased_until IS NULL OR leased_until <= $6)
  RETURNING no, rcpt_to AS "rcptTo", parameters, attempts, incoming_id AS "incomingId"`);
type MessageRow = {
  envelope: { mailFrom: { email: string; parameters: Record<string, string | null> | null } };
  send_at: Date;
  sha256: Buffer;
  day: string;
  size: number;
};
const selectMessage = statement<MessageRow>(`
  SELECT s.envelope, s.send_at, s.sha256, b.day, b.size FROM submission s
  JOIN blob_ref b ON b.user_id = $1 AND b.sha256 = s.sha256
  WHERE s.user_id = $1 AND s.id = $2`);

/** Takes the submission's recipients that are due: the attempt is counted before it begins. */
export async function leaseDeliveries(
  database: Database,
  due: DueSubmission,
  { holder, until, now, incomingId }: Lease & { now: Date; incomingId: number },
): Promise<LeasedSubmission | undefined> {
  const { userId, submissionId } = due;
  const leased = await database.run(lease, [userId, submissionId, holder, until, incomingId, now]);
  const deliveries = leased.map((row) => ({ ...row, isFresh: row.incomingId === incomingId }));
  if (deliveries.length === 0) return undefined;
  const [row] = await database.run(selectMessage, [userId, submissionId]);
  if (!row) throw new Error(`submission ${submissionId} of account ${userId} has no message`);
  const { email: mailFrom, parameters } = row.envelope.mailFrom;
  const blob = { sha256: row.sha256, day: row.day, size: row.size };
  return { ...due, leasedAt: now, leasedUntil: until, mailFrom, parameters, sendAt: row.send_at, blob, deliveries };
}

const renew = statement(`
  UPDATE delivery SET leased_until = $6
  WHERE user_id = $1 AND submission_id = $2 AND no = ANY($3::integer[]) AND state = 'queued' AND leased_by = $4
    AND leased_until = $5`);

/** Makes the lease of these recipients longer; false where it is not all ours any more. */
export async function renewLease(
  database: Database,
  { userId, submissionId, leasedUntil }: LeasedSubmission,
  nos: number[],
  { holder, until }: Lease,
): Promise<boolean> {
  return (await database.count(renew, [userId, submissionId, nos, holder, leasedUntil, until])) === nos.length;
}

const release = statement(`
  UPDATE delivery SET leased_by = NULL, leased_until = NULL
  WHERE user_id = $1 AND submission_id = $2 AND leased_by = $3 AND leased_until = $4`);

/** Ends this very lease. */
export async function releaseLease(database: Database, due: DueSubmission, { holder, until }: Lease): Promise<void> {
  await database.run(release, [due.userId, due.submissionId, holder, until]);
}

/** What came of one recipient's attempt. */
export interface DeliveryOutcome {
  no: number;
  smtpReply: string;
  result: "sent" | "deferred" | "failed";
  /** For deferred ones. */
  nextAttemptAt: Date | null;
  delivered: "queued" | "yes" | "no" | "unknown";
  /** Nothing was attempted: the next attempt has an incoming id apart from those that are delivered now. */
  isUntried?: true | undefined;
}

const note = statement(`
  UPDATE delivery AS d SET state = 'sent', smtp_reply = o.smtp_reply, delivered = 'unknown'
  FROM unnest($3::integer[], $4::text[]) AS o (no, smtp_reply)
  WHERE d.user_id = $1 AND d.submission_id = $2 AND d.no = o.no AND d.state = 'queued' AND d.leased_by = $5`);

/**
 * Another server has them: written at once and without waiting for the account, so that a crash leaves next to no time
 * in which they would be sent again. The lease stays until `recordOutcomes` has told the change log.
 */
export async function noteSent(
  database: Database,
  { userId, submissionId }: DueSubmission,
  sent: { no: number; smtpReply: string }[],
  holder: string,
): Promise<void> {
  const [nos, replies] = [sent.map(({ no }) => no), sent.map(({ smtpReply }) => smtpReply)];
  await database.run(note, [userId, submissionId, nos, replies, holder]);
}

const states = { sent: "sent", deferred: "queued", failed: "failed" } as const;
const record = statement(`
  UPDATE delivery AS d SET state = o.state, smtp_reply = o.smtp_reply, delivered = o.delivered,
    next_attempt_at = coalesce(o.next_attempt_at, d.next_attempt_at), leased_by = NULL, leased_until = NULL,
    incoming_id = CASE WHEN o.untried THEN NULL ELSE d.incoming_id END
  FROM unnest($3::integer[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $9::boolean[])
    AS o (no, state, smtp_reply, delivered, next_attempt_at, untried)
  WHERE d.user_id = $1 AND d.submission_id = $2 AND d.no = o.no AND d.state IN ('queued', o.state) AND d.leased_by = $8`);
const finish = statement(`
  UPDATE submission SET undo_status = 'final', dsn_blob_ids = dsn_blob_ids || $3::text[]
  WHERE user_id = $1 AND id = $2`);
const isHidden = statement<{ destroyed: boolean }>("SELECT destroyed FROM submission WHERE user_id = $1 AND id = $2");
const countQueued = statement<{ count: number }>(`
  SELECT count(*) AS count FROM delivery WHERE user_id = $1 AND submission_id = $2 AND state = 'queued'`);

/** Writes down what came of an attempt, as a change of the EmailSubmission. False where the lease was lost. */
export async function recordOutcomes(
  tx: Tx,
  submissionId: number,
  { outcomes, holder, dsnBlobIds }: { outcomes: DeliveryOutcome[]; holder: string; dsnBlobIds: string[] },
): Promise<boolean> {
  const written = await tx.count(record, [
    tx.accountId,
    submissionId,
    outcomes.map(({ no }) => no),
    outcomes.map(({ result }) => states[result]),
    outcomes.map(({ smtpReply }) => smtpReply),
    outcomes.map(({ delivered }) => delivered),
    outcomes.map(({ nextAttemptAt }) => nextAttemptAt),
    holder,
    outcomes.map(({ isUntried }) => isUntried === true),
  ]);
  if (written === 0) return false;
  await finishAttempt(tx, submissionId, dsnBlobIds);
  return true;
}

const log = statement(`
  UPDATE delivery SET leased_by = NULL, leased_until = NULL
  WHERE user_id = $1 AND submission_id = $2 AND state <> 'queued' AND leased_by IS NOT NULL`);

/** Tells the change log what a process that is gone had only noted. */
export async function logOutcomes(tx: Tx, submissionId: number): Promise<void> {
  if ((await tx.count(log, [tx.accountId, submissionId])) > 0) await finishAttempt(tx, submissionId, []);
}

async function finishAttempt(tx: Tx, submissionId: number, dsnBlobIds: string[]): Promise<void> {
  await tx.run(finish, [tx.accountId, submissionId, dsnBlobIds]);
  const [submission] = await tx.run(isHidden, [tx.accountId, submissionId]);
  if (!submission?.destroyed) tx.changed({ type: "EmailSubmission", id: submissionId, kind: Kind.properties });
  else {
    const [queued] = await tx.run(countQueued, [tx.accountId, submissionId]);
    if (queued?.count === 0) await removeSubmissions(tx, [submissionId]);
  }
}
