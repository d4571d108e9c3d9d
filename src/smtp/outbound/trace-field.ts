import { mailIdOf } from "../../base/mail-log.ts";
import { mailDate } from "../../mail/submit/mail-date.ts";
import type { LeasedDelivery, LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";

/**
 * The id of a mail. All its recipients have one, but for those whose mailbox here was full: a further attempt for them has
 * its own.
 */
export const idOf = (deliveries: readonly LeasedDelivery[]) =>
  Math.min(...deliveries.map(({ incomingId }) => incomingId));

/** RFC 5321 §4.4, the same at each attempt. `comment`: in parentheses, on mail to our own users. */
export function traceField(
  { deliveries, sendAt }: LeasedSubmission,
  { hostname }: Pick<MailOutOptions, "hostname">,
  comment = "",
): string {
  const told = comment === "" ? "" : `\r\n ${comment}`;
  return `Received: by ${hostname}${told} id ${mailIdOf(idOf(deliveries))};\r\n ${mailDate(sendAt)}\r\n`;
}
