import { sql } from "kysely";
import { Kind } from "../core/change.ts";
import type { Delivered } from "../core/db.ts";
import { type Row, read, write } from "../core/declare.ts";
import { type Lists, lists } from "../core/lists.ts";
import type { Reader, Tx } from "../core/store.ts";
import { noEmail } from "./submissions.ts";

type One = { accountId: number; submissionId: number };

/** A recipient of a submission as far as reports go. */
export interface ReportableDelivery extends Row<"delivery", "no" | "rcptTo" | "parameters" | "state"> {
  /** An attempt is under way, or its outcome is not in the change log yet. */
  isLeased: boolean;
  /** The server sent it by itself, such as a forward. */
  isAutomatic: boolean;
}

const ofSubmission = read("deliveries.ofSubmission", (db, $: One) =>
  db
    .selectFrom("delivery as d")
    .leftJoin("submission as s", (join) => join.on("s.userId", "=", $.accountId).onRef("s.id", "=", "d.submissionId"))
    .select(["d.no", "d.rcptTo", "d.parameters", "d.state", "d.leasedBy", "d.automatic", "s.emailId"])
    .where("d.userId", "=", $.accountId)
    .where("d.submissionId", "=", $.submissionId)
    .orderBy("d.no"),
);

/** The recipients of a submission, those that it was sent to also when it was destroyed; none once all that is forgotten. */
export async function findReportable(reader: Reader, submissionId: number): Promise<ReportableDelivery[]> {
  const rows = await reader.run(ofSubmission, { accountId: reader.accountId, submissionId });
  return rows.map(({ leasedBy, emailId, automatic, ...row }) => ({
    ...row,
    isLeased: leasedBy !== null,
    isAutomatic: automatic || emailId === noEmail,
  }));
}

/** What a report says of one recipient. `delivered` is null when it says nothing final. */
export interface DeliveryReport {
  no: number;
  smtpReply: string;
  delivered: Delivered | null;
}

/** RFC 8621 §7: the reply is final once `delivered` is yes or no. What is still in our queue has a later reply coming. */
const report = write(
  "deliveries.report",
  (_, $: One & Lists<"delivery", "no" | "smtpReply"> & { delivered: readonly (Delivered | null)[] }) => sql`
  UPDATE delivery AS d SET smtp_reply = r.smtp_reply, delivered = coalesce(r.delivered, d.delivered)
  FROM unnest(${$.no}::integer[], ${$.smtpReply}::text[], ${$.delivered}::text[]) AS r (no, smtp_reply, delivered)
  WHERE d.user_id = ${$.accountId} AND d.submission_id = ${$.submissionId} AND d.no = r.no
    AND d.state = 'sent' AND d.leased_by IS NULL AND d.delivered = 'unknown'`,
);
const display = write("deliveries.display", (db, $: One & { nos: readonly number[] }) =>
  db
    .updateTable("delivery")
    .set({ displayed: "yes" })
    .where("userId", "=", $.accountId)
    .where("submissionId", "=", $.submissionId)
    .where("no", "in", $.nos),
);
const addDsn = write("submissions.addDsn", (db, $: One & { blobIds: readonly string[] }) =>
  db
    .updateTable("submission")
    .set({ dsnBlobIds: sql<string[]>`dsn_blob_ids || ${$.blobIds}::text[]` })
    .where("userId", "=", $.accountId)
    .where("id", "=", $.submissionId)
    .returning("destroyed"),
);
const addMdn = write("submissions.addMdn", (db, $: One & { blobIds: readonly string[] }) =>
  db
    .updateTable("submission")
    .set({ mdnBlobIds: sql<string[]>`mdn_blob_ids || ${$.blobIds}::text[]` })
    .where("userId", "=", $.accountId)
    .where("id", "=", $.submissionId)
    .returning("destroyed"),
);

/** RFC 8621 §7: updates deliveryStatus and dsnBlobIds. `blobIds`: the report, if it is a DSN. */
export async function applyReports(
  tx: Tx,
  submissionId: number,
  { reports, blobIds, modseq }: { reports: readonly DeliveryReport[]; blobIds: readonly string[]; modseq: number },
): Promise<void> {
  const one = { accountId: tx.accountId, submissionId };
  const told = lists(reports, ["no", "smtpReply", "delivered"]);
  const changed = reports.length === 0 ? 0 : await tx.count(report, { ...one, ...told });
  if (changed === 0 && blobIds.length === 0) return;
  const [row] = await tx.run(addDsn, { ...one, blobIds });
  if (row && !row.destroyed) tx.changed({ type: "EmailSubmission", id: submissionId, kind: Kind.properties, modseq });
}

/** RFC 8621 §7: updates `displayed` of these recipients and mdnBlobIds. */
export async function applyReceipt(
  tx: Tx,
  submissionId: number,
  { nos, blobId, modseq }: { nos: readonly number[]; blobId: string; modseq: number },
): Promise<void> {
  const one = { accountId: tx.accountId, submissionId };
  if (nos.length > 0) await tx.run(display, { ...one, nos });
  const [row] = await tx.run(addMdn, { ...one, blobIds: [blobId] });
  if (row && !row.destroyed) tx.changed({ type: "EmailSubmission", id: submissionId, kind: Kind.properties, modseq });
}

const aboutMessage = read(
  "submissions.aboutMessage",
  (_, $: { accountId: number; hashes: readonly number[]; messageIds: readonly string[] }) => sql<{ id: number }>`
  SELECT DISTINCT s.id
  FROM thread_ref t
  JOIN email e ON e.user_id = ${$.accountId} AND e.thread_id = t.thread_id
  JOIN message m ON m.user_id = ${$.accountId} AND m.no = e.no
  JOIN submission s ON s.user_id = ${$.accountId} AND (s.email_id = e.id OR s.sha256 = m.sha256)
  WHERE t.user_id = ${$.accountId} AND t.id_hash = ANY(${$.hashes}::bigint[])
    AND m.message_id[1] = ANY(${$.messageIds}::text[]) AND NOT s.destroyed
  ORDER BY s.id DESC LIMIT 10`,
);

/** The newest submissions of emails with these Message-IDs. */
export async function findSubmissionsOf(
  reader: Reader,
  emails: readonly { messageId: string; idHash: number }[],
): Promise<number[]> {
  if (emails.length === 0) return [];
  const messageIds = emails.map(({ messageId }) => messageId);
  const rows = await reader.run(aboutMessage, {
    accountId: reader.accountId,
    hashes: emails.map(({ idHash }) => idHash),
    messageIds,
  });
  return rows.map(({ id }) => id);
}

const threadOf = read("submissions.threadOf", (db, $: One) =>
  db
    .selectFrom("submission as s")
    .leftJoin("email as e", (join) => join.on("e.userId", "=", $.accountId).onRef("e.id", "=", "s.emailId"))
    .select(["s.threadId", "e.threadId as present"])
    .where("s.userId", "=", $.accountId)
    .where("s.id", "=", $.submissionId),
);

/** The thread of the mail that was submitted, where it is now; undefined when the submission is gone. */
export async function threadOfSubmission(tx: Tx, submissionId: number): Promise<number | undefined> {
  const [row] = await tx.run(threadOf, { accountId: tx.accountId, submissionId });
  return row && (row.present ?? row.threadId);
}
