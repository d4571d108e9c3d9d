import { sql } from "kysely";
import type { StoredBlob } from "../blobs/blobs.ts";
import { Kind } from "../core/change.ts";
import type { Database } from "../core/database.ts";
import type { Delivered } from "../core/db.ts";
import { type Row, read, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";
import type { Store, Tx } from "../core/store.ts";
import type { DueSubmission } from "./due.ts";
import type { Lease } from "./incoming.ts";
import { removeSubmissions } from "./submissions.ts";

/** The smtpReply of a delivery that waits for the virus scanner. */
export const unscannedReply = "451 4.7.1 it waits for the virus scanner";

/** A delivery to one recipient, leased for an attempt. `attempts` includes this attempt. */
export interface LeasedDelivery
  extends Row<"delivery", "no" | "rcptTo" | "parameters" | "attempts" | "route" | "returnReply"> {
  /** The mail's id in its header and in logs, and the one under which a local recipient gets the message. */
  incomingId: number;
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
  blob: StoredBlob;
  deliveries: LeasedDelivery[];
}

const lease = write("deliveries.lease", (db, $: DueSubmission & Lease & { now: Date; incomingId: number }) =>
  db
    .updateTable("delivery")
    .set((eb) => ({
      leasedBy: $.holder,
      leasedUntil: $.until,
      attempts: eb("attempts", "+", 1),
      incomingId: sql<number>`coalesce(incoming_id, ${$.incomingId})`,
    }))
    .where("userId", "=", $.userId)
    .where("submissionId", "=", $.submissionId)
    .where("state", "=", "queued")
    .where("nextAttemptAt", "<=", $.now)
    .where((eb) => eb.or([eb("leasedUntil", "is", null), eb("leasedUntil", "<=", $.now)]))
    .returning(["no", "rcptTo", "parameters", "attempts", "incomingId", "route", "returnReply"])
    .returning(["smtpReply", "nextAttemptAt"]),
);
const message = read("submissions.message", (db, $: DueSubmission) =>
  db
    .selectFrom("submission as s")
    .innerJoin("blobRef as b", (join) => join.on("b.userId", "=", $.userId).onRef("b.sha256", "=", "s.sha256"))
    .select(["s.envelope", "s.sendAt", "s.sha256", "b.day", "b.size", "b.pack"])
    .where("s.userId", "=", $.userId)
    .where("s.id", "=", $.submissionId),
);

/** Leases the submission's deliveries that are due. Counts the attempt before it begins. */
export async function leaseDeliveries(
  database: Database,
  due: DueSubmission,
  { holder, until, now, incomingId }: Lease & { now: Date; incomingId: number },
): Promise<LeasedSubmission | undefined> {
  const { userId, submissionId } = due;
  const leased = await database.run(lease, { userId, submissionId, holder, until, incomingId, now });
  const deliveries = leased.map(({ smtpReply, nextAttemptAt, ...row }) => ({
    ...row,
    incomingId: row.incomingId ?? incomingId,
    isFresh: row.attempts === 1 || row.incomingId === incomingId,
    unscannedSince: smtpReply === unscannedReply ? nextAttemptAt : null,
  }));
  if (deliveries.length === 0) return undefined;
  const [row] = await database.run(message, { userId, submissionId });
  if (!row) throw new Error(`submission ${submissionId} of account ${userId} has no message`);
  const { envelope, sendAt, ...blob } = row;
  const { email: mailFrom, parameters } = envelope.mailFrom;
  return { ...due, leasedAt: now, leasedUntil: until, mailFrom, parameters, sendAt, blob, deliveries };
}

const renew = write(
  "deliveries.renew",
  (db, $: DueSubmission & Lease & { nos: readonly number[]; leasedUntil: Date }) =>
    db
      .updateTable("delivery")
      .set({ leasedUntil: $.until })
      .where("userId", "=", $.userId)
      .where("submissionId", "=", $.submissionId)
      .where("no", "in", $.nos)
      .where("state", "=", "queued")
      .where("leasedBy", "=", $.holder)
      .where("leasedUntil", "=", $.leasedUntil),
);

/** Extends the lease of these deliveries; false when any of it was lost. */
export async function renewLease(
  database: Database,
  { userId, submissionId, leasedUntil }: LeasedSubmission,
  nos: number[],
  { holder, until }: Lease,
): Promise<boolean> {
  const renewed = await database.count(renew, { userId, submissionId, nos, holder, leasedUntil, until });
  return renewed === nos.length;
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
}

const note = write(
  "deliveries.noteSent",
  (db, $: DueSubmission & { holder: string } & Lists<"delivery", "no" | "smtpReply">) =>
    db
      .updateTable("delivery as d")
      .from(unnest("delivery", ["no", "smtpReply"], $))
      .set((eb) => ({ state: "sent", smtpReply: eb.ref("x.smtpReply"), delivered: "unknown" }))
      .where("d.userId", "=", $.userId)
      .where("d.submissionId", "=", $.submissionId)
      .whereRef("d.no", "=", "x.no")
      .where("d.state", "=", "queued")
      .where("d.leasedBy", "=", $.holder),
);

/**
 * Notes that another server accepted the message. Written at once, without waiting for the account's lock, so that a
 * crash is very unlikely to send it again. The lease stays until `recordOutcomes` has written the change log.
 */
export async function noteSent(
  database: Database,
  { userId, submissionId }: DueSubmission,
  sent: { no: number; smtpReply: string }[],
  holder: string,
): Promise<void> {
  await database.run(note, { userId, submissionId, holder, ...lists(sent, ["no", "smtpReply"]) });
}

const states = { sent: "sent", deferred: "queued", failed: "failed" } as const;
type Told = Lists<"delivery", "no" | "state" | "smtpReply" | "delivered"> & {
  nextAttemptAt: readonly (Date | null)[];
  isUntried: readonly boolean[];
};
const record = write(
  "deliveries.record",
  (_, $: DueSubmission & { holder: string } & Told) => sql`
  UPDATE delivery AS d SET state = o.state, smtp_reply = o.smtp_reply, delivered = o.delivered,
    next_attempt_at = coalesce(o.next_attempt_at, d.next_attempt_at), leased_by = NULL, leased_until = NULL,
    return_reply = NULL, incoming_id = CASE WHEN o.untried THEN NULL ELSE d.incoming_id END
  FROM unnest(${$.no}::integer[], ${$.state}::text[], ${$.smtpReply}::text[], ${$.delivered}::text[],
    ${$.nextAttemptAt}::timestamptz[], ${$.isUntried}::boolean[])
    AS o (no, state, smtp_reply, delivered, next_attempt_at, untried)
  WHERE d.user_id = ${$.userId} AND d.submission_id = ${$.submissionId} AND d.no = o.no
    AND d.state IN ('queued', o.state) AND d.leased_by = ${$.holder}`,
);
const finish = write("submissions.finish", (db, $: DueSubmission & { dsnBlobIds: readonly string[] }) =>
  db
    .updateTable("submission")
    .set({ undoStatus: "final", dsnBlobIds: sql<string[]>`dsn_blob_ids || ${$.dsnBlobIds}::text[]` })
    .where("userId", "=", $.userId)
    .where("id", "=", $.submissionId)
    .returning("destroyed"),
);
const countQueued = read("deliveries.countQueued", (db, $: DueSubmission) =>
  db
    .selectFrom("delivery")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("userId", "=", $.userId)
    .where("submissionId", "=", $.submissionId)
    .where("state", "=", "queued"),
);

/** Records the outcomes of an attempt as a change of the EmailSubmission. False when the lease was lost. */
export async function recordOutcomes(
  tx: Tx,
  submissionId: number,
  { outcomes, holder, dsnBlobIds }: { outcomes: DeliveryOutcome[]; holder: string; dsnBlobIds: string[] },
): Promise<boolean> {
  const told = outcomes.map(({ result, isUntried = false, ...outcome }) => ({
    ...outcome,
    state: states[result],
    isUntried,
  }));
  const columns = ["no", "state", "smtpReply", "delivered", "nextAttemptAt", "isUntried"] as const;
  const written = await tx.count(record, { userId: tx.accountId, submissionId, holder, ...lists(told, columns) });
  if (written === 0) return false;
  await finishAttempt(tx, submissionId, dsnBlobIds);
  return true;
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
  if ((await tx.count(log, { userId: tx.accountId, submissionId })) > 0) await finishAttempt(tx, submissionId, []);
}

async function finishAttempt(tx: Tx, submissionId: number, dsnBlobIds: string[]): Promise<void> {
  const submission = { userId: tx.accountId, submissionId };
  const [row] = await tx.run(finish, { ...submission, dsnBlobIds });
  if (!row?.destroyed) tx.changed({ type: "EmailSubmission", id: submissionId, kind: Kind.properties });
  else {
    const [queuedStill] = await tx.run(countQueued, submission);
    if (queuedStill?.count === 0) await removeSubmissions(tx, [submissionId]);
  }
}
