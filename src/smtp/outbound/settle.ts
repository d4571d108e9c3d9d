import { withTerms, writeMails } from "../../mail/deliver/ingest.ts";
import { recordFailures } from "../../mail/feedback/record.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import { CommitError } from "../../store/core/errors.ts";
import type { Tx } from "../../store/core/store.ts";
import { insertAttempts } from "../../store/queues/attempts.ts";
import { type LeasedSubmission, recordOutcomes } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";
import { outcomesOf } from "./outcome.ts";
import { persistently } from "./persistently.ts";
import { reportOf } from "./report.ts";
import { attemptsOf, type Judged, stepOf } from "./story.ts";
import type { Tries } from "./tries.ts";

/** Records the answers, and the servers that were tried. A final failure puts a report into the sender's inbox in the same transaction. */
export async function settle(
  leased: LeasedSubmission,
  message: Buffer,
  { judged, tries }: { judged: Judged[]; tries: Tries },
  options: MailOutOptions,
): Promise<void> {
  const { store, holder, mailLog, events } = options;
  const outcomes = await persistently(() => outcomesOf(leased, judged, options), options);
  const failed = judged.flatMap(({ delivery, answer }, index) =>
    outcomes[index]!.result === "failed" ? [{ delivery, answer, smtpReply: outcomes[index]!.smtpReply }] : [],
  );
  const report = await reportOf(leased, message, failed, options);
  const attempts = attemptsOf(leased, judged, outcomes, tries);
  const mails = withTerms(leased.userId, report ? [report] : []);
  const failures = failed.map(({ delivery, answer, smtpReply }) => {
    return { recipient: delivery.rcptTo, smtpReply, isRemote: answer.remote !== undefined };
  });
  const record = async (tx: Tx) => {
    const dsnBlobIds = report ? [encodeBlobId(report.blob.sha256)] : [];
    const isOurs = await recordOutcomes(tx, leased.submissionId, { outcomes, holder: holder.name, dsnBlobIds });
    if (isOurs) insertAttempts(tx, attempts);
    if (isOurs && report) await writeMails(tx, mails);
    if (isOurs && leased.mailFrom !== "") await recordFailures(tx, leased.submissionId, failures);
    return isOurs;
  };
  // The record may stand after a commit with an unknown outcome: then a further one finds no lease.
  let mayBeRecorded = false;
  const isRecorded = await persistently(async () => {
    try {
      return await store.write(leased.userId, "server", record, { ids: report ? 2 : 0 });
    } catch (error) {
      mayBeRecorded ||= error instanceof CommitError;
      throw error;
    }
  }, options);
  const step = stepOf(leased, message, judged, outcomes, tries);
  if (!isRecorded && !mayBeRecorded) return mailLog.tell("mail went out after its lease was lost", step, "warn");
  mailLog.tell("mail out", step);
  for (const { result, smtpReply } of outcomes) events.attemptEnded({ result, smtpReply });
  for (const { error } of attempts) if (error !== null) events.mailInTrouble({ error });
}
