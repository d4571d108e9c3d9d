/** The result for one recipient. `relayed`: another server has accepted it. `delivered`: it is in a mailbox here. */
export interface Answer {
  kind: "relayed" | "delivered" | "deferred" | "failed";
  /** As in deliveryStatus. */
  smtpReply: string;
  /** The server that answered. */
  remote?: string | undefined;
  /** What went wrong on our side, or on the way to a server. */
  cause?: "build" | "sign" | "route" | "local";
  /** A mailbox here was full, so no attempt was made. */
  isUntried?: true;
  /** The server reports success itself, if the sender wants that (RFC 3461). */
  reportsItself?: boolean;
  /** The recipient was one too many for this transaction; the next may accept it at once. */
  isOverLimit?: true;
}

/**
 * RFC 8621 §7, smtpReply: joins several lines into one. Control characters become spaces: the database takes no NUL, a
 * report no CR.
 */
export function flattenReply(reply: string): string {
  const [first = "", ...rest] = reply.trim().split(/\r?\n/);
  const head = first.replace(/^(\d{3})-/, "$1 ");
  const lines = rest.map((line) => {
    const text = line.replace(/^(\d{3})-/, "$1 ");
    return text.slice(commonPrefix(head, text));
  });
  return [head, ...lines]
    .join(" ")
    .replace(/[\x00-\x1f\x7f]/g, " ")
    .slice(0, 2000);
}

/** Only the codes count as the common prefix, so that words common to two lines stay. */
function commonPrefix(first: string, line: string): number {
  const codes = /^\d{3} (?:\d\.\d{1,3}\.\d{1,3} )?/.exec(first)?.[0] ?? "";
  if (line.startsWith(codes)) return codes.length;
  return line.startsWith(codes.slice(0, 4)) ? 4 : 0;
}

export function answerOf(reply: string, remote: string): Answer {
  const smtpReply = flattenReply(reply);
  const kind = smtpReply.startsWith("2") ? "relayed" : smtpReply.startsWith("5") ? "failed" : "deferred";
  return { kind, smtpReply, remote };
}

/** The answer to RCPT, after `accepted` others were accepted in the transaction. */
export function refusalOf(reply: string, remote: string, accepted: number): Answer {
  const answer = answerOf(reply, remote);
  return isOverLimit(answer.smtpReply, accepted) ? { ...answer, kind: "deferred", isOverLimit: true } : answer;
}

/** RFC 5321 §4.5.3.1.8: every server accepts at least this many. */
const minRecipients = 100;
const countsRecipients = /too many|(max|limit|number|many).*(recipient|rcpt)|(recipient|rcpt).*(limit|max|exceed)/i;

/** RFC 5321 §4.5.3.1.10: 452, or 552 as RFC 821 had it; RFC 3463 §3.6 calls it X.5.3. */
function isOverLimit(reply: string, accepted: number): boolean {
  const [, code, status] = /^([45]\d\d) (?:[45]\.(\d{1,3}\.\d{1,3})\b)?/.exec(reply) ?? [];
  if (code !== "452" && code !== "552") return status === "5.3" && accepted > 0;
  // A full mailbox or an oversized message would be refused in the next transaction too.
  if (status && (status.startsWith("2.") || status === "3.4")) return false;
  if (status === "5.3" || countsRecipients.test(reply)) return true;
  return accepted >= (code === "452" ? 1 : minRecipients);
}
