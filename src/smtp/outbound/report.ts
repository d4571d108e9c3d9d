import type { NewMail } from "../../mail/deliver/ingest.ts";
import { prepare } from "../../mail/deliver/preparer.ts";
import { type FailedRecipient, failureReport } from "../../mail/submit/dsn.ts";
import { parameterOf } from "../../mail/submit/submit-parameters.ts";
import type { LeasedDelivery, LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";
import type { Answer } from "./reply.ts";

/** RFC 3464: the report to the sender about recipients that failed for good, unless nobody wants one. */
export async function reportOf(
  leased: LeasedSubmission,
  original: Buffer,
  failures: { delivery: LeasedDelivery; answer: Answer; smtpReply: string }[],
  { blobs, clock, hostname, incoming, random }: MailOutOptions,
): Promise<NewMail | undefined> {
  const failed = failures.flatMap(({ delivery: { rcptTo, parameters }, answer, smtpReply }): FailedRecipient[] =>
    isSilenced(parameterOf(parameters, "NOTIFY"))
      ? []
      : [{ address: rcptTo, original: parameterOf(parameters, "ORCPT"), smtpReply, remote: answer.remote }],
  );
  if (failed.length === 0 || leased.mailFrom === "") return undefined;
  const now = clock.now();
  const envelopeId = parameterOf(leased.parameters, "ENVID");
  const message = failureReport(
    { hostname, to: leased.mailFrom, envelopeId, arrivedAt: leased.sendAt, now, original, failed },
    random,
  );
  const [blob, prepared, incomingId] = await Promise.all([blobs.put(message), prepare(message), incoming.newId()]);
  return { blob, prepared, target: { role: "inbox" }, keywords: [], receivedAt: now, incomingId };
}

/** RFC 3461 §4.1: the sender may have asked for no report of failures. */
function isSilenced(notify: string | undefined): boolean {
  return notify !== undefined && !/FAILURE/i.test(notify);
}
