import type { Tx } from "../../store/core/store.ts";
import { countSent, type SentHour } from "../../store/queues/sent-hours.ts";
import { SubmissionRefused } from "../submit/submission-refused.ts";
import { holdFor } from "./hold.ts";
import { type Limits, limitsOf, ownLimitsOf } from "./limits.ts";
import { judgeSent } from "./lines.ts";

/** A mail that wants to go out. */
export interface Candidate {
  recipients: number;
  /** (Default: it was not scored.) */
  spamScore?: number | undefined;
}

export interface AdmissionRules {
  /** Whether accounts have limits by themselves; those that an operator has set count anyway. */
  isLimited: boolean;
  /** From which score on mail looks like spam; undefined while nobody judges. */
  junkScore: number | undefined;
  /** The network is new to the login that sends. */
  isAway: boolean;
}

/**
 * RFC 8621 §7.5: counts the mails, and judges each in order by what its account may send in an hour and a day; resolves with
 * an error for each that may not go. If the account passes a line with them, its mail is held from now on, these included.
 * One statement; another if something is refused.
 */
export async function admit(
  tx: Tx,
  candidates: readonly Candidate[],
  rules: AdmissionRules,
): Promise<(SubmissionRefused | undefined)[]> {
  const hour = await countSent(tx, countsOf(candidates, rules));
  const { createdAt, sending, now } = tx;
  const own = ownLimitsOf(sending);
  const limits = rules.isLimited ? limitsOf({ createdAt, sending, goodDays: hour.goodDays, now }) : own;
  const verdicts = judgeEach(candidates, hour, limits);
  const refused = countsOf(
    candidates.filter((_, at) => verdicts[at]),
    rules,
  );
  const left = refused.messages === 0 ? hour : await countSent(tx, negative(refused));
  const passed = tx.sending.hold ? undefined : judgeSent(left);
  if (passed) await holdFor(tx, passed);
  return verdicts;
}

function countsOf(candidates: readonly Candidate[], { junkScore, isAway }: AdmissionRules) {
  const recipients = candidates.reduce((sum, one) => sum + one.recipients, 0);
  const isSpam = ({ spamScore }: Candidate) =>
    spamScore !== undefined && junkScore !== undefined && spamScore >= junkScore;
  const spam = candidates.filter(isSpam).length;
  return { messages: candidates.length, recipients, spam, away: isAway ? recipients : 0 };
}

const negative = ({ messages, recipients, spam, away }: ReturnType<typeof countsOf>) => {
  return { messages: -messages, recipients: -recipients, spam: -spam, away: -away };
};

/** `hour` has the candidates in it. */
function judgeEach(candidates: readonly Candidate[], hour: SentHour, limits: Limits) {
  let inHour = hour.recipients - candidates.reduce((sum, { recipients }) => sum + recipients, 0);
  return candidates.map(({ recipients }) => {
    const refusal = refusalOf(recipients, { inHour, inDay: inHour + hour.dayRecipients }, limits);
    if (!refusal) inHour += recipients;
    return refusal;
  });
}

function refusalOf(
  recipients: number,
  { inHour, inDay }: { inHour: number; inDay: number },
  { hourly, daily }: Limits,
): SubmissionRefused | undefined {
  if (Math.min(hourly, daily) === 0) {
    return new SubmissionRefused("forbiddenToSend", "the operator does not let this account send mail");
  }
  if (recipients > hourly) {
    const text = `this account may send to ${hourly} recipients an hour, and this mail alone has ${recipients}`;
    return new SubmissionRefused("tooManyRecipients", text, [], hourly);
  }
  const full = inHour + recipients > hourly ? `${hourly} recipients an hour` : `${daily} recipients in 24 hours`;
  if (inHour + recipients <= hourly && inDay + recipients <= daily) return undefined;
  return new SubmissionRefused("rateLimit", `this account may send to ${full}, try again later`);
}
