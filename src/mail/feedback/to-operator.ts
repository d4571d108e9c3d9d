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
    : await namedMail(feedback, provenDomain(arrival, authentication), store);
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

/** The author's domain, if DMARC passed for it. */
function provenDomain({ summary }: Arrival, authentication: Authentication | null): string | undefined {
  const [author, ...others] = summary.from ?? [];
  const domain = splitAddress(author?.email ?? "")?.domain;
  const isProven = authentication?.dmarc.some((one) => one.result === "pass" && one.domain === domain);
  return isProven && others.length === 0 ? domain : undefined;
}

/**
 * The mail that a complaint names by its author and Message-ID. More people know these than got the mail, so only the domain
 * that it went to is heard, and only about recipients there.
 */
async function namedMail(
  complaint: Complaint,
  from: string | undefined,
  store: Store,
): Promise<{ mail: SentMail; complaint: Complaint } | undefined> {
  const { author, messageId } = complaint.original;
  if (from === undefined || author === undefined || messageId === undefined) return undefined;
  const [owner] = await findRecipients(store.database, [author]);
  if (typeof owner !== "object") return undefined;
  const { userId } = owner;
  const reader = store.reader(userId, "server");
  for (const submissionId of await findSubmissionsOf(reader, [{ messageId, idHash: messageIdHash(messageId) }])) {
    const theirs = (await findReportable(reader, submissionId)).filter(({ rcptTo }) => areOneHouse(rcptTo, from));
    const found = named(complaint.addresses, theirs) ?? (complaint.addresses.length === 0 ? theirs : []);
    const addresses = found.map(({ rcptTo }) => rcptTo);
    // Without a name, one recipient leaves no doubt.
    if (addresses.length === 1) return { mail: { userId, submissionId }, complaint: { ...complaint, addresses } };
  }
  return undefined;
}

/** Feedback loops write from a subdomain, or from the domain above. */
function areOneHouse(address: string, domain: string): boolean {
  const other = splitAddress(address)?.domain ?? "";
  return other === domain || other.endsWith(`.${domain}`) || domain.endsWith(`.${other}`);
}

async function sentMail(locals: readonly string[], at: Date, returnPaths: ReturnPaths): Promise<SentMail | undefined> {
  for (const local of locals) {
    const read = await returnPaths.read(local, at);
    if (read.kind === "valid") return read.mail;
  }
  return undefined;
}
