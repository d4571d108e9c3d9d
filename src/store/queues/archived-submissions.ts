import { referenceBlobs } from "../blobs/blob-refs.ts";
import type { StoredBlob } from "../blobs/blobs.ts";
import { Kind } from "../core/change.ts";
import type { Delivered, DeliveryState, Displayed } from "../core/db.ts";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists } from "../core/lists.ts";
import type { Reader, Tx } from "../core/store.ts";
import type { SubmissionRow } from "./submissions.ts";

type Account = { accountId: number };

const after = read("submissions.after", (db, $: Account & { after: number; limit: number }) =>
  db
    .selectFrom("submission")
    .select(["id", "sha256", "sendAt"])
    .where("userId", "=", $.accountId)
    .where("id", ">", $.after)
    .where((eb) => eb.not("destroyed"))
    .orderBy("id")
    .limit($.limit),
);

const columns = [
  "id",
  "identityId",
  "emailId",
  "threadId",
  "envelope",
  "sha256",
  "sendAt",
  "undoStatus",
  "createdAt",
] as const;
const insert = write("submissions.addPast", (db, $: Account & Lists<"submission", (typeof columns)[number]>) =>
  insertLists(db, "submission", columns, $),
);
/** Lists of lists can't be unnested. */
const reports = write(
  "submissions.noteReports",
  (db, $: Account & Pick<SubmissionRow, "id" | "dsnBlobIds" | "mdnBlobIds">) =>
    db
      .updateTable("submission")
      .set({ dsnBlobIds: $.dsnBlobIds, mdnBlobIds: $.mdnBlobIds })
      .where("userId", "=", $.accountId)
      .where("id", "=", $.id),
);
const delivery = [
  "submissionId",
  "no",
  "rcptTo",
  "parameters",
  "state",
  "attempts",
  "nextAttemptAt",
  "smtpReply",
  "delivered",
  "displayed",
] as const;
const insertDeliveries = write("deliveries.addPast", (db, $: Account & Lists<"delivery", (typeof delivery)[number]>) =>
  insertLists(db, "delivery", delivery, $),
);

/** The submissions that clients see, by id. */
export function submissionsAfter(
  reader: Reader,
  page: { after: number; limit: number },
): Promise<Row<"submission", "id" | "sha256" | "sendAt">[]> {
  return reader.run(after, { accountId: reader.accountId, ...page });
}

/** A submission whose outcome is known: nothing of it is sent any more. */
export interface PastSubmission extends SubmissionRow {
  undoStatus: "final" | "canceled";
  /** The message as it was sent. */
  blob: StoredBlob;
  recipients: {
    email: string;
    parameters: Record<string, string | null> | null;
    smtpReply: string;
    delivered: Delivered;
    displayed: Displayed;
  }[];
}

/** Records what another server, or this one before, has sent. */
export async function insertPastSubmissions(tx: Tx, rows: PastSubmission[]): Promise<void> {
  if (rows.length === 0) return;
  const { accountId, now } = tx;
  const submissions = rows.map((row) => ({
    ...row,
    envelope: JSON.stringify(row.envelope),
    sha256: row.blob.sha256,
    createdAt: now,
  }));
  await tx.run(insert, { accountId, ...lists(submissions, columns) });
  for (const { id, dsnBlobIds, mdnBlobIds } of rows) {
    if (dsnBlobIds.length + mdnBlobIds.length > 0) tx.send(reports, { accountId, id, dsnBlobIds, mdnBlobIds });
  }
  const deliveries = rows.flatMap(({ id, recipients, sendAt, undoStatus }) =>
    recipients.map(({ email, parameters, ...status }, no) => ({
      ...status,
      submissionId: id,
      no,
      rcptTo: email,
      parameters: parameters && JSON.stringify(parameters),
      state: stateOf(undoStatus, status.delivered),
      attempts: undoStatus === "final" ? 1 : 0,
      nextAttemptAt: sendAt,
    })),
  );
  await tx.run(insertDeliveries, { accountId, ...lists(deliveries, delivery) });
  await referenceBlobs(
    tx,
    rows.map(({ blob }) => blob),
  );
  for (const { id } of rows) tx.changed({ type: "EmailSubmission", id, kind: Kind.created });
}

function stateOf(undoStatus: PastSubmission["undoStatus"], delivered: Delivered): DeliveryState {
  if (undoStatus === "canceled") return "canceled";
  return delivered === "no" ? "failed" : "sent";
}
