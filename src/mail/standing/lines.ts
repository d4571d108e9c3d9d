import type { HoldReason } from "../../store/core/db.ts";
import type { SentCounts, SentHour } from "../../store/queues/sent-hours.ts";

/** For how long what comes back counts. */
export const returnsForMs = 7 * 86_400_000;

/** A sender who passes one of these lines is stopped: so many at least, and such a share. */
const lines = {
  /** Hard bounces among the recipients of 7 days. */
  bounces: { atLeast: 20, share: 0.1 },
  /** Complaints among the recipients of 7 days. */
  complaints: { atLeast: 5, share: 0.005 },
  /** Mails that look like spam, of those of 24 hours. */
  spam: { atLeast: 10, share: 0.3 },
  /** Recipients, in 24 hours, of mail from a network that is new to its login: so many times those of the busiest hour of 30 days. */
  takeover: { atLeast: 50, times: 3 },
};

/** Why the sender is to be stopped, with words for people. */
export interface Passed {
  reason: HoldReason;
  text: string;
}

/** Judges what was sent: of this hour, and of those before it. */
export function judgeSent(hour: SentHour): Passed | undefined {
  const spam = hour.spam + hour.daySpam;
  const messages = hour.messages + hour.dayMessages;
  if (spam >= lines.spam.atLeast && spam >= messages * lines.spam.share) {
    return { reason: "spam", text: `${spam} of ${messages} mails of the last 24 hours look like spam` };
  }
  const away = hour.away + hour.dayAway;
  if (away >= lines.takeover.atLeast && away >= hour.busiest * lines.takeover.times) {
    const usual = hour.busiest === 0 ? "none in an hour before" : `at most ${hour.busiest} in an hour before`;
    return { reason: "takeover", text: `mail to ${away} recipients from a new network, after ${usual}` };
  }
  return undefined;
}

/** Judges what came back in the time that counts. */
export function judgeReturns({ recipients, hard, complaints }: SentCounts): Passed | undefined {
  if (hard >= lines.bounces.atLeast && hard >= recipients * lines.bounces.share) {
    return { reason: "bounces", text: `${hard} of ${recipients} recipients of the last 7 days do not exist` };
  }
  if (complaints >= lines.complaints.atLeast && complaints >= recipients * lines.complaints.share) {
    return {
      reason: "complaints",
      text: `${complaints} of ${recipients} recipients of the last 7 days called the mail spam`,
    };
  }
  return undefined;
}
