import type { MessageSummary } from "../../mime/summary.ts";
import type { Severity } from "./severity.ts";

/** RFC 3464 §2.3.3 */
export type Action = "failed" | "delayed" | "delivered" | "relayed" | "expanded";

/** What a report says of one recipient. */
export interface ReportedRecipient {
  /** Final-Recipient, Original-Recipient or the text: the address in all its forms; empty if none is named. */
  addresses: string[];
  action: Action;
  /** Of a failure or a delay. */
  severity?: Severity;
  /** RFC 8621 §7: the reply of the server that refused, or one made of the status in the form that §7 asks for. */
  smtpReply: string;
}

/** What the header of a reported mail says, as far as it came with the report. */
export interface OriginalMail {
  author?: string;
  messageId?: string;
}

/**
 * What a message tells a sender about mail of his.
 * `delivery`: a delivery status, `isStandard` when it is an RFC 3464 report and not only words.
 * `complaint`: the recipient calls the mail spam; `returnPaths`: what may be local parts of ours in what it says of the mail; `original`:
 * who wrote it, and its Message-ID.
 * `challenge`: the recipient's server holds the mail until the sender
 * confirms it, which counts as a soft bounce.
 */
export type Feedback =
  | { kind: "delivery"; isStandard: boolean; recipients: ReportedRecipient[] }
  | { kind: "complaint"; addresses: string[]; returnPaths: string[]; original: OriginalMail }
  | { kind: "challenge" };

/** A message with what its classification needs. `mailFrom` is "" for the null sender. */
export interface Judged {
  message: Uint8Array;
  summary: MessageSummary;
  mailFrom: string;
}
