import { normalizeAddress } from "../../base/address.ts";
import { addressForms } from "../../mime/report.ts";
import type { Tx } from "../../store/core/store.ts";
import { addBounces, isCounted, type NewBounce } from "../../store/queues/bounces.ts";
import {
  applyReports,
  type DeliveryReport,
  findReportable,
  type ReportableDelivery,
} from "../../store/queues/delivery-reports.ts";
import { suppress } from "../../store/queues/suppressions.ts";
import { judgeAccount } from "../standing/hold.ts";
import { parameterOf } from "../submit/submit-parameters.ts";
import type { Feedback, ReportedRecipient } from "./feedback.ts";
import { severityOf } from "./severity.ts";

export interface Believed {
  submissionId: number;
  feedback: Feedback;
  /** RFC 8621 §7, dsnBlobIds: the message, if it is a multipart/report about a delivery. */
  blobIds: string[];
  /** That of the write when several are folded. */
  modseq: number;
}

/**
 * Records a report that came to a signed return path: deliveryStatus, dsnBlobIds, the queue of its kind, and for a hard bounce
 * the account's suppression list. Only recipients of the mail itself count, so that a report cannot name others.
 */
export async function recordFeedback(tx: Tx, { submissionId, feedback, blobIds, modseq }: Believed): Promise<void> {
  const deliveries = await findReportable(tx, submissionId);
  const found = matched(feedback, deliveries);
  await applyReports(tx, submissionId, { reports: found.flatMap(statusOf), blobIds, modseq });
  const bounces = found.flatMap((one): NewBounce[] => {
    const kind = feedback.kind === "complaint" ? "complaint" : one.reported?.severity;
    if (kind === undefined) return [];
    const reply = one.reported?.smtpReply ?? notes[feedback.kind];
    const { rcptTo: recipient, isAutomatic: isNoFault } = one.delivery;
    return [{ kind, source: "report", recipient, submissionId, reply, isNoFault }];
  });
  const counts = await addBounces(tx, bounces, modseq);
  await suppressHard(tx, bounces);
  if (counts) await judgeAccount(tx);
}

/** Records a complaint that came to the operator, as `recordFeedback` does one to the sender; once, however often it runs. */
export async function recordComplaint(tx: Tx, submissionId: number, complaint: Feedback): Promise<void> {
  const found = matched(complaint, await findReportable(tx, submissionId));
  const fresh: NewBounce[] = [];
  for (const { rcptTo: recipient, isAutomatic: isNoFault } of found.map(({ delivery }) => delivery)) {
    const told = { kind: "complaint", source: "report", recipient, submissionId, isNoFault } as const;
    const bounce = { ...told, reply: notes.complaint };
    if (!(await isCounted(tx, bounce))) fresh.push(bounce);
  }
  if (await addBounces(tx, fresh)) await judgeAccount(tx);
}

const notes = { complaint: "reported as spam", challenge: "held until the sender confirms it", delivery: "" };

/** What is said of one recipient; `reported` is absent in a complaint. */
interface Found {
  delivery: ReportableDelivery;
  reported?: ReportedRecipient;
}

function matched(feedback: Feedback, deliveries: readonly ReportableDelivery[]): Found[] {
  const only = deliveries.length === 1 ? deliveries : [];
  if (feedback.kind === "complaint") return all(named(feedback.addresses, deliveries) ?? only);
  if (feedback.kind === "challenge") {
    const reported = {
      addresses: [],
      action: "delayed" as const,
      severity: "soft" as const,
      smtpReply: `450 4.7.0 ${notes.challenge}`,
    };
    return only.map((delivery) => ({ delivery, reported }));
  }
  return feedback.recipients.flatMap((reported) => {
    // Behind an alias the final recipient is another address; with one recipient there is no doubt who it was.
    const [delivery] = named(reported.addresses, deliveries) ?? only;
    return delivery ? [{ delivery, reported }] : [];
  });
}

const all = (deliveries: readonly ReportableDelivery[]): Found[] => deliveries.map((delivery) => ({ delivery }));

/** The deliveries to one of the addresses, as we or the client (ORCPT) named the recipient; undefined for none. */
export function named(
  addresses: readonly string[],
  deliveries: readonly ReportableDelivery[],
): ReportableDelivery[] | undefined {
  const wanted = new Set(addresses.map(normalizeAddress));
  wanted.delete(undefined);
  const found = deliveries.filter(({ rcptTo, parameters }) =>
    [rcptTo, ...addressForms(parameterOf(parameters, "ORCPT") ?? "")].some((form) =>
      wanted.has(normalizeAddress(form)),
    ),
  );
  return found.length > 0 ? found : undefined;
}

/** RFC 8621 §7, delivered: "delivered" makes it yes, "failed" no, other reports leave it. */
function statusOf({ delivery: { no }, reported }: Found): DeliveryReport[] {
  if (!reported) return [];
  const { action, smtpReply } = reported;
  const delivered = action === "failed" ? "no" : action === "delivered" ? "yes" : null;
  return [{ no, smtpReply, delivered }];
}

/** A recipient that a server refused for good, or that no server took in time. */
export interface Failure {
  recipient: string;
  smtpReply: string;
  /** Whether another server said it, and not we. */
  isRemote: boolean;
  /** The server has sent the mail by itself. */
  isNoFault: boolean;
}

/** Records final failures of a submission's own attempts, as `recordFeedback` does those that are reported later. */
export async function recordFailures(tx: Tx, submissionId: number, failures: readonly Failure[]): Promise<void> {
  const bounces = failures.map(({ smtpReply, ...failure }): NewBounce & { isRemote: boolean } => {
    const kind = severityOf({ text: smtpReply });
    return { ...failure, kind, source: "smtp", submissionId, reply: smtpReply };
  });
  const counts = await addBounces(tx, bounces);
  if (counts) await judgeAccount(tx);
  // What we said ourselves may be otherwise by the next mail, as when the operator adds the address.
  await suppressHard(
    tx,
    bounces.filter(({ isRemote }) => isRemote),
  );
}

async function suppressHard(tx: Tx, bounces: readonly NewBounce[]): Promise<void> {
  const hard = bounces.filter(({ kind }) => kind === "hard");
  const rows = hard.flatMap(({ recipient, reply }) => {
    const address = normalizeAddress(recipient);
    return address === undefined ? [] : [{ address, reason: reply }];
  });
  await suppress(tx, rows);
}
