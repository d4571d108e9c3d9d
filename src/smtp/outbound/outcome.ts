import { waitsWith } from "../../store/queues/attempts.ts";
import { type DeliveryOutcome, type LeasedSubmission, unscannedReply } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";
import { nextAttempt } from "./retry.ts";
import type { Judged } from "./story.ts";

/**
 * What becomes of the recipients of one transaction. Those that are put off are tried again together, or each would need a
 * transaction of its own.
 */
export async function outcomesOf(
  leased: LeasedSubmission,
  judged: readonly Judged[],
  options: MailOutOptions,
): Promise<DeliveryOutcome[]> {
  const now = options.clock.now();
  const random = options.random(4);
  const deferred = judged.filter(({ answer }) => answer.kind === "deferred").map(({ delivery }) => delivery);
  const attempts = Math.min(...deferred.map((delivery) => delivery.attempts));
  const waited = deferred.length === 0 ? 0 : await waitedFor(leased, deferred, now, options);
  // What was held for its sender's standing has its whole time from then on.
  const releases = deferred.map(({ releasedAt }) => releasedAt?.getTime() ?? 0);
  const since = new Date(Math.max(leased.sendAt.getTime() + waited, ...releases));
  const next = nextAttempt({ attempts, since, now }, options, random);
  return judged.map(({ delivery: { no }, answer: { kind, smtpReply, isUntried } }) => {
    if (kind === "deferred" && next) {
      return { no, smtpReply, result: "deferred", nextAttemptAt: next, delivered: "queued", isUntried };
    }
    const isFailed = kind === "deferred" || kind === "failed";
    if (isFailed) return { no, smtpReply, result: "failed", nextAttemptAt: null, delivered: "no" };
    return { no, smtpReply, result: "sent", nextAttemptAt: null, delivered: kind === "delivered" ? "yes" : "unknown" };
  });
}

/** How long they have waited for the virus scanner, in milliseconds: the mail has as much longer. Earlier waits are asked for when its time would be over. */
async function waitedFor(
  { userId, submissionId, sendAt }: LeasedSubmission,
  deferred: readonly LeasedSubmission["deliveries"][number][],
  now: Date,
  { store, retryFor }: MailOutOptions,
): Promise<number> {
  const since = (date: Date) => now.getTime() - date.getTime();
  const justNow = Math.max(0, ...deferred.map(({ unscannedSince }) => (unscannedSince ? since(unscannedSince) : 0)));
  if (since(sendAt) - justNow < retryFor) return justNow;
  const earlier = await waitsWith(store.reader(userId, "server"), submissionId, unscannedReply);
  const waits = deferred.map(({ rcptTo }) =>
    earlier
      .filter(({ recipients }) => recipients.includes(rcptTo))
      .reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  );
  return justNow + Math.max(...waits);
}
