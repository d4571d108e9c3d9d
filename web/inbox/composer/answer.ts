import type { Email, EmailAddress, Id, Identity } from "../../shared/jmap/types.ts";
import { isSame, unique } from "./addresses.ts";

/** What an answer is made of. */
export type Answered = Pick<
  Email,
  | "id"
  | "messageId"
  | "references"
  | "inReplyTo"
  | "from"
  | "to"
  | "cc"
  | "bcc"
  | "replyTo"
  | "subject"
  | "sentAt"
  | "receivedAt"
>;
export type AnswerKind = "reply" | "replyAll" | "forward";

export interface Envelope {
  identity: Identity | undefined;
  to: EmailAddress[];
  cc: EmailAddress[];
  subject: string;
  inReplyTo: string[] | null;
  references: string[] | null;
}

/** To whom an answer goes, from whom, and of which mail it says that it is the answer (RFC 5322 §3.6.3, §3.6.4). */
export function envelopeOf(
  kind: AnswerKind,
  email: Answered,
  identities: readonly Identity[],
  deliveredTo?: string,
): Envelope {
  const identity = identityFor(email, identities, deliveredTo);
  const subject = subjectOf(kind, email.subject ?? "");
  if (kind === "forward") return { identity, to: [], cc: [], subject, inReplyTo: null, references: email.messageId };
  const isOwn = (address: EmailAddress) => identities.some((one) => isSame(address, { name: null, email: one.email }));
  const isByMe = email.from?.some(isOwn) === true;
  const answerTo = email.replyTo?.length ? email.replyTo : (email.from ?? []);
  // To go on with what one wrote oneself is to write to the same people again.
  const to = isByMe ? (email.to ?? []) : answerTo;
  const others = isByMe ? (email.cc ?? []) : [...(email.to ?? []), ...(email.cc ?? [])];
  const strangers = (list: readonly EmailAddress[]) => unique(list).filter((address) => !isOwn(address));
  const wanted = kind === "reply" && isByMe && to.length === 0 ? answerTo : to;
  // A mail to oneself alone is answered to oneself.
  const kept = strangers(wanted).length > 0 ? strangers(wanted) : unique(wanted);
  const cc =
    kind === "replyAll" ? strangers(others).filter((address) => !kept.some((one) => isSame(one, address))) : [];
  return { identity, to: kept, cc, subject, ...threadOf(email) };
}

/** The most message ids in References: the first and the newest are what threads are made of. */
const maxReferences = 40;

function threadOf({ messageId, references, inReplyTo }: Answered): Pick<Envelope, "inReplyTo" | "references"> {
  const before = references?.length ? references : inReplyTo?.length === 1 ? inReplyTo : [];
  const all = [...before, ...(messageId ?? [])];
  const kept = all.length > maxReferences ? [all[0]!, ...all.slice(1 - maxReferences)] : all;
  return { inReplyTo: messageId?.length ? messageId : null, references: kept.length > 0 ? kept : null };
}

/** From the address that the mail came to, so that its author hears from whom they wrote to. */
function identityFor(email: Answered, identities: readonly Identity[], deliveredTo?: string): Identity | undefined {
  const addressed = [...(email.from ?? []), ...(email.to ?? []), ...(email.cc ?? []), ...(email.bcc ?? [])];
  const places = [...(deliveredTo ? [{ name: null, email: deliveredTo }] : []), ...addressed];
  for (const place of places) {
    const fitting = identities.filter((one) => isSame(place, { name: null, email: one.email }));
    if (fitting.length > 0) return fitting.find(({ name }) => name === place.name) ?? fitting[0];
  }
  return identities[0];
}

function subjectOf(kind: AnswerKind, subject: string): string {
  const base = subject.replace(/^(\s*(re|aw|sv|antw|fwd?|wg|tr|rv|vs)(\[\d+\]|\s*\(\d+\))?\s*[:：]\s*)+/i, "").trim();
  return `${kind === "forward" ? "Fwd" : "Re"}: ${base}`.trim();
}

/** What marks the mail that was answered. */
export const keywordOf = (kind: AnswerKind): string => (kind === "forward" ? "$forwarded" : "$answered");

export interface Source {
  emailId: Id;
  keyword: string;
}
