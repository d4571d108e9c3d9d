import type { LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";
import { outcomesOf } from "./outcome.ts";
import { persistently } from "./persistently.ts";
import type { Recorder } from "./recorder.ts";
import { reportOf } from "./report.ts";
import { attemptsOf, bulkOf, type Judged, stepOf } from "./story.ts";
import type { Tries } from "./tries.ts";

/** Records the answers, and the servers that were tried. A final failure puts a report into the sender's inbox in the same transaction. */
export async function settle(
  leased: LeasedSubmission,
  { judged, tries, message }: { judged: Judged[]; tries: Tries; message: Buffer },
  recorder: Recorder,
  options: MailOutOptions,
): Promise<void> {
  const { mailLog, events } = options;
  const outcomes = await persistently(() => outcomesOf(leased, judged, options), options);
  const failed = judged.flatMap(({ delivery, answer }, index) =>
    outcomes[index]!.result === "failed" ? [{ delivery, answer, smtpReply: outcomes[index]!.smtpReply }] : [],
  );
  const { report, warned } = await reportOf(leased, message, judged, outcomes, options);
  for (const outcome of outcomes) if (warned.has(outcome.no)) outcome.isWarned = true;
  const attempts = attemptsOf(leased, judged, outcomes, tries);
  const failures = failed.map(({ delivery, answer, smtpReply }) => {
    return {
      recipient: delivery.rcptTo,
      smtpReply,
      isRemote: answer.remote !== undefined,
      isNoFault: leased.isAutomatic,
    };
  });
  const { userId, submissionId } = leased;
  const told = leased.mailFrom === "" ? [] : failures;
  const isRecorded = await recorder.settle(userId, { submissionId, outcomes, attempts, report, failures: told });
  const step = stepOf(leased, message, judged, outcomes, tries);
  if (!isRecorded) return mailLog.tell("mail went out after its lease was lost", step, "warn");
  mailLog.tell("mail out", step);
  for (const [at, { result, smtpReply }] of outcomes.entries()) {
    events.attemptEnded({ destination: domainOf(judged[at]!.delivery.rcptTo), result, smtpReply });
  }
  const bulk = bulkOf(leased, message);
  if (bulk && outcomes.some(({ result }) => result === "sent")) events.bulkSent(bulk);
  for (const { error } of attempts) if (error !== null) events.mailInTrouble({ error });
}

const domainOf = (address: string) => address.slice(address.lastIndexOf("@") + 1).toLowerCase();
