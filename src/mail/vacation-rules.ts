import { asAddresses, asText, type HeaderField, parseHeader } from "../mime/headers.ts";
import { normalizeAddress, splitAddress } from "../store/directory.ts";
import type { PreparedMessage } from "./prepare.ts";
import { isAddress } from "./submit.ts";

/** A message that a person may have written to somebody: what an answer needs to know of it. */
export interface Answerable {
  /** The envelope's, in lower case. */
  sender: string;
  /** Whom it names, in lower case. */
  named: string[];
  subject: string | null;
  messageId: string | undefined;
  references: string[];
}

/** Senders that are no persons (RFC 3834 §2): what they get is lost, or goes to a whole list. */
const machine =
  /^(mailer-daemon|postmaster|listserv|majordomo|bounces?([-+=._].*)?|owner-.*|.*-(owner|request|bounces?|errors)|(.*[-+._])?(no|do[-_.]?not)[-_.]?reply([-+._].*)?)$/i;
const naming = new Set(["to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc"]);
const mostReferences = 20;

/** RFC 3834 §2: undefined for what must not be answered, whoever gets it. */
export function answerable(
  { header, summary }: Pick<PreparedMessage, "header" | "summary">,
  mailFrom: string,
): Answerable | undefined {
  const sender = normalizeAddress(mailFrom);
  if (sender === undefined || !isAddress(mailFrom) || !header) return undefined;
  if ([mailFrom, ...(summary.from ?? []).map(({ email }) => email)].some(isMachine)) return undefined;
  const fields = parseHeader(header).map(({ name, value }) => ({ name: name.toLowerCase(), value }));
  if (fields.some(isAutomatic) || isForged(fields)) return undefined;
  const named = fields
    .filter(({ name }) => naming.has(name))
    .flatMap(({ value }) => asAddresses(value))
    .flatMap(({ email }) => normalizeAddress(email) ?? []);
  const messageId = summary.messageId?.[0];
  const before = summary.references ?? (summary.inReplyTo?.length === 1 ? summary.inReplyTo : []);
  return {
    sender,
    named: [...new Set(named)],
    subject: summary.subject,
    messageId,
    references:
      messageId === undefined ? [] : [...before.slice(0, 1), ...before.slice(1).slice(-mostReferences), messageId],
  };
}

function isMachine(address: string): boolean {
  return machine.test(splitAddress(address)?.local ?? "");
}

/** Sent by a program or to a list. */
function isAutomatic({ name, value }: HeaderField): boolean {
  const text = asText(value).trim().toLowerCase();
  if (name === "auto-submitted") return !/^no\b/.test(text);
  if (name === "precedence") return /^(list|bulk|junk)\b/.test(text);
  if (name === "x-auto-response-suppress") return /\b(all|oof|autoreply)\b/.test(text);
  if (name === "content-type") return /^multipart\/report\b/.test(text);
  return /^list-(id|post|help|owner|archive|subscribe|unsubscribe)$/.test(name);
}

/** The results that we put in front say that the sender is somebody else: an answer would go to a bystander. */
function isForged(fields: HeaderField[]): boolean {
  const results = fields.find(({ name }) => name === "authentication-results")?.value ?? "";
  if (/\bdmarc=fail\b/i.test(results)) return true;
  return /\bspf=fail\b/i.test(results) && !/\bdmarc=pass\b/i.test(results);
}
