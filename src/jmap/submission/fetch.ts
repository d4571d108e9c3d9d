import { encodeId, idPrefix } from "../../base/ids.ts";
import type { EnvelopeAddress } from "../../store/core/db.ts";
import { findDeliveryStatus, findSubmissions } from "../../store/queues/submissions.ts";
import type { ReadCall } from "../method.ts";
import type { JmapObject, Want } from "../standard/type.ts";

/** RFC 8621 §7.1 */
export async function fetchSubmissions(ids: number[] | null, want: Want, call: ReadCall): Promise<JmapObject[]> {
  const rows = await findSubmissions(call.reader, ids, want.limit);
  const statuses = want.properties.has("deliveryStatus")
    ? await findDeliveryStatus(
        call.reader,
        rows.map(({ id }) => id),
      )
    : undefined;
  return rows.map((row) => ({
    id: encodeId(idPrefix.submission, row.id),
    identityId: encodeId(idPrefix.identity, row.identityId),
    emailId: encodeId(idPrefix.email, row.emailId),
    threadId: encodeId(idPrefix.thread, row.threadId),
    envelope: row.envelope,
    sendAt: utc(row.sendAt),
    undoStatus: row.undoStatus,
    deliveryStatus: statuses?.get(row.id) ?? null,
    dsnBlobIds: row.dsnBlobIds,
    mdnBlobIds: row.mdnBlobIds,
  }));
}

/** RFC 8620 §1.4 */
export function utc(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** The delivery status of recipients that have not been tried yet. */
export function deliveryStatusOf(recipients: { address: EnvelopeAddress; smtpReply: string }[]): JmapObject {
  return Object.fromEntries(
    recipients.map(({ address, smtpReply }) => [
      address.email,
      { smtpReply, delivered: "queued", displayed: "unknown" },
    ]),
  );
}
