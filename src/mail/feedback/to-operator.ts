import { splitAddress } from "../../base/address.ts";
import { leaves } from "../../mime/structure.ts";
import type { Authentication } from "../../store/core/db.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import type { Store } from "../../store/core/store.ts";
import { findRecipients } from "../../store/directory/recipients.ts";
import { findReportable, findSubmissionsOf } from "../../store/queues/delivery-reports.ts";
import { messageIdHash } from "../deliver/thread.ts";
import type { Feedback } from "./feedback.ts";
import { named, recordComplaint } from "./record.ts";
import type { ReturnPaths, SentMail } from "./return-path.ts";
import { type Arrival, NotSettled } from "./returned.ts";

/** RFC 2142 §2, §4: where other operators and their feedback loops write to. */
const operators = /^(?:abuse|postmaster)(?:\+.*)?$/;
/** What feedback loops and operators write as; providers give these names to no user. */
const reporters = /^(?:abuse|postmaster|arf|fbl|feedback|feedback-?loop|complaints?)(?:[+-].*)?$/;

interface Means {
  store: Store;
  returnPaths: ReturnPaths;
}

/**
 * RFC 5965: a complaint that came to the operator counts against whoever sent the mail, if it has the mail's signed return
 * path, which only those know who got the mail, or comes from those who took it for the recipient. Recorded once, however often
 * it runs. Throws NotSettled when it came too soon.
 */
export async function complainToSender(
  address: string,
  arrival: Arrival,
  authentication: Authentication | null,
  { store, returnPaths }: Means,
): Promise<void> {
  // Behind a group the address is another. Others are not looked at further, since most mail is none.
  const isReport = leaves(arrival.summary.structure).some(({ type }) => type === "message/feedback-report");
  if (!isReport && !operators.test(splitAddress(address)?.local ?? "")) return;
  const { feedback } = arrival;
  if (feedback?.kind !== "complaint") return;
  const signed = await sentMail(feedback.returnPaths, arrival.at, returnPaths);
  const about = signed
    ? { mail: signed, complaint: feedback }
    : await namedMail(feedback, provenAuthor(arrival, authentication), { store, isReport });
  if (!about) return;
  const { mail, complaint } = about;
  const deliveries = await findReportable(store.reader(mail.userId, "server"), mail.submissionId);
  if (deliveries.some(({ isLeased }) => isLeased)) throw new NotSettled();
  try {
    await store.write(mail.userId, "server", (tx) => recordComplaint(tx, mail.submissionId, complaint));
  } catch (error) {
    if (!(error instanceof AccountMissing)) throw error;
  }
}

type Complaint = Extract<Feedback, { kind: "complaint" }>;

/** The author, if DMARC passed for its domain. */
function provenAuthor({ summary }: Arrival, authentication: Authentication | null): string | undefined {
  const [author, ...others] = summary.from ?? [];
  const domain = splitAddress(author?.email ?? "")?.domain;
  const isProven = authentication?.dmarc.some((one) => one.result === "pass" && one.domain === domain);
  return isProven && others.length === 0 ? author?.email : undefined;
}

/**
 * The mail that a complaint names by its author and Message-ID. More people know these than got the mail, and many share a
 * domain: so only who got it is heard, and who runs the domain that it went to, by a report of the standard form.
 */
async function namedMail(
  complaint: Complaint,
  from: string | undefined,
  { store, isReport }: { store: Store; isReport: boolean },
): Promise<{ mail: SentMail; complaint: Complaint } | undefined> {
  const { author, messageId } = complaint.original;
  if (from === undefined || author === undefined || messageId === undefined) return undefined;
  const [owner] = await findRecipients(store.database, [author]);
  if (typeof owner !== "object") return undefined;
  const { userId } = owner;
  const reader = store.reader(userId, "server");
  for (const submissionId of await findSubmissionsOf(reader, [{ messageId, idHash: messageIdHash(messageId) }])) {
    const theirs = (await findReportable(reader, submissionId)).filter(({ rcptTo }) =>
      maySpeakFor(rcptTo, from, isReport),
    );
    const found = named(complaint.addresses, theirs) ?? (complaint.addresses.length === 0 ? theirs : []);
    const addresses = found.map(({ rcptTo }) => rcptTo);
    // Without a name, one recipient leaves no doubt.
    if (addresses.length === 1) return { mail: { userId, submissionId }, complaint: { ...complaint, addresses } };
  }
  return undefined;
}

/** Feedback loops write from the recipient's domain or one below it. */
function maySpeakFor(recipient: string, from: string, isReport: boolean): boolean {
  if (from.toLowerCase() === recipient.toLowerCase()) return true;
  const [its, theirs] = [splitAddress(from), splitAddress(recipient)];
  if (!isReport || !its || !theirs || !reporters.test(its.local.toLowerCase())) return false;
  return its.domain === theirs.domain || its.domain.endsWith(`.${theirs.domain}`);
}

async function sentMail(locals: readonly string[], at: Date, returnPaths: ReturnPaths): Promise<SentMail | undefined> {
  for (const local of locals) {
    const read = await returnPaths.read(local, at);
    if (read.kind === "valid") return read.mail;
  }
  return undefined;
}
