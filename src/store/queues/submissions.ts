import { releaseBlobs } from "../blobs/blob-refs.ts";
import type { StoredBlob } from "../blobs/blobs.ts";
import { Kind } from "../core/change.ts";
import { statement } from "../core/sql.ts";
import type { Reader, Tx } from "../core/store.ts";

/** RFC 8621 §7: an address with its SMTP parameters. */
export interface EnvelopeAddress {
  email: string;
  parameters: Record<string, string | null> | null;
}
export interface Envelope {
  mailFrom: EnvelopeAddress;
  rcptTo: EnvelopeAddress[];
}
export type UndoStatus = "pending" | "final" | "canceled";

export interface SubmissionRow {
  id: number;
  identityId: number;
  emailId: number;
  threadId: number;
  envelope: Envelope;
  sendAt: Date;
  undoStatus: UndoStatus;
  dsnBlobIds: string[];
  mdnBlobIds: string[];
}

export interface NewSubmission extends Omit<SubmissionRow, "undoStatus" | "dsnBlobIds" | "mdnBlobIds"> {
  /** The message as it leaves. */
  blob: StoredBlob;
  recipients: { address: EnvelopeAddress; smtpReply: string }[];
  /** Clients do not see it: what is no EmailSubmission but goes the same way. It goes when it is sent. */
  isHidden?: true;
  /** Of a hidden one: not even the state moves, so whoever queues it hints at it too. */
  isSilent?: true;
}

const columns = `id, identity_id AS "identityId", email_id AS "emailId", thread_id AS "threadId", envelope,
  send_at AS "sendAt", undo_status AS "undoStatus", dsn_blob_ids AS "dsnBlobIds", mdn_blob_ids AS "mdnBlobIds"`;
const select = statement<SubmissionRow>(`
  SELECT ${columns} FROM submission WHERE user_id = $1 AND NOT destroyed
    AND ($2::bigint[] IS NULL OR id = ANY($2::bigint[])) ORDER BY id LIMIT $3`);

type Status = { submission_id: number; rcpt_to: string; smtp_reply: string; delivered: string; displayed: string };
/** What is noted and not yet in the change log (see noteSent) shows as queued: what clients see moves with the state. */
const selectStatus = statement<Status>(`
  SELECT submission_id, rcpt_to, displayed,
    CASE WHEN state = 'queued' OR leased_by IS NULL THEN smtp_reply ELSE '250 2.1.5 queued' END AS smtp_reply,
    CASE WHEN state = 'queued' OR leased_by IS NULL THEN delivered ELSE 'queued' END AS delivered
  FROM delivery
  WHERE user_id = $1 AND submission_id = ANY($2::bigint[]) ORDER BY submission_id, no`);

const insert = statement(`
  INSERT INTO submission (user_id, id, identity_id, email_id, thread_id, envelope, sha256, send_at, undo_status, created_at,
    destroyed)
  SELECT a.user_id, s.id, s.identity_id, s.email_id, s.thread_id, s.envelope, s.sha256, s.send_at, 'pending', $9,
    s.destroyed
  FROM account a, unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::jsonb[], $7::bytea[],
    $8::timestamptz[], $10::boolean[]) AS s (id, identity_id, email_id, thread_id, envelope, sha256, send_at, destroyed)
  WHERE a.user_id = $1`);
const insertDeliveries = statement(`
  INSERT INTO delivery (user_id, submission_id, no, rcpt_to, parameters, state, next_attempt_at, smtp_reply, delivered,
    displayed)
  SELECT a.user_id, d.submission_id, d.no, d.rcpt_to, d.parameters, 'queued', d.next_attempt_at, d.smtp_reply, 'queued',
    'unknown'
  FROM account a, unnest($2::bigint[], $3::integer[], $4::text[], $5::jsonb[], $6::timestamptz[], $7::text[])
    AS d (submission_id, no, rcpt_to, parameters, next_attempt_at, smtp_reply)
  WHERE a.user_id = $1`);

/** Locks the rows, so that no worker leases them until the cancelling is done. */
const lockDeliveries = statement<{ submission_id: number; state: string; attempts: number }>(`
  SELECT submission_id, state, attempts FROM delivery
  WHERE user_id = $1 AND submission_id = ANY($2::bigint[]) FOR UPDATE`);
const cancelDeliveries = statement(`
  UPDATE delivery SET state = 'canceled', delivered = 'no', smtp_reply = $3
  WHERE user_id = $1 AND submission_id = ANY($2::bigint[]) AND state = 'queued'`);
const cancel = statement(
  "UPDATE submission SET undo_status = 'canceled' WHERE user_id = $1 AND id = ANY($2::bigint[])",
);

const hide = statement(`
  UPDATE submission SET destroyed = true WHERE user_id = $1 AND id = ANY($2::bigint[])`);
const stillQueued = statement<{ submission_id: number }>(`
  SELECT DISTINCT submission_id FROM delivery
  WHERE user_id = $1 AND submission_id = ANY($2::bigint[]) AND state = 'queued'`);
const remove = statement<{ sha256: Buffer }>(`
  DELETE FROM submission WHERE user_id = $1 AND id = ANY($2::bigint[]) AND destroyed RETURNING sha256`);
const removeDeliveries = statement("DELETE FROM delivery WHERE user_id = $1 AND submission_id = ANY($2::bigint[])");

/** Those of the ids that are there, or all for null. */
export function findSubmissions(reader: Reader, ids: number[] | null, limit = 100_000): Promise<SubmissionRow[]> {
  return reader.run(select, [reader.accountId, ids, limit]);
}

/** RFC 8621 §7: deliveryStatus of each submission, by its id. */
export async function findDeliveryStatus(reader: Reader, ids: number[]): Promise<Map<number, Record<string, object>>> {
  const statuses = new Map<number, Record<string, object>>();
  if (ids.length === 0) return statuses;
  for (const row of await reader.run(selectStatus, [reader.accountId, ids])) {
    const status = { smtpReply: row.smtp_reply, delivered: row.delivered, displayed: row.displayed };
    const known = statuses.get(row.submission_id);
    if (known) known[row.rcpt_to] = status;
    else statuses.set(row.submission_id, { [row.rcpt_to]: status });
  }
  return statuses;
}

/** Submissions with a delivery for each recipient. Their blobs' references are the caller's. */
export async function insertSubmissions(tx: Tx, rows: NewSubmission[]): Promise<void> {
  await tx.run(insert, [
    tx.accountId,
    rows.map((row) => row.id),
    rows.map((row) => row.identityId),
    rows.map((row) => row.emailId),
    rows.map((row) => row.threadId),
    rows.map((row) => JSON.stringify(row.envelope)),
    rows.map((row) => row.blob.sha256),
    rows.map((row) => row.sendAt),
    tx.now,
    rows.map((row) => row.isHidden === true),
  ]);
  const deliveries = rows.flatMap((row) => row.recipients.map((recipient, no) => ({ row, no, ...recipient })));
  await tx.run(insertDeliveries, [
    tx.accountId,
    deliveries.map(({ row }) => row.id),
    deliveries.map(({ no }) => no),
    deliveries.map(({ address }) => address.email),
    deliveries.map(({ address }) => address.parameters && JSON.stringify(address.parameters)),
    deliveries.map(({ row }) => row.sendAt),
    deliveries.map(({ smtpReply }) => smtpReply),
  ]);
  for (const { id, isHidden, isSilent } of rows) {
    // A hidden one is made and gone at once: no client is told of it, but it wakes whoever sends mail.
    const kind = isHidden ? Kind.created | Kind.destroyed : Kind.created;
    if (!isSilent) tx.changed({ type: "EmailSubmission", id, kind });
  }
}

/** Which of these have not been tried yet. No attempt begins before the transaction ends. */
export async function findCancelable(tx: Tx, ids: number[]): Promise<Set<number>> {
  const rows = await tx.run(lockDeliveries, [tx.accountId, ids]);
  const tried = new Set(
    rows.filter((row) => row.state !== "queued" || row.attempts > 0).map((row) => row.submission_id),
  );
  return new Set(rows.map((row) => row.submission_id).filter((id) => !tried.has(id)));
}

export async function cancelSubmissions(tx: Tx, ids: number[]): Promise<void> {
  await tx.run(cancelDeliveries, [tx.accountId, ids, "550 5.7.0 canceled by the sender"]);
  await tx.run(cancel, [tx.accountId, ids]);
  for (const id of ids) tx.changed({ type: "EmailSubmission", id, kind: Kind.properties });
}

/** RFC 8621 §7.5: the records go; deliveries that are still queued go on. */
export async function destroySubmissions(tx: Tx, ids: number[]): Promise<void> {
  await tx.run(hide, [tx.accountId, ids]);
  for (const id of ids) tx.changed({ type: "EmailSubmission", id, kind: Kind.destroyed });
  const queued = new Set((await tx.run(stillQueued, [tx.accountId, ids])).map((row) => row.submission_id));
  await removeSubmissions(
    tx,
    ids.filter((id) => !queued.has(id)),
  );
}

/** Of these, the destroyed ones are deleted for good, with what they held. */
export async function removeSubmissions(tx: Tx, ids: number[]): Promise<void> {
  if (ids.length === 0) return;
  const gone = await tx.run(remove, [tx.accountId, ids]);
  if (gone.length === 0) return;
  await tx.run(removeDeliveries, [tx.accountId, ids]);
  await releaseBlobs(
    tx,
    gone.map((row) => row.sha256),
  );
}

export interface EmailToSend {
  id: number;
  threadId: number;
  blob: StoredBlob;
}
type SendRow = { id: number; thread_id: number; sha256: Buffer; size: number; day: string };
const selectToSend = statement<SendRow>(`
  SELECT e.id, e.thread_id, m.sha256, m.size, b.day FROM email e
  JOIN message m ON m.user_id = $1 AND m.no = e.no
  JOIN blob_ref b ON b.user_id = $1 AND b.sha256 = m.sha256
  WHERE e.user_id = $1 AND e.id = ANY($2::bigint[])`);

/** Emails with their bytes' places, by id. */
export async function findEmailsToSend(reader: Reader, ids: number[]): Promise<Map<number, EmailToSend>> {
  if (ids.length === 0) return new Map();
  const rows = await reader.run(selectToSend, [reader.accountId, ids]);
  return new Map(
    rows.map(({ id, thread_id: threadId, sha256, day, size }) => [id, { id, threadId, blob: { sha256, day, size } }]),
  );
}
