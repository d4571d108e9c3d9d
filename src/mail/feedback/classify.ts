import { challengeIn } from "./challenge.ts";
import { complaintIn } from "./complaint.ts";
import type { Feedback, Judged } from "./feedback.ts";
import { statusReportIn } from "./status-report.ts";
import { textReportIn } from "./text-report.ts";

/** Undefined for a message that is no feedback, such as a person's answer, an absence note or a receipt. Never throws. */
export function classify(judged: Judged): Feedback | undefined {
  return complaintIn(judged) ?? statusReportIn(judged) ?? textReportIn(judged) ?? challengeIn(judged);
}
