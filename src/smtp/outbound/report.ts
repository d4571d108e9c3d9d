import type { NewMail } from "../../mail/deliver/ingest.ts";
import { prepare } from "../../mail/deliver/preparer.ts";
import { deliveryReport, type ReportedRecipient } from "../../mail/submit/dsn.ts";
import { parameterOf } from "../../mail/submit/submit-parameters.ts";
import type { DeliveryOutcome, LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";
import type { Judged } from "./story.ts";

/**
 * RFC 3464: what the sender is told, if anything: recipients that failed, that wait for long, or, if that was asked for, that
 * were delivered or handed over to a server that will not say so. `warned`: those of the report that wait.
 */
export async function reportOf(
  leased: LeasedSubmission,
  original: Buffer,
  judged: readonly Judged[],
  outcomes: readonly DeliveryOutcome[],
  options: MailOutOptions,
): Promise<{ report: NewMail | undefined; warned: Set<number> }> {
  const recipients = judged.flatMap((one, at) => reported(one, outcomes[at]!, leased, options));
  const delayed = recipients.filter(({ action }) => action === "delayed");
  const warned = new Set(delayed.map(({ no }) => no));
  if (recipients.length === 0 || leased.mailFrom === "") return { report: undefined, warned };
  const { blobs, clock, hostname, incoming, random } = options;
  const now = clock.now();
  const envelopeId = parameterOf(leased.parameters, "ENVID");
  // RFC 3461 §4.3: RET is about failures.
  const hasFailed = recipients.some(({ action }) => action === "failed");
  const isFull = hasFailed && parameterOf(leased.parameters, "RET")?.toUpperCase() === "FULL";
  const about = { hostname, to: leased.mailFrom, envelopeId, arrivedAt: leased.sendAt, now, original, isFull };
  const message = deliveryReport({ ...about, recipients }, random);
  const [blob, prepared, incomingId] = await Promise.all([blobs.put(message), prepare(message), incoming.newId()]);
  const report: NewMail = { blob, prepared, target: { role: "inbox" }, keywords: [], receivedAt: now, incomingId };
  return { report, warned };
}

function reported(
  { delivery, answer }: Judged,
  { result, smtpReply }: DeliveryOutcome,
  { sendAt }: LeasedSubmission,
  { clock, delayWarning, retryFor }: MailOutOptions,
): (ReportedRecipient & { no: number })[] {
  const { no, rcptTo: address, parameters, isWarned } = delivery;
  const notify = parameterOf(parameters, "NOTIFY")?.toUpperCase().split(",");
  const common = { no, address, original: parameterOf(parameters, "ORCPT"), smtpReply, remote: answer.remote };
  // RFC 3461 §4.1: without NOTIFY, failures are reported, and delays as we like.
  if (result === "failed") return (notify ?? ["FAILURE"]).includes("FAILURE") ? [{ ...common, action: "failed" }] : [];
  if (result === "deferred") {
    const isLate = clock.now().getTime() - sendAt.getTime() >= delayWarning;
    const isWanted = isLate && !isWarned && delayWarning > 0 && (notify ?? ["DELAY"]).includes("DELAY");
    const retriedUntil = new Date(sendAt.getTime() + retryFor);
    return isWanted ? [{ ...common, action: "delayed", retriedUntil }] : [];
  }
  if (!notify?.includes("SUCCESS")) return [];
  if (answer.kind === "delivered") return [{ ...common, action: "delivered" }];
  // RFC 3461 §5.2.2
  return answer.reportsItself ? [] : [{ ...common, action: "relayed" }];
}
