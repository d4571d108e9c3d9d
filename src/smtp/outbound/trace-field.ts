import { encodeId, idPrefix } from "../../base/ids.ts";
import { mailDate } from "../../mail/submit/mail-date.ts";
import type { LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";

/** RFC 5321 §4.4, the same at each attempt. `comment`: in parentheses, on mail to our own users. */
export function traceField(
  { submissionId, sendAt }: LeasedSubmission,
  { hostname }: Pick<MailOutOptions, "hostname">,
  comment = "",
): string {
  const told = comment === "" ? "" : `\r\n ${comment}`;
  return `Received: by ${hostname}${told} id ${encodeId(idPrefix.submission, submissionId)};\r\n ${mailDate(sendAt)}\r\n`;
}
