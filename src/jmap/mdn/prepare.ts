import { decodeId, idPrefix } from "../../base/ids.ts";
import { isOwnAddress } from "../../mail/submit/own-address.ts";
import { SubmissionRefused } from "../../mail/submit/submission-refused.ts";
import { isAddress, type JudgedSubmission, judgeSubmission } from "../../mail/submit/submit.ts";
import { asAddresses, asMessageIds, asText, type HeaderField, parseHeader } from "../../mime/headers.ts";
import { buildMdn, type Disposition } from "../../mime/mdn.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import { servesAny } from "../../store/directory/directory.ts";
import { findEmails } from "../../store/mail/emails.ts";
import type { IdentityRow } from "../../store/mail/identities.ts";
import { type EmailToSend, findEmailsToSend } from "../../store/queues/submissions.ts";
import { invalidProperties, SetError } from "../errors.ts";
import type { Call } from "../method.ts";
import type { JmapObject } from "../standard/type.ts";
import { type MdnRecord, readRecord } from "./record.ts";

/** An MDN whose message is stored. */
export interface ReadyMdn {
  email: EmailToSend;
  judged: JudgedSubmission;
  blob: StoredBlob;
  /** The properties that the client left out. */
  told: JmapObject;
}

/** RFC 9007 §2.1: does all that needs bytes and addresses, before the account is locked. Throws a SetError. */
export async function prepareMdn(given: JmapObject, identity: IdentityRow, call: Call): Promise<ReadyMdn> {
  const record = readRecord(given);
  const { blobs, clock, random, limits, store } = call.services;
  const { email, message } = await findOriginal(record.forEmailId, call);
  const fields = parseHeader(message.subarray(0, 1_000_000));
  const to = asAddresses(fieldOf(fields, "Disposition-Notification-To") ?? "").filter((one) => isAddress(one.email));
  if (to.length === 0) throw new SetError("notFound", "the email does not ask for a notification");
  if (isNotification(fields)) throw new SetError("forbidden", "a notification must not be answered by another");
  const author = await authorOf(identity, fields, call);
  const finalRecipient = await finalRecipientOf(record, author, call);
  const mdn = {
    ...record,
    ...wordsOf(record, fields),
    ...originalOf(fields),
    finalRecipient,
    mdnGateway: null,
    error: null,
  };
  const built = buildMdn(
    {
      ...mdn,
      from: { name: identity.name || null, email: author },
      to,
      original: record.includeOriginalMessage ? message : null,
      references: asMessageIds(mdn.originalMessageId ?? "")?.slice(0, 1) ?? [],
      sentAt: clock.now(),
    },
    random,
  );
  // RFC 8098 §2.1: a notification is sent from the empty address, so that nothing comes back.
  const envelope = {
    mailFrom: { email: "", parameters: null },
    rcptTo: to.map(({ email: address }) => ({ email: address, parameters: null })),
  };
  const owns = (address: string) => isOwnAddress(store.database, address, call.accountId);
  const serves = (domain: string) => servesAny(store.database, [domain]);
  // A receipt has no sender, so it may go to an address that has bounced.
  const suppressed = async () => [];
  const rules = { owns, serves, suppressed, clock, random, maxSize: limits.maxSizeUpload };
  const judged = await judgeSubmission({ message: built, envelope, identityEmail: identity.email }, rules).catch(
    (error: unknown) => {
      throw error instanceof SubmissionRefused ? setErrorOf(error, limits.maxSizeUpload) : error;
    },
  );
  const told = Object.entries(mdn).filter(([name]) => (given[name] ?? null) === null);
  return { email, judged, blob: await blobs.put(judged.wire), told: Object.fromEntries(told) };
}

async function findOriginal(forEmailId: string, call: Call): Promise<{ email: EmailToSend; message: Buffer }> {
  const { blobs, store } = call.services;
  const reader = store.reader(call.accountId, call.login);
  const wireId = forEmailId.startsWith("#") ? call.createdId(forEmailId.slice(1)) : forEmailId;
  const id = decodeId(idPrefix.email, wireId ?? "");
  const [row] = id === undefined ? [] : await findEmails(reader, [id]);
  const email = row && (await findEmailsToSend(reader, [row.id])).get(row.id);
  if (!row || !email) throw new SetError("notFound", "no such email");
  if (row.keywords.includes("$mdnsent")) throw alreadySent();
  return { email, message: await blobs.readObject(email.blob) };
}

export function alreadySent(): SetError {
  return new SetError("mdnAlreadySent", "the email has the keyword $mdnsent");
}

function fieldOf(fields: HeaderField[], name: string): string | undefined {
  return fields.find((field) => field.name.toLowerCase() === name.toLowerCase())?.value;
}

function isNotification(fields: HeaderField[]): boolean {
  return /^\s*multipart\/report\b[\s\S]*disposition-notification/i.test(fieldOf(fields, "Content-Type") ?? "");
}

/** The identity's address; for an identity of a whole domain, the address that the email was sent to. */
async function authorOf({ email }: IdentityRow, fields: HeaderField[], call: Call): Promise<string> {
  if (!email.startsWith("*@")) return email;
  const addressed = ["To", "Cc"].flatMap((name) => asAddresses(fieldOf(fields, name) ?? ""));
  for (const candidate of addressed) {
    const isOf = candidate.email.toLowerCase().endsWith(email.slice(1).toLowerCase());
    if (isOf && (await isOwnAddress(call.services.store.database, candidate.email, call.accountId)))
      return candidate.email;
  }
  throw new SetError("forbiddenFrom", `the email was not sent to an address of ${email}`);
}

/** RFC 9007 §5: only an address of the account. */
async function finalRecipientOf({ finalRecipient }: MdnRecord, author: string, call: Call): Promise<string> {
  if (finalRecipient === null) return `rfc822; ${author}`;
  const address = /^(?:\s*(?:rfc822|utf-8)\s*;)?\s*(\S+)\s*$/i.exec(finalRecipient)?.[1];
  if (address === undefined) throw invalidProperties("is not an address", "finalRecipient");
  if (!isAddress(address) || !(await isOwnAddress(call.services.store.database, address, call.accountId))) {
    throw new SetError("forbiddenFrom", `${address} is not an address of this account`);
  }
  return `rfc822; ${address}`;
}

function originalOf(fields: HeaderField[]) {
  const text = (name: string) => {
    const value = fieldOf(fields, name);
    return value === undefined ? null : asText(value).trim().slice(0, 1000);
  };
  return { originalRecipient: text("Original-Recipient"), originalMessageId: text("Message-ID") };
}

const subjects: Record<Disposition["type"], string> = {
  displayed: "Read",
  deleted: "Deleted",
  dispatched: "Forwarded",
  processed: "Processed",
};

/** RFC 8098 §3: the text for people. */
function wordsOf({ subject, textBody, disposition: { type } }: MdnRecord, fields: HeaderField[]) {
  const original = asText(fieldOf(fields, "Subject") ?? "")
    .trim()
    .slice(0, 500);
  const about = original === "" ? "Your message" : `Your message "${original}"`;
  return {
    subject: subject ?? `${subjects[type]}: ${original}`.trim(),
    textBody: textBody ?? `${about} was ${type}. This does not mean that it has been read or understood.\n`,
  };
}

function setErrorOf({ reason, message }: SubmissionRefused, maxSize: number): SetError {
  if (reason === "tooLarge") return new SetError("tooLarge", message, { maxSize });
  if (reason === "forbiddenFrom") return new SetError("forbiddenFrom", message);
  return invalidProperties(message, "forEmailId");
}
