import { normalizeAddress, splitAddress } from "../../base/address.ts";
import { parseMdn } from "../../mime/mdn.ts";
import { addressForms } from "../../mime/report.ts";
import { leaves } from "../../mime/structure.ts";
import type { MessageSummary } from "../../mime/summary.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import type { Reader, Tx } from "../../store/core/store.ts";
import { applyReceipt, findReportable, findSubmissionsOf } from "../../store/queues/delivery-reports.ts";
import { messageIdHash } from "../deliver/thread.ts";
import { classify } from "./classify.ts";
import type { Feedback } from "./feedback.ts";
import { named, recordFeedback } from "./record.ts";
import type { ReturnPaths } from "./return-path.ts";

/** What a message says of mail that its recipient has sent. */
export interface Returned {
  /** The mail that it is about; its thread is joined. Absent for a receipt, which is found by what it names. */
  submissionId?: number;
  /** Came to a signed return path, so no check keeps it out of the inbox. */
  isBelieved: boolean;
  /** What it reports; absent for a receipt. */
  kind?: Feedback["kind"];
  record(tx: Tx, modseq: number): Promise<void>;
}

/** A message that has arrived, with what is read of it once for all its recipients. */
export class Arrival {
  readonly message: Buffer;
  readonly summary: MessageSummary;
  readonly mailFrom: string;
  readonly at: Date;
  readonly blob: StoredBlob;
  #feedback: { found: Feedback | undefined } | undefined;

  constructor(from: { message: Buffer; summary: MessageSummary; mailFrom: string; at: Date; blob: StoredBlob }) {
    this.message = from.message;
    this.summary = from.summary;
    this.mailFrom = from.mailFrom;
    this.at = from.at;
    this.blob = from.blob;
  }

  get feedback(): Feedback | undefined {
    this.#feedback ??= { found: classify(this) };
    return this.#feedback.found;
  }
}

/** The outcome of the attempt that a report is about is not recorded yet; it will be in a moment. */
export class NotSettled extends Error {
  constructor() {
    super("the mail that a report is about is still being sent");
  }
}

/** Undefined for mail that reports nothing. Throws NotSettled when it came too soon. */
export async function returnedFor(
  address: string,
  arrival: Arrival,
  { reader, returnPaths }: { reader: Reader; returnPaths: ReturnPaths },
): Promise<Returned | undefined> {
  const read = await returnPaths.read(splitAddress(address)?.local ?? "", arrival.at);
  if (read.kind === "valid" && read.mail.userId === reader.accountId) {
    return reportFor(read.mail.submissionId, arrival, reader);
  }
  return receiptFor(arrival, reader);
}

async function reportFor(submissionId: number, arrival: Arrival, reader: Reader): Promise<Returned | undefined> {
  const { feedback, summary, blob } = arrival;
  if (!feedback) return undefined;
  const deliveries = await findReportable(reader, submissionId);
  if (deliveries.some(({ isLeased }) => isLeased)) throw new NotSettled();
  const isDsn = feedback.kind === "delivery" && feedback.isStandard && summary.structure.type === "multipart/report";
  const blobIds = isDsn && deliveries.length > 0 ? [encodeBlobId(blob.sha256)] : [];
  const record = (tx: Tx, modseq: number) => recordFeedback(tx, { submissionId, feedback, blobIds, modseq });
  return { submissionId, isBelieved: true, kind: feedback.kind, record };
}

/**
 * RFC 8621 §7, RFC 8098: a receipt goes to the address that the mail asked for, not to the return path. It counts if it names
 * the Message-ID and a recipient of mail that the account has submitted, which others do not know, and is from that
 * recipient, as RFC 8098 §3 requires: of several recipients, each may speak for itself alone.
 */
async function receiptFor({ message, summary, blob }: Arrival, reader: Reader): Promise<Returned | undefined> {
  if (summary.structure.type !== "multipart/report") return undefined;
  if (!leaves(summary.structure).some(({ type }) => /^message\/(?:global-)?disposition-notification$/.test(type))) {
    return undefined;
  }
  const mdn = parseMdn(message);
  const messageId = mdn?.originalMessageId?.trim().replace(/^<(.*)>$/, "$1");
  if (!mdn || !messageId) return undefined;
  const authors = (summary.from ?? []).map(({ email }) => normalizeAddress(email));
  const fields = [mdn.finalRecipient, mdn.originalRecipient].flatMap((value) => (value ? addressForms(value) : []));
  for (const submissionId of await findSubmissionsOf(reader, [{ messageId, idHash: messageIdHash(messageId) }])) {
    const deliveries = await findReportable(reader, submissionId);
    const found = (named(fields, deliveries) ?? []).filter(
      ({ rcptTo, state }) => authors.length === 1 && authors[0] === normalizeAddress(rcptTo) && state !== "canceled",
    );
    if (found.length === 0) continue;
    // RFC 8098 §3.2.6.3: with an error, it was not.
    const isDisplayed = mdn.disposition.type === "displayed" && mdn.error === null;
    const nos = isDisplayed ? found.map(({ no }) => no) : [];
    const told = { nos, blobId: encodeBlobId(blob.sha256) };
    return { isBelieved: false, record: (tx, modseq) => applyReceipt(tx, submissionId, { ...told, modseq }) };
  }
  return undefined;
}
