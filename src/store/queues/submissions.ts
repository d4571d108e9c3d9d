import { sql } from "kysely";
import { releaseBlobs } from "../blobs/blob-refs.ts";
import type { StoredBlob } from "../blobs/blobs.ts";
import { Kind } from "../core/change.ts";
import type { Delivered, EnvelopeAddress } from "../core/db.ts";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists } from "../core/lists.ts";
import type { Executor } from "../core/sql.ts";
import type { Reader, Tx } from "../core/store.ts";
import { heldUntil } from "./queue-orders.ts";

const columns = [
  "id",
  "identityId",
  "emailId",
  "threadId",
  "envelope",
  "sendAt",
  "undoStatus",
  "dsnBlobIds",
  "mdnBlobIds",
] as const;

/** The emailId of what the server sends by itself: a forward, an answer, a receipt. */
export const noEmail = 0;

/** An EmailSubmission of RFC 8621 §7. */
export type SubmissionRow = Row<"submission", (typeof columns)[number]>;

export interface NewSubmission extends Omit<SubmissionRow, "undoStatus" | "dsnBlobIds" | "mdnBlobIds"> {
  /** The message as it will be sent. */
  blob: StoredBlob;
  recipients: { address: EnvelopeAddress; smtpReply: string }[];
  /** The mail's id, if it has one already. (Default: it gets one with its first attempt.) */
  mailId?: number | undefined;
  /** Server-generated mail (vacation, MDN): queued like a submission, hidden from clients, deleted once sent. */
  isHidden?: true;
  /** For a hidden submission: leaves the state unchanged, so the caller must write the hint itself. */
  isSilent?: true;
  /** How spammy the message is. (Default: it was not scored.) */
  spamScore?: number | undefined;
  /** Mail to many. (Default: it is a person's.) */
  isBulk?: boolean;
}

type Account = { accountId: number };
type Some = Account & { ids: readonly number[] };

const find = read("submissions.find", (db, $: Account & { ids: number[] | null; limit: number }) =>
  db
    .selectFrom("submission")
    .select(columns)
    .where("userId", "=", $.accountId)
    .where((eb) => eb.not("destroyed"))
    .where(sql<boolean>`(${$.ids}::bigint[] IS NULL OR id = ANY(${$.ids}))`)
    .orderBy("id")
    .limit($.limit),
);

/** The reply to an SMTP client, and the smtpReply of a delivery before its first attempt. */
export const queuedReply = "250 2.1.5 queued";

/** Shows an outcome as queued until the change log has it (see noteSent), so that it appears when the state changes. */
const status = read("deliveries.status", (db, $: Some) =>
  db
    .selectFrom("delivery")
    .select(["submissionId", "rcptTo", "displayed"])
    .select((eb) => {
      const isTold = eb.or([eb("state", "=", "queued"), eb("leasedBy", "is", null)]);
      return [
        eb.case().when(isTold).then(eb.ref("smtpReply")).else(queuedReply).end().as("smtpReply"),
        eb.case().when(isTold).then(eb.ref("delivered")).else<Delivered>("queued").end().as("delivered"),
      ];
    })
    .where("userId", "=", $.accountId)
    .where("submissionId", "in", $.ids)
    .orderBy("submissionId")
    .orderBy("no"),
);

const inserted = [
  "id",
  "identityId",
  "emailId",
  "threadId",
  "envelope",
  "sha256",
  "sendAt",
  "undoStatus",
  "createdAt",
  "destroyed",
  "spamTenths",
  "bulk",
] as const;
const insert = write("submissions.add", (db, $: Account & Lists<"submission", (typeof inserted)[number]>) =>
  insertLists(db, "submission", inserted, $),
);
const delivery = [
  "submissionId",
  "no",
  "rcptTo",
  "parameters",
  "state",
  "nextAttemptAt",
  "smtpReply",
  "delivered",
  "displayed",
  "incomingId",
  "heldFor",
] as const;
const insertDeliveries = write("deliveries.add", (db, $: Account & Lists<"delivery", (typeof delivery)[number]>) =>
  insertLists(db, "delivery", delivery, $),
);

/** Locks the rows, so that no worker leases them before they are canceled. */
const lockDeliveries = write("deliveries.lock", (db, $: Some) =>
  db
    .selectFrom("delivery")
    .select(["submissionId", "state", "attempts"])
    .where("userId", "=", $.accountId)
    .where("submissionId", "in", $.ids)
    .forUpdate(),
);
const cancelDeliveries = write("deliveries.cancel", (db, $: Some) =>
  db
    .updateTable("delivery")
    .set({ state: "canceled", delivered: "no", smtpReply: "550 5.7.0 canceled by the sender" })
    .where("userId", "=", $.accountId)
    .where("submissionId", "in", $.ids)
    .where("state", "=", "queued"),
);
const cancel = write("submissions.cancel", (db, $: Some) =>
  db
    .updateTable("submission")
    .set({ undoStatus: "canceled" })
    .where("userId", "=", $.accountId)
    .where("id", "in", $.ids),
);
const cancelQueued = write("deliveries.cancelQueued", (db, $: Account) =>
  db
    .updateTable("delivery")
    .set({ state: "canceled", delivered: "no", smtpReply: "550 5.7.0 canceled: the account was removed" })
    .where("userId", "=", $.accountId)
    .where("state", "=", "queued")
    .returning("submissionId"),
);
const cancelPending = write("submissions.cancelPending", (db, $: Some) =>
  db
    .updateTable("submission")
    .set({ undoStatus: "canceled" })
    .where("userId", "=", $.accountId)
    .where("id", "in", $.ids)
    .where("undoStatus", "=", "pending"),
);

const hide = write("submissions.hide", (db, $: Some) =>
  db.updateTable("submission").set({ destroyed: true }).where("userId", "=", $.accountId).where("id", "in", $.ids),
);
const stillQueued = read("deliveries.stillQueued", (db, $: Some) =>
  db
    .selectFrom("delivery")
    .select("submissionId")
    .distinct()
    .where("userId", "=", $.accountId)
    .where("submissionId", "in", $.ids)
    .where("state", "=", "queued"),
);
const remove = write("submissions.remove", (db, $: Some) =>
  db
    .deleteFrom("submission")
    .where("userId", "=", $.accountId)
    .where("id", "in", $.ids)
    .where("destroyed", "=", true)
    .returning(["id", "sha256", "emailId", "envelope"]),
);
const removeDeliveries = write("deliveries.remove", (db, $: Some) =>
  db
    .deleteFrom("delivery")
    .where("userId", "=", $.accountId)
    .where("submissionId", "in", $.ids)
    .where("keptSince", "is", null),
);
const keepDeliveries = write("deliveries.keep", (db, $: Some & { automatic: readonly number[]; now: Date }) =>
  db
    .updateTable("delivery")
    .set((eb) => ({ keptSince: $.now, automatic: eb("submissionId", "in", $.automatic).$castTo<boolean>() }))
    .where("userId", "=", $.accountId)
    .where("submissionId", "in", $.ids)
    .where("state", "=", "sent"),
);
const dropKept = write("deliveries.dropKept", (db, $: { userId: number; until: Date }) =>
  db.deleteFrom("delivery").where("userId", "=", $.userId).where("keptSince", "<=", $.until),
);

/** The submissions with these ids, or all for null. */
export function findSubmissions(reader: Reader, ids: number[] | null, limit = 100_000): Promise<SubmissionRow[]> {
  return reader.run(find, { accountId: reader.accountId, ids, limit });
}

/** RFC 8621 §7: the deliveryStatus of each submission, by its id. */
export async function findDeliveryStatus(reader: Reader, ids: number[]): Promise<Map<number, Record<string, object>>> {
  const statuses = new Map<number, Record<string, object>>();
  if (ids.length === 0) return statuses;
  for (const row of await reader.run(status, { accountId: reader.accountId, ids })) {
    const { submissionId, rcptTo, ...told } = row;
    const known = statuses.get(submissionId);
    if (known) known[rcptTo] = told;
    else statuses.set(submissionId, { [rcptTo]: told });
  }
  return statuses;
}

/**
 * Inserts submissions with a delivery for each recipient, held if all mail of the account is. The caller must reference
 * their blobs.
 */
export async function insertSubmissions(tx: Tx, rows: NewSubmission[]): Promise<void> {
  const { accountId } = tx;
  const { hold } = tx.sending;
  const submissions = rows.map((row) => ({
    ...row,
    envelope: JSON.stringify(row.envelope),
    sha256: row.blob.sha256,
    undoStatus: "pending" as const,
    createdAt: tx.now,
    destroyed: row.isHidden === true,
    bulk: row.isBulk === true,
    spamTenths: row.spamScore === undefined ? null : Math.round(row.spamScore * 10),
  }));
  await tx.run(insert, { accountId, ...lists(submissions, inserted) });
  const deliveries = rows.flatMap((row) =>
    row.recipients.map(({ address, smtpReply }, no) => ({
      submissionId: row.id,
      no,
      rcptTo: address.email,
      parameters: address.parameters && JSON.stringify(address.parameters),
      state: "queued" as const,
      nextAttemptAt: hold ? heldUntil : row.sendAt,
      smtpReply,
      delivered: "queued" as const,
      displayed: "unknown" as const,
      incomingId: row.mailId ?? null,
      heldFor: hold?.reason ?? null,
    })),
  );
  await tx.run(insertDeliveries, { accountId, ...lists(deliveries, delivery) });
  for (const { id, isHidden, isSilent } of rows) {
    // Log a hidden submission as created and destroyed: clients see nothing, but the senders of mail wake up.
    const kind = isHidden ? Kind.created | Kind.destroyed : Kind.created;
    if (!isSilent) tx.changed({ type: "EmailSubmission", id, kind });
  }
}

/** Those that have not been attempted yet. No attempt begins before the transaction ends. */
export async function findCancelable(tx: Tx, ids: number[]): Promise<Set<number>> {
  const rows = await tx.run(lockDeliveries, { accountId: tx.accountId, ids });
  const tried = new Set(
    rows.filter((row) => row.state !== "queued" || row.attempts > 0).map((row) => row.submissionId),
  );
  return new Set(rows.map((row) => row.submissionId).filter((id) => !tried.has(id)));
}

export async function cancelSubmissions(tx: Tx, ids: number[]): Promise<void> {
  await tx.run(cancelDeliveries, { accountId: tx.accountId, ids });
  await tx.run(cancel, { accountId: tx.accountId, ids });
  for (const id of ids) tx.changed({ type: "EmailSubmission", id, kind: Kind.properties });
}

/** Cancels all that waits, also what was attempted: the account is removed. */
export async function cancelAllSubmissions(tx: Tx): Promise<void> {
  const { accountId } = tx;
  const rows = await tx.run(cancelQueued, { accountId });
  const ids = [...new Set(rows.map(({ submissionId }) => submissionId))];
  if (ids.length === 0) return;
  tx.send(cancelPending, { accountId, ids });
  for (const id of ids) tx.changed({ type: "EmailSubmission", id, kind: Kind.properties });
}

/** RFC 8621 §7.5: destroys the records; deliveries that are still queued continue. */
export async function destroySubmissions(tx: Tx, ids: number[]): Promise<void> {
  await tx.run(hide, { accountId: tx.accountId, ids });
  for (const id of ids) tx.changed({ type: "EmailSubmission", id, kind: Kind.destroyed });
  const queued = new Set((await tx.run(stillQueued, { accountId: tx.accountId, ids })).map((row) => row.submissionId));
  await removeSubmissions(
    tx,
    ids.filter((id) => !queued.has(id)),
  );
}

/**
 * Deletes those that are destroyed and releases their blobs. Of their deliveries, those stay that were sent and may be
 * reported: what comes back counts against the sender.
 */
export async function removeSubmissions(tx: Tx, ids: number[]): Promise<void> {
  if (ids.length === 0) return;
  const { accountId, now } = tx;
  const gone = await tx.run(remove, { accountId, ids });
  if (gone.length === 0) return;
  const reportable = gone.filter(({ envelope }) => envelope.mailFrom.email !== "");
  if (reportable.length > 0) {
    const automatic = reportable.filter(({ emailId }) => emailId === noEmail).map(({ id }) => id);
    tx.send(keepDeliveries, { accountId, ids: reportable.map(({ id }) => id), automatic, now });
  }
  await tx.run(removeDeliveries, { accountId, ids });
  await releaseBlobs(
    tx,
    gone.map((row) => row.sha256),
  );
}

/** Removes deliveries whose submissions were removed before this time. */
export async function dropKeptDeliveries(executor: Executor, userId: number, until: Date): Promise<void> {
  await executor.run(dropKept, { userId, until });
}

export interface EmailToSend {
  id: number;
  threadId: number;
  blob: StoredBlob;
}
const toSend = read("submissions.toSend", (db, $: Some) =>
  db
    .selectFrom("email as e")
    .innerJoin("message as m", (join) => join.on("m.userId", "=", $.accountId).onRef("m.no", "=", "e.no"))
    .innerJoin("blobRef as b", (join) => join.on("b.userId", "=", $.accountId).onRef("b.sha256", "=", "m.sha256"))
    .select(["e.id", "e.threadId", "m.sha256", "m.size", "b.day", "b.pack"])
    .where("e.userId", "=", $.accountId)
    .where("e.id", "in", $.ids),
);

/** The emails with their stored messages, by id. */
export async function findEmailsToSend(reader: Reader, ids: number[]): Promise<Map<number, EmailToSend>> {
  if (ids.length === 0) return new Map();
  const rows = await reader.run(toSend, { accountId: reader.accountId, ids });
  return new Map(rows.map(({ id, threadId, ...blob }) => [id, { id, threadId, blob }]));
}
