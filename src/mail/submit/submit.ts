import { normalizeAddress, splitAddress } from "../../base/address.ts";
import type { Clock, Random } from "../../base/clock.ts";
import { withoutBcc } from "../../mime/envelope-fields.ts";
import { asAddresses, type HeaderField, parseHeader } from "../../mime/headers.ts";
import { allAbilities, wireMessage } from "../../mime/transport.ts";
import { Unsendable } from "../../mime/unsendable.ts";
import { headerEnd } from "../../mime/walk.ts";
import { usesBareLf } from "../../mime/wire-scan.ts";
import type { Envelope, EnvelopeAddress } from "../../store/core/db.ts";
import { classOf } from "./mail-class.ts";
import { mailDate } from "./mail-date.ts";
import { SubmissionRefused } from "./submission-refused.ts";
import { checkParameters, holdUntil } from "./submit-parameters.ts";

export const maxRecipients = 1000;

export interface SubmissionRequest {
  message: Buffer;
  /** Null: derived from the header. */
  envelope: Envelope | null;
  /** "ada@example.org", or "*@example.org". */
  identityEmail: string;
}

export interface SubmissionRules {
  /** True when mail to the address is delivered to the sending account. */
  owns(address: string): Promise<boolean>;
  /** True for a domain of this server. */
  serves(domain: string): Promise<boolean>;
  /** Those of the addresses, in lower case, that the account's mail does not go to, with the reasons. */
  suppressed(addresses: string[]): Promise<{ address: string; reason: string }[]>;
  clock: Clock;
  random: Random;
  maxSize: number;
}

export interface JudgedSubmission {
  envelope: Envelope;
  /** The message as it is sent: without Bcc, with Date and Message-ID. */
  wire: Buffer;
  /** The fields of these that were missing, with their line ends. */
  added: string;
  sendAt: Date;
  isBulk: boolean;
}

/** RFC 8621 §7.5: all checks that need only the message and its envelope. Throws SubmissionRefused. */
export async function judgeSubmission(request: SubmissionRequest, rules: SubmissionRules): Promise<JudgedSubmission> {
  const { message } = request;
  if (message.length > rules.maxSize) throw new SubmissionRefused("tooLarge", "the message is too large");
  const fields = parseHeader(message.subarray(0, headerEnd(message)));
  const authors = authorsOf(fields);
  checkOnce(fields);
  await checkAuthors(authors.from, [...authors.sender, ...resentBy(fields)], rules);
  const now = rules.clock.now();
  const envelope = request.envelope ?? madeEnvelope(fields, authors, request.identityEmail);
  await checkMailFrom(envelope.mailFrom, rules);
  checkRecipients(envelope.rcptTo);
  if (envelope.mailFrom.email !== "") await checkSuppressed(envelope.rcptTo, rules);
  const added = missingFields(fields, { now, random: rules.random, domain: domainOf(authors.from[0]!) });
  const wire = wireForm(message, added);
  const isBulk = classOf(fields, envelope.rcptTo.length) === "bulk";
  return { envelope, wire, added, sendAt: holdUntil(envelope.mailFrom.parameters, now), isBulk };
}

/** How many authors and senders a message may name. */
const maxNamed = 100;

/**
 * RFC 8621 §7.5, forbiddenFrom. RFC 8621 §7 allows a Sender outside the account, but it must not belong to anyone else
 * here.
 */
async function checkAuthors(from: string[], agents: string[], rules: SubmissionRules): Promise<void> {
  const authors = new Set(from);
  const named = new Set([...from, ...agents]);
  if (named.size > maxNamed) throw new SubmissionRefused("invalidEmail", "it names too many authors and senders");
  for (const address of named) {
    if (await rules.owns(address)) continue;
    const domain = splitAddress(address)?.domain;
    if (authors.has(address) || (domain !== undefined && (await rules.serves(domain)))) {
      throw new SubmissionRefused("forbiddenFrom", `${address} is not an address of this account`);
    }
  }
}

interface Authors {
  from: string[];
  sender: string[];
}

/** RFC 5322 §3.6.2: one From with at least one address, and a Sender where From has several. */
function authorsOf(fields: HeaderField[]): Authors {
  const named = (name: string) => fields.filter((field) => field.name.toLowerCase() === name);
  const invalid: string[] = [];
  const [fromFields, senderFields] = [named("from"), named("sender")];
  const addresses = (all: HeaderField[]) => all.flatMap(({ value }) => asAddresses(value)).map(({ email }) => email);
  const [from, sender] = [addresses(fromFields), addresses(senderFields)];
  if (fromFields.length !== 1 || from.length === 0 || !from.every(isAddress)) invalid.push("from");
  if (senderFields.length > 1 || sender.length > 1 || !sender.every(isAddress)) invalid.push("sender");
  else if (from.length > 1 && sender.length === 0) invalid.push("sender");
  if (invalid.length > 0) {
    throw new SubmissionRefused("invalidEmail", `its ${invalid.join(" and ")} cannot be sent`, invalid);
  }
  return { from, sender };
}

/** RFC 5322 §3.6: fields that may occur once, with the Email properties that set them. */
const onceOnly = new Map(
  Object.entries({
    date: "sentAt",
    "reply-to": "replyTo",
    to: "to",
    cc: "cc",
    "message-id": "messageId",
    "in-reply-to": "inReplyTo",
    references: "references",
    subject: "subject",
  }),
);

/** Servers refuse a message that repeats such a field, and nobody knows which one counts. */
function checkOnce(fields: HeaderField[]): void {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const { name } of fields) {
    const lower = name.toLowerCase();
    if (!onceOnly.has(lower)) continue;
    if (seen.has(lower)) again.add(lower);
    seen.add(lower);
  }
  const twice = [...again];
  if (twice.length === 0) return;
  const properties = twice.map((name) => onceOnly.get(name)!);
  throw new SubmissionRefused(
    "invalidEmail",
    `it cannot be sent: it has several ${twice.join(" and ")} fields`,
    properties,
  );
}

/** RFC 5322 §3.6.6: the addresses that claim to have resent the message. */
function resentBy(fields: HeaderField[]): string[] {
  return fields
    .filter(({ name }) => /^resent-(from|sender)$/i.test(name))
    .flatMap(({ value }) => asAddresses(value))
    .map(({ email }) => email);
}

/** RFC 8621 §7, envelope. */
function madeEnvelope(fields: HeaderField[], { from, sender }: Authors, identityEmail: string): Envelope {
  const author = sender[0] ?? from[0]!;
  const isAllowed = isAllowedBy(identityEmail, author);
  const rcptTo = fields
    .filter(({ name }) => ["to", "cc", "bcc"].includes(name.toLowerCase()))
    .flatMap(({ value }) => asAddresses(value))
    .map(({ email }) => ({ email, parameters: null }));
  // An identity for a whole domain has no address to use instead; the first author belongs to the account.
  const instead = identityEmail.startsWith("*@") ? from[0]! : identityEmail;
  const email = isAllowed ? author : instead;
  return { mailFrom: { email, parameters: null }, rcptTo: distinctRecipients(rcptTo) };
}

/** Removes duplicate mailboxes; the domain is not case-sensitive. */
export function distinctRecipients(recipients: EnvelopeAddress[]): EnvelopeAddress[] {
  const seen = new Map<string, EnvelopeAddress>();
  for (const recipient of recipients) {
    const parts = splitAddress(recipient.email);
    const key = parts ? `${parts.local}@${parts.domain}` : recipient.email;
    if (!seen.has(key)) seen.set(key, recipient);
  }
  return [...seen.values()];
}

function isAllowedBy(identityEmail: string, address: string): boolean {
  const [identity, given] = [identityEmail.toLowerCase(), address.toLowerCase()];
  return identity === given || (identity.startsWith("*@") && given.endsWith(identity.slice(1)));
}

async function checkMailFrom({ email, parameters }: EnvelopeAddress, rules: SubmissionRules): Promise<void> {
  // Anyone may use the null sender: nothing is ever returned to it.
  if (email !== "" && (!isAddress(email) || !(await rules.owns(email)))) {
    throw new SubmissionRefused("forbiddenMailFrom", `${email} is not an address of this account`);
  }
  checkParameters("mail", parameters);
}

function checkRecipients(recipients: EnvelopeAddress[]): void {
  if (recipients.length === 0) throw new SubmissionRefused("noRecipients", "there are no recipients");
  if (recipients.length > maxRecipients) {
    throw new SubmissionRefused("tooManyRecipients", `at most ${maxRecipients} recipients`, [], maxRecipients);
  }
  const invalid = recipients.map(({ email }) => email).filter((email) => !isAddress(email));
  if (invalid.length > 0) throw new SubmissionRefused("invalidRecipients", "not email addresses", invalid);
  for (const { parameters } of recipients) checkParameters("rcpt", parameters);
}

/**
 * RFC 8621 §7.5, invalidRecipients: "not a valid email address for sending to". An address that has bounced for good is
 * refused at once, before the mail is in a queue.
 */
async function checkSuppressed(recipients: EnvelopeAddress[], rules: SubmissionRules): Promise<void> {
  const given = new Map(recipients.map(({ email }) => [normalizeAddress(email) ?? email, email]));
  const found = await rules.suppressed([...given.keys()]);
  if (found.length === 0) return;
  const words = found.slice(0, 10).map(({ address, reason }) => `${address} is suppressed (${reason})`);
  const names = [...new Set(found.map(({ address }) => given.get(address)!))];
  throw new SubmissionRefused("invalidRecipients", words.join("; "), names);
}

/** RFC 5321 §4.5.3.1.3: 256 with the angle brackets. */
export const maxPathOctets = 254;
/** RFC 1035 §2.3.4 */
const maxLabelLength = 63;

/**
 * True for an address that MAIL FROM and RCPT TO can carry (RFC 5321 §4.1.2, RFC 6531 §3.3). Allows dots in the places
 * where some providers use them.
 */
export function isAddress(email: string): boolean {
  const parts = splitAddress(email);
  if (!parts || parts.local === "" || Buffer.byteLength(parts.local) > 64) return false;
  if (parts.domain.split(".").some((label) => label.length > maxLabelLength)) return false;
  const written = email.slice(0, email.lastIndexOf("@"));
  if (!email.isWellFormed() || Buffer.byteLength(written) + 1 + parts.domain.length > maxPathOctets) return false;
  // Angle brackets end the path for many servers, quoted or not.
  if (/^"(?:[^"\\<>\x00-\x1f\x7f-\x9f]|\\[^<>\x00-\x1f\x7f-\x9f])*"$/.test(written)) return true;
  return /^[^\s"(),:;<>@[\]\\\x00-\x1f\x7f-\x9f]+$/.test(written);
}

function domainOf(address: string): string {
  return splitAddress(address)!.domain;
}

/** RFC 6409 §8: the first server completes the header. */
function missingFields(
  fields: HeaderField[],
  { now, random, domain }: { now: Date; random: Random; domain: string },
): string {
  const names = new Set(fields.map(({ name }) => name.toLowerCase()));
  return (
    (names.has("date") ? "" : `Date: ${mailDate(now)}\r\n`) +
    (names.has("message-id") ? "" : `Message-ID: <${random(16).toString("hex")}@${domain}>\r\n`)
  );
}

/** Throws SubmissionRefused for a message that no server would accept. */
function wireForm(message: Buffer, added: string): Buffer {
  try {
    const shown = withoutBcc(message);
    // RFC 5321 allows only CRLF as a line end. Everything else is adapted to each server on sending.
    const form = wireMessage(shown, allAbilities);
    const wire = usesBareLf(shown) ? form : shown;
    return added === "" ? wire : Buffer.concat([Buffer.from(added), wire]);
  } catch (error) {
    if (!(error instanceof Unsendable)) throw error;
    throw new SubmissionRefused("invalidEmail", `it cannot be sent: ${error.message}`, error.properties);
  }
}
