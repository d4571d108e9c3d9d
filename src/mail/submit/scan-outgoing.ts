import type { Log } from "../../base/log.ts";
import { ScannerAway } from "../scan/clamd.ts";
import type { Scanners } from "../scan/scanners.ts";
import { SubmissionRefused } from "./submission-refused.ts";
import type { JudgedSubmission } from "./submit.ts";

export interface OutgoingScan {
  scanners: Scanners;
  log: Log;
}

/**
 * Resolves with the message's spam score, which is kept for the sender's standing and refuses nothing; undefined when
 * nobody judges. Throws SubmissionRefused if it has a virus. While the virus scanner is away, mail is taken: it is scanned
 * again, and held, before its first attempt.
 */
export async function scanOutgoing(
  accountId: number,
  { envelope, wire }: JudgedSubmission,
  { scanners, log }: OutgoingScan,
): Promise<number | undefined> {
  const virus = await scanners.findVirus(wire).catch((error: unknown) => {
    if (!(error instanceof ScannerAway)) throw error;
    return undefined;
  });
  if (virus !== undefined) throw new SubmissionRefused("invalidEmail", `it has the virus ${virus}`, ["attachments"]);
  const recipients = envelope.rcptTo.map(({ email }) => ({ address: email }));
  const score = await scanners.scoreOutgoing({ message: wire, mailFrom: envelope.mailFrom.email, recipients });
  const isSpam = score !== undefined && scanners.junkScore !== undefined && score >= scanners.junkScore;
  if (isSpam) log.warn({ account: accountId, score }, "a user sends what looks like spam");
  return score;
}
