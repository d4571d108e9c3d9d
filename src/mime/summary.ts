import { hasAttachment } from "./body.ts";
import { fieldsNamed, lastField } from "./field.ts";
import { asAddresses, asMessageIds, asText, dateOfHeader, type EmailAddress, parseHeader } from "./headers.ts";
import { preview } from "./preview.ts";
import type { Part } from "./structure.ts";
import { walk } from "./walk.ts";

/** RFC 8621 §4.1: what is stored of a message besides its bytes. */
export interface MessageSummary {
  structure: Part;
  size: number;
  messageId: string[] | null;
  inReplyTo: string[] | null;
  references: string[] | null;
  /** For threads: the message ids of all fields with the name, in order; the properties hold only the last field's. */
  all: { inReplyTo: string[]; references: string[] };
  from: EmailAddress[] | null;
  sender: EmailAddress[] | null;
  to: EmailAddress[] | null;
  cc: EmailAddress[] | null;
  bcc: EmailAddress[] | null;
  replyTo: EmailAddress[] | null;
  subject: string | null;
  sentAt: string | null;
  preview: string;
  hasAttachment: boolean;
}

const summarised = new Set("message-id in-reply-to references from sender to cc bcc reply-to subject date".split(" "));
const isSummarised = (name: string): boolean => name.length <= 11 && summarised.has(name.toLowerCase());

/** RFC 8621 §4.1.3, §4.1.4: the convenience properties of a message. Never throws. */
export function summarise(message: Uint8Array): MessageSummary {
  const structure = walk(message);
  const fields = parseHeader(message.subarray(structure.header.start, structure.header.end), isSummarised);
  const read = <T>(name: string, form: (raw: string) => T): T | null => {
    const field = lastField(fields, name);
    return field === undefined ? null : form(field.value);
  };
  const idLists = (name: string) => fieldsNamed(fields, name).map(({ value }) => asMessageIds(value));
  const [inReplyTo, references] = [idLists("In-Reply-To"), idLists("References")];
  const joined = (lists: (string[] | null)[]) => lists.flatMap((ids) => ids ?? []);
  return {
    structure,
    size: message.length,
    messageId: read("Message-ID", asMessageIds),
    inReplyTo: inReplyTo.at(-1) ?? null,
    references: references.at(-1) ?? null,
    all: { inReplyTo: joined(inReplyTo), references: joined(references) },
    from: read("From", asAddresses),
    sender: read("Sender", asAddresses),
    to: read("To", asAddresses),
    cc: read("Cc", asAddresses),
    bcc: read("Bcc", asAddresses),
    replyTo: read("Reply-To", asAddresses),
    subject: read("Subject", asText),
    sentAt: dateOfHeader(fields),
    preview: preview(message, structure),
    hasAttachment: hasAttachment(structure),
  };
}
