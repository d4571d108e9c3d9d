import { splitAddress } from "../../base/address.ts";
import { leaves } from "../../mime/structure.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import type { Store } from "../../store/core/store.ts";
import { findReportable } from "../../store/queues/delivery-reports.ts";
import { recordComplaint } from "./record.ts";
import type { ReturnPaths, SentMail } from "./return-path.ts";
import { type Arrival, NotSettled } from "./returned.ts";

/** RFC 2142 §2, §4: where other operators and their feedback loops write to. */
const operators = /^(?:abuse|postmaster)(?:\+.*)?$/;

/**
 * RFC 5965: a complaint that came to the operator counts against whoever sent the mail, if it has the mail's signed return
 * path, which only those know who got the mail: a Message-ID is known to more. Recorded once, however often it runs. Throws
 * NotSettled when it came too soon.
 */
export async function complainToSender(
  address: string,
  arrival: Arrival,
  { store, returnPaths }: { store: Store; returnPaths: ReturnPaths },
): Promise<void> {
  // Behind a group the address is another. Others are not looked at further, since most mail is none.
  const isReport = leaves(arrival.summary.structure).some(({ type }) => type === "message/feedback-report");
  if (!isReport && !operators.test(splitAddress(address)?.local ?? "")) return;
  const { feedback } = arrival;
  if (feedback?.kind !== "complaint") return;
  const mail = await sentMail(feedback.returnPaths, arrival.at, returnPaths);
  if (!mail) return;
  const deliveries = await findReportable(store.reader(mail.userId, "server"), mail.submissionId);
  if (deliveries.some(({ isLeased }) => isLeased)) throw new NotSettled();
  try {
    await store.write(mail.userId, "server", (tx) => recordComplaint(tx, mail.submissionId, feedback));
  } catch (error) {
    if (!(error instanceof AccountMissing)) throw error;
  }
}

async function sentMail(locals: readonly string[], at: Date, returnPaths: ReturnPaths): Promise<SentMail | undefined> {
  for (const local of locals) {
    const read = await returnPaths.read(local, at);
    if (read.kind === "valid") return read.mail;
  }
  return undefined;
}
