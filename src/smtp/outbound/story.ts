import type { MailStep } from "../../base/mail-log.ts";
import { hasOneClick } from "../../mail/submit/one-click.ts";
import { parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { AttemptError } from "../../store/core/db.ts";
import type { NewAttempt } from "../../store/queues/attempts.ts";
import type { DeliveryOutcome, LeasedDelivery, LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { Answer } from "./reply.ts";
import { idOf } from "./trace-field.ts";
import type { Tries, Try } from "./tries.ts";

export type Judged = { delivery: LeasedDelivery; answer: Answer };

/** The attempts of one destination, as they are kept. The last has the reason if the mail is now in the error queue. */
export function attemptsOf(
  { submissionId, mailFrom }: LeasedSubmission,
  judged: readonly Judged[],
  outcomes: readonly DeliveryOutcome[],
  tries: Tries,
): NewAttempt[] {
  const error = errorOf(judged, outcomes);
  if (error !== null && tries.list.length === 0) tries.begin().ended(judged.map(({ answer }) => answer));
  const deliveries = judged.map(({ delivery }) => delivery);
  const recipients = deliveries.map(({ rcptTo }) => rcptTo);
  const { no, attempts: attempt } = deliveries[0]!;
  const all = [...(tries.waited ? [tries.waited] : []), ...tries.list];
  return all.map((one, server) => ({
    ...{ submissionId, no, attempt, server, mailId: idOf(deliveries), mailFrom, recipients },
    ...told(one),
    at: one.at,
    milliseconds: one.milliseconds,
    tls: one.tls,
    error: server === all.length - 1 ? error : null,
    transcript: one.transcript,
  }));
}

/** Why an operator should look at the mail: what our side could not do, or what was tried until its time was over. */
function errorOf(judged: readonly Judged[], outcomes: readonly DeliveryOutcome[]): AttemptError | null {
  for (const [at, { answer }] of judged.entries()) {
    const isFinal = outcomes[at]!.result === "failed";
    if (isFinal && answer.kind === "deferred") return "expired";
    if (answer.cause !== undefined && (isFinal || answer.cause === "sign" || answer.cause === "local")) {
      return answer.cause;
    }
  }
  return null;
}

const told = ({ host, address, outcome, reply }: Try) => ({ host, address, outcome, reply });

/** Of mail to many: whether a recipient can leave with one click. Undefined for a person's mail. */
export function bulkOf({ isBulk }: LeasedSubmission, message: Buffer): { hasOneClick: boolean } | undefined {
  const header = parseHeader(message.subarray(0, headerEnd(message)));
  return isBulk ? { hasOneClick: hasOneClick(header) } : undefined;
}

/** The line of the log: each server that was tried, each reply, and when the next attempt comes. */
export function stepOf(
  leased: LeasedSubmission,
  message: Buffer,
  judged: readonly Judged[],
  outcomes: readonly DeliveryOutcome[],
  tries: Tries,
): MailStep {
  const { userId, submissionId, mailFrom } = leased;
  const header = parseHeader(message.subarray(0, headerEnd(message)));
  const bulk = bulkOf(leased, message);
  const next = outcomes.flatMap(({ nextAttemptAt }) => nextAttemptAt ?? []);
  return {
    id: idOf(judged.map(({ delivery }) => delivery)),
    account: userId,
    submission: submissionId,
    messageId: header.find(({ name }) => name.toLowerCase() === "message-id")?.value.trim(),
    from: mailFrom,
    ...(bulk && { class: "bulk", ...(!bulk.hasOneClick && { unsubscribe: "missing" }) }),
    to: judged.map(({ delivery }) => delivery.rcptTo),
    attempt: judged[0]!.delivery.attempts,
    tried: tries.list.map(told),
    replies: outcomes.map(({ result, smtpReply }) => `${result}: ${smtpReply}`),
    ...(next.length > 0 && { next: next[0] }),
  };
}
