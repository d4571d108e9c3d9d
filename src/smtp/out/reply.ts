/** What became of one recipient. `relayed`: another server has it. `delivered`: it is in a mailbox of ours. */
export interface Answer {
  kind: "relayed" | "delivered" | "deferred" | "failed";
  /** As deliveryStatus tells it. */
  smtpReply: string;
  /** The server that answered. */
  remote?: string | undefined;
  /** A mailbox of ours was full: nothing was attempted. */
  isUntried?: true;
}

/** RFC 8621 §7, smtpReply: several lines become one. Of control characters, the database takes no NUL, and a report no CR. */
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

/** Only the codes count as a prefix, lest the words of two lines be eaten. */
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
