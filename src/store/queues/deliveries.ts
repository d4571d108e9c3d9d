import { sql } from "kysely";
import type { StoredBlob } from "../blobs/blobs.ts";
import { Kind } from "../core/change.ts";
import type { Database } from "../core/database.ts";
import type { Delivered, Sending } from "../core/db.ts";
import { type Row, read, write } from "../core/declare.ts";
import { type Lists, lists } from "../core/lists.ts";
import type { Store, Tx } from "../core/store.ts";
import type { DueSubmission } from "./due.ts";
import type { Lease } from "./incoming.ts";
import { heldUntil } from "./queue-orders.ts";
import { noEmail, removeSubmissions } from "./submissions.ts";

/** The smtpReply of a delivery that waits for the virus scanner. */
export const unscannedReply = "451 4.7.1 it waits for the virus scanner";

/** A delivery to one recipient, leased for an attempt. `attempts` includes this attempt. */
export interface LeasedDelivery
  extends Row<
    "delivery",
    "no" | "rcptTo" | "parameters" | "attempts" | "route" | "returnReply" | "releasedAt" | "urgedAt"
  > {
  /** The mail's id in its header and in logs, and the one under which a local recipient gets the message. */
  incomingId: number;
  /** The sender was told that it waits. */
  isWarned: boolean;
  /** Whether no earlier attempt used the incoming id, so nothing was delivered under it. */
  isFresh: boolean;
  /** Since when it has waited for the virus scanner; null if it has not. */
  unscannedSince: Date | null;
}
export interface LeasedSubmission extends DueSubmission {
  leasedAt: Date;
  leasedUntil: Date;
  mailFrom: string;
  /** ESMTP parameters of MAIL FROM, such as RET. */
  parameters: Record<string, string | null> | null;
  sendAt: Date;
  /** Mail to many, which goes after a person's. */
  isBulk: boolean;
  /** The server sends it by itself, such as a forward. */
  isAutomatic: boolean;
  /** Null: it was not scored. */
  spamScore: number | null;
  /** Of the account that sends. */
  createdAt: Date;
  sending: Sending | null;
  blob: StoredBlob;
  deliveries: LeasedDelivery[];
}

type Leasing = Lists<"delivery", "submissionId"> & { incomingId: readonly number[] };
const lease = write(
  "deliveries.lease",
  (_, $: { userId: number; now: Date } & Lease & Leasing) => sql<
    Row<
      "delivery",
      | "submissionId"
      | "no"
      | "rcptTo"
      | "parameters"
      | "attempts"
      | "incomingId"
      | "smtpReply"
      | "nextAttemptAt"
      | "route"
      | "returnReply"
      | "releasedAt"
      | "urgedAt"
    > & {
      isWarned: boolean;
    }
  >`
  UPDATE delivery AS d SET leased_by = ${$.holder}, leased_until = ${$.until}, attempts = d.attempts + 1,
    incoming_id = coalesce(d.incoming_id, l.incoming_id)
  FROM unnest(${$.submissionId}::bigint[], ${$.incomingId}::bigint[]) AS l (submission_id, incoming_id)
  WHERE d.user_id = ${$.userId} AND d.submission_id = l.submission_id AND d.state = 'queued'
    AND d.next_attempt_at <= ${$.now} AND (d.leased_until IS NULL OR d.leased_until <= ${$.now})
  RETURNING d.submission_id AS "submissionId", d.no, d.rcpt_to AS "rcptTo", d.parameters, d.attempts,
    d.incoming_id AS "incomingId", d.route, d.return_reply AS "returnReply",
    d.warned AS "isWarned", d.smtp_reply AS "smtpReply",
    d.next_attempt_at AS "nextAttemptAt", d.released_at AS "releasedAt", d.urged_at AS "urgedAt"`,
);
const messages = read("submissions.messages", (db, $: { userId: number; ids: readonly number[] }) =>
  db
    .selectFrom("submission as s")
    .innerJoin("blobRef as b", (join) => join.on("b.userId", "=", $.userId).onRef("b.sha256", "=", "s.sha256"))
    .innerJoin("account as a", (join) => join.on("a.userId", "=", $.userId))
    .select(["s.id", "s.envelope", "s.sendAt", "s.bulk", "s.spamTenths", "s.emailId"])
    .select(["s.sha256", "b.day", "b.size", "b.pack"])
    .select(["a.createdAt", "a.sending"])
    .where("s.userId", "=", $.userId)
    .where("s.id", "in", $.ids),
);

/**
 * Leases the deliveries of an account's submissions that are due. Counts the attempt before it begins. `incomingId`: for each
 * submission the id under which it goes, if no earlier attempt has given it one.
 */
export async function leaseDeliveries(
  database: Database,
  userId: number,
  submissions: readonly { submissionId: number; incomingId: number }[],
  { holder, until, now }: Lease & { now: Date },
): Promise<LeasedSubmission[]> {
  const ids = submissions.map(({ submissionId }) => submissionId);
  const given = lists(submissions, ["submissionId", "incomingId"]);
  const [leased, found] = await Promise.all([
    database.run(lease, { userId, holder, until, now, ...given }),
    database.run(messages, { userId, ids }),
  ]);
  const bySubmission = Map.groupBy(leased, ({ submissionId }) => submissionId);
  const byId = new Map(found.map((row) => [row.id, row]));
  return submissions.flatMap(({ submissionId, incomingId: fresh }) => {
    const deliveries = (bySubmission.get(submissionId) ?? []).map(
      ({ submissionId: _, incomingId, smtpReply, nextAttemptAt, ...row }) => ({
        ...row,
        incomingId: incomingId ?? fresh,
        isFresh: row.attempts === 1 || incomingId === fresh,
        unscannedSince: smtpReply === unscannedReply ? nextAttemptAt : null,
      }),
    );
    const row = byId.get(submissionId);
    if (deliveries.length === 0 || !row) return [];
    const { envelope, sendAt, bulk: isBulk, id: _, spamTenths, createdAt, sending, emailId, ...blob } = row;
    const { email: mailFrom, parameters } = envelope.mailFrom;
    const about = { userId, submissionId, leasedAt: now, leasedUntil: until, mailFrom, parameters, sendAt, isBulk };
    const sender = { spamScore: spamTenths === null ? null : spamTenths / 10, createdAt, sending };
    const isAutomatic = emailId === noEmail;
    return [
      { ...about, ...sender, isAutomatic, blob, deliveries: deliveries.toSorted((one, other) => one.no - other.no) },
    ];
  });
}

const renew = write(
  "deliveries.renew",
  (db, $: DueSubmission & Lease & { nos: readonly number[]; leasedUntil: Date; held: Date }) =>
    db
      .updateTable("delivery")
      .set({ leasedUntil: $.until })
      .where("userId", "=", $.userId)
      .where("submissionId", "=", $.submissionId)
      .where("no", "in", $.nos)
      .where("state", "=", "queued")
      .where("leasedBy", "=", $.holder)
      .where("leasedUntil", "=", $.leasedUntil)
      .where("nextAttemptAt", "<", $.held),
);
const giveUp = write("deliveries.giveUp", (db, $: DueSubmission & Lease & { nos: readonly number[] }) =>
  db
    .updateTable("delivery")
    .set((eb) => ({ leasedBy: null, leasedUntil: null, attempts: eb("attempts", "-", 1) }))
    .where("userId", "=", $.userId)
    .where("submissionId", "=", $.submissionId)
    .where("no", "in", $.nos)
    .where("state", "=", "queued")
    .where("leasedBy", "=", $.holder)
    .where("leasedUntil", "=", $.until),
);

/** Extends the lease of these deliveries. False when any of it was lost, or they are held by now: then they are given up. */
export async function renewLease(
  database: Database,
  { userId, submissionId, leasedUntil }: LeasedSubmission,
  nos: number[],
  { holder, until }: Lease,
): Promise<boolean> {
  const given = { userId, submissionId, nos, holder };
  const renewed = await database.count(renew, { ...given, leasedUntil, until, held: heldUntil });
  if (renewed === nos.length) return true;
  for (const lost of [until, leasedUntil]) await database.run(giveUp, { ...given, until: lost });
  return false;
}

const release = write("deliveries.release", (db, $: DueSubmission & Lease) =>
  db
    .updateTable("delivery")
    .set({ leasedBy: null, leasedUntil: null })
    .where("userId", "=", $.userId)
    .where("submissionId", "=", $.submissionId)
    .where("leasedBy", "=", $.holder)
    .where("leasedUntil", "=", $.until),
);

/** Releases exactly this lease. */
export async function releaseLease(database: Database, due: DueSubmission, { holder, until }: Lease): Promise<void> {
  await database.run(release, { ...due, holder, until });
}

/** The outcome of an attempt for one recipient. */
export interface DeliveryOutcome {
  no: number;
  smtpReply: string;
  result: "sent" | "deferred" | "failed";
  /** When to retry, if deferred. */
  nextAttemptAt: Date | null;
  delivered: Delivered;
  /** No attempt was made (mailbox full): clear incoming_id so the retry gets its own and is not taken for a duplicate. */
  isUntried?: true | undefined;
  /** The sender is told that it waits. */
  isWarned?: true;
}

type Noted = Lists<"delivery", "submissionId" | "no" | "smtpReply">;
const note = write(
  "deliveries.noteSent",
  (_, $: { userId: number; holder: string } & Noted) => sql`
  UPDATE delivery AS d SET state = 'sent', smtp_reply = n.smtp_reply, delivered = 'unknown'
  FROM unnest(${$.submissionId}::bigint[], ${$.no}::integer[], ${$.smtpReply}::text[]) AS n (submission_id, no, smtp_reply)
  WHERE d.user_id = ${$.userId} AND d.submission_id = n.submission_id AND d.no = n.no AND d.state = 'queued'
    AND d.leased_by = ${$.holder}`,
);

/**
 * Notes that other servers have accepted messages of an account. Written at once, without waiting for the account's lock, so
 * that a crash is very unlikely to send them again. The lease stays until `recordOutcomes` has written the change log.
 */
export async function noteSent(
  database: Database,
  userId: number,
  sent: readonly { submissionId: number; no: number; smtpReply: string }[],
  holder: string,
): Promise<void> {
  await database.run(note, { userId, holder, ...lists(sent, ["submissionId", "no", "smtpReply"]) });
}

type PutOff = Lists<"delivery", "submissionId" | "no" | "nextAttemptAt">;
const putOff = write(
  "deliveries.putOff",
  // What was held meanwhile is due at the end of 9999 already.
  (_, $: { userId: number; holder: string } & PutOff) => sql`
  UPDATE delivery AS d SET leased_by = NULL, leased_until = NULL, attempts = d.attempts - 1,
    next_attempt_at = greatest(d.next_attempt_at, p.next_attempt_at)
  FROM unnest(${$.submissionId}::bigint[], ${$.no}::integer[], ${$.nextAttemptAt}::timestamptz[])
    AS p (submission_id, no, next_attempt_at)
  WHERE d.user_id = ${$.userId} AND d.submission_id = p.submission_id AND d.no = p.no AND d.state = 'queued'
    AND d.leased_by = ${$.holder}`,
);

/** Gives back deliveries that nobody has tried: they wait until then, or are held with their account's, and the attempt does not count. */
export async function putOffDeliveries(
  database: Database,
  userId: number,
  rows: readonly { submissionId: number; no: number; nextAttemptAt: Date }[],
  holder: string,
): Promise<void> {
  await database.run(putOff, { userId, holder, ...lists(rows, ["submissionId", "no", "nextAttemptAt"]) });
}

const states = { sent: "sent", deferred: "queued", failed: "failed" } as const;
type Told = Lists<"delivery", "submissionId" | "no" | "state" | "smtpReply" | "delivered"> & {
  nextAttemptAt: readonly (Date | null)[];
  isUntried: readonly boolean[];
  isWarned: readonly boolean[];
  heldFor: readonly (string | null)[];
};
const record = write(
  "deliveries.record",
  (_, $: { userId: number; holder: string } & Told) => sql<{ submissionId: number; no: number }>`
  UPDATE delivery AS d SET state = o.state, smtp_reply = o.smtp_reply, delivered = o.delivered,
    next_attempt_at = coalesce(o.next_attempt_at, d.next_attempt_at), leased_by = NULL, leased_until = NULL,
    return_reply = NULL, urged_at = NULL, held_for = o.held_for, warned = d.warned OR o.warned, incoming_id = CASE WHEN o.untried THEN NULL ELSE d.incoming_id END
  FROM unnest(${$.submissionId}::bigint[], ${$.no}::integer[], ${$.state}::text[], ${$.smtpReply}::text[],
    ${$.delivered}::text[], ${$.nextAttemptAt}::timestamptz[], ${$.isUntried}::boolean[], ${$.isWarned}::boolean[],
    ${$.heldFor}::text[])
    AS o (submission_id, no, state, smtp_reply, delivered, next_attempt_at, untried, warned, held_for)
  WHERE d.user_id = ${$.userId} AND d.submission_id = o.submission_id AND d.no = o.no
    AND d.state IN ('queued', o.state) AND d.leased_by = ${$.holder}
  RETURNING d.submission_id AS "submissionId", d.no`,
);
type Finished = { submissionId: readonly number[]; dsnBlobId: readonly (string | null)[] };
const finish = write(
  "submissions.finish",
  (_, $: { userId: number } & Finished) => sql<{ id: number; destroyed: boolean }>`
  UPDATE submission AS s SET undo_status = 'final',
    dsn_blob_ids = CASE WHEN f.dsn_blob_id IS NULL THEN s.dsn_blob_ids ELSE s.dsn_blob_ids || f.dsn_blob_id END
  FROM unnest(${$.submissionId}::bigint[], ${$.dsnBlobId}::text[]) AS f (id, dsn_blob_id)
  WHERE s.user_id = ${$.userId} AND s.id = f.id RETURNING s.id, s.destroyed`,
);
const stillQueued = read("deliveries.queuedAmong", (db, $: { userId: number; ids: readonly number[] }) =>
  db
    .selectFrom("delivery")
    .select("submissionId")
    .distinct()
    .where("userId", "=", $.userId)
    .where("submissionId", "in", $.ids)
    .where("state", "=", "queued"),
);

/** What became of an attempt for some recipients of a submission. */
export interface AttemptOutcome {
  submissionId: number;
  outcomes: readonly DeliveryOutcome[];
  /** The report to the sender. */
  dsnBlobId?: string | undefined;
}

/**
 * Records the outcomes of attempts as changes of their EmailSubmissions. For each, false when its lease was lost. Two with the
 * same submission may have one report at most. What is to be tried again is held if all mail of the account is by now.
 */
export async function recordOutcomes(tx: Tx, attempts: readonly AttemptOutcome[], holder: string): Promise<boolean[]> {
  const { hold } = tx.sending;
  const told = attempts.flatMap(({ submissionId, outcomes }) =>
    outcomes.map(({ result, isUntried = false, isWarned = false, ...outcome }) => {
      const isHeld = hold && result === "deferred";
      const held = isHeld ? { nextAttemptAt: heldUntil, heldFor: hold.reason } : { heldFor: null };
      return { ...outcome, submissionId, state: states[result], isUntried, isWarned, ...held };
    }),
  );
  const columns = [
    "submissionId",
    "no",
    "state",
    "smtpReply",
    "delivered",
    "nextAttemptAt",
    "isUntried",
    "isWarned",
    "heldFor",
  ] as const;
  const rows = await tx.run(record, { userId: tx.accountId, holder, ...lists(told, columns) });
  const keys = new Set(rows.map(({ submissionId, no }) => `${submissionId} ${no}`));
  const isOurs = attempts.map(({ submissionId, outcomes }) =>
    outcomes.some(({ no }) => keys.has(`${submissionId} ${no}`)),
  );
  await finishAttempts(
    tx,
    attempts.filter((_, at) => isOurs[at]),
  );
  return isOurs;
}

const putBack = write("deliveries.putBack", (db, $: DueSubmission & { nos: readonly number[]; holder: string }) =>
  db
    .updateTable("delivery")
    .set((eb) => ({
      smtpReply: unscannedReply,
      leasedBy: null,
      leasedUntil: null,
      attempts: eb("attempts", "-", 1),
    }))
    .where("userId", "=", $.userId)
    .where("submissionId", "=", $.submissionId)
    .where("no", "in", $.nos)
    .where("state", "=", "queued")
    .where("leasedBy", "=", $.holder),
);

/**
 * Puts leased deliveries back as if the attempt had not begun, since the virus scanner is away: they stay due, and keep the
 * id under which an earlier attempt may have delivered them. Without a lock when their reply stays the same.
 */
export async function putBackUnscanned(
  store: Store,
  { userId, submissionId }: DueSubmission,
  deliveries: readonly LeasedDelivery[],
  holder: string,
): Promise<void> {
  const values = { userId, submissionId, nos: deliveries.map(({ no }) => no), holder };
  if (deliveries.every(({ unscannedSince }) => unscannedSince !== null)) {
    await store.database.run(putBack, values);
    return;
  }
  await store.write(userId, "server", async (tx) => {
    if ((await tx.count(putBack, values)) === 0) return;
    const [row] = await tx.run(isDestroyed, { userId, submissionId });
    if (row?.destroyed === false) tx.changed({ type: "EmailSubmission", id: submissionId, kind: Kind.properties });
  });
}
const isDestroyed = read("submissions.isDestroyed", (db, $: DueSubmission) =>
  db.selectFrom("submission").select("destroyed").where("userId", "=", $.userId).where("id", "=", $.submissionId),
);

const log = write("deliveries.log", (db, $: DueSubmission) =>
  db
    .updateTable("delivery")
    .set({ leasedBy: null, leasedUntil: null })
    .where("userId", "=", $.userId)
    .where("submissionId", "=", $.submissionId)
    .where("state", "<>", "queued")
    .where("leasedBy", "is not", null),
);

/** Writes to the change log what a dead process had only noted (`noteSent`). */
export async function logOutcomes(tx: Tx, submissionId: number): Promise<void> {
  if ((await tx.count(log, { userId: tx.accountId, submissionId })) > 0) await finishAttempts(tx, [{ submissionId }]);
}

async function finishAttempts(tx: Tx, attempts: readonly Omit<AttemptOutcome, "outcomes">[]): Promise<void> {
  if (attempts.length === 0) return;
  const reports = new Map<number, string | null>();
  for (const { submissionId, dsnBlobId } of attempts) {
    reports.set(submissionId, dsnBlobId ?? reports.get(submissionId) ?? null);
  }
  const userId = tx.accountId;
  const given = { submissionId: [...reports.keys()], dsnBlobId: [...reports.values()] };
  const rows = await tx.run(finish, { userId, ...given });
  const kept = new Set(rows.filter(({ destroyed }) => !destroyed).map(({ id }) => id));
  for (const id of kept) tx.changed({ type: "EmailSubmission", id, kind: Kind.properties });
  const destroyed = [...reports.keys()].filter((id) => !kept.has(id));
  if (destroyed.length === 0) return;
  const queued = new Set((await tx.run(stillQueued, { userId, ids: destroyed })).map((row) => row.submissionId));
  await removeSubmissions(
    tx,
    destroyed.filter((id) => !queued.has(id)),
  );
}
