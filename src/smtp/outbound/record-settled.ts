import { type NewMail, withTerms, writeMails } from "../../mail/deliver/ingest.ts";
import { type Failure, recordFailures } from "../../mail/feedback/record.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import { CommitError } from "../../store/core/errors.ts";
import { isRetryable } from "../../store/core/loss.ts";
import type { Tx } from "../../store/core/store.ts";
import { insertAttempts, type NewAttempt } from "../../store/queues/attempts.ts";
import { type DeliveryOutcome, recordOutcomes } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";
import { persistently } from "./persistently.ts";

/** What became of a mail for the recipients of one destination. */
export interface Settled {
  submissionId: number;
  outcomes: DeliveryOutcome[];
  attempts: NewAttempt[];
  /** The report to the sender, which comes into the inbox in the same transaction. */
  report: NewMail | undefined;
  failures: Failure[];
}

/**
 * Records them as changes of the account. False for those whose lease was lost, unless an earlier commit with an unknown outcome
 * may have recorded them; an error for those that cannot be written.
 */
export async function recordSettled(
  userId: number,
  settled: Settled[],
  options: MailOutOptions,
): Promise<(boolean | Error)[]> {
  const results = new Map<Settled, boolean | Error>();
  const record = async (some: Settled[]): Promise<void> => {
    if (some.length === 0) return;
    try {
      const isOurs = await recordTogether(userId, some, options);
      for (const [at, one] of some.entries()) results.set(one, isOurs[at]!);
    } catch (error) {
      // One of them may be such that it can't be written: that must not keep the others.
      const failsAll = some.length === 1 || error instanceof CommitError || isRetryable(error);
      if (failsAll) for (const one of some) results.set(one, error as Error);
      else await Promise.all(some.map((one) => record([one])));
    }
  };
  // Bounces are named by the modseq of their write, so what has failed is written alone.
  const others = settled.filter((one) => !isPlain(one));
  await Promise.all([record(settled.filter(isPlain)), ...others.map((one) => record([one]))]);
  return settled.map((one) => results.get(one)!);
}

const isPlain = ({ report, failures }: Settled) => report === undefined && failures.length === 0;

async function recordTogether(userId: number, settled: Settled[], options: MailOutOptions): Promise<boolean[]> {
  const { store, holder } = options;
  const reports = settled.flatMap(({ report }) => report ?? []);
  const mails = withTerms(userId, reports);
  const record = async (tx: Tx) => {
    const attempts = settled.map(({ submissionId, outcomes, report }) => {
      return { submissionId, outcomes, dsnBlobId: report && encodeBlobId(report.blob.sha256) };
    });
    const isOurs = await recordOutcomes(tx, attempts, holder.name);
    const ours = settled.filter((_, at) => isOurs[at]);
    insertAttempts(
      tx,
      ours.flatMap(({ attempts }) => attempts),
    );
    for (const { submissionId, report, failures } of ours) {
      if (report) await writeMails(tx, mails);
      if (failures.length > 0) await recordFailures(tx, submissionId, failures);
    }
    return isOurs;
  };
  // The record may stand after a commit with an unknown outcome: then a further one finds no lease.
  let mayBeRecorded = false;
  const isOurs = await persistently(async () => {
    try {
      return await store.write(userId, "server", record, { ids: 2 * reports.length });
    } catch (error) {
      mayBeRecorded ||= error instanceof CommitError;
      throw error;
    }
  }, options);
  return isOurs.map((isRecorded) => isRecorded || mayBeRecorded);
}
