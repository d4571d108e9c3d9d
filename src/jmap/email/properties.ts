import { parseHeaderProperty } from "../../mime/headers.ts";
import {
  anything,
  bool,
  date,
  exactly,
  idOrReference,
  map,
  matching,
  nullable,
  text,
  unsignedInt,
  utcDate,
} from "../schema.ts";
import type { Property } from "../standard/type.ts";

/** RFC 8621 §4.1.1: a keyword, without the characters that IMAP forbids. */
export const keywordName = matching("^[!#$&'+,\\-./0-9:;<=>?@A-Z\\[^_`a-z|}~]{1,255}$");

/** Shapes of what a client creates are judged in create.ts, where the whole of the message is seen. */
const given: Property = { schema: anything, immutable: true, optional: true };
const lists: Record<string, Property> = Object.fromEntries(
  ["messageId", "inReplyTo", "references", "sender", "from", "to", "cc", "bcc", "replyTo", "subject"].map((name) => [
    name,
    given,
  ]),
);

/** RFC 8621 §4.1. Left out of /get unless named: all that §4.2 does not list as default. */
export const emailProperties: Record<string, Property> = {
  blobId: { schema: text, serverSet: true, immutable: true },
  threadId: { schema: text, serverSet: true, immutable: true },
  mailboxIds: { schema: map(idOrReference, exactly(true)), references: "keys", isSet: true },
  keywords: { schema: map(keywordName, exactly(true)), default: {}, isSet: true, isCaseless: true },
  size: { schema: unsignedInt, serverSet: true, immutable: true },
  receivedAt: { schema: utcDate, immutable: true, optional: true },
  ...lists,
  sentAt: { schema: nullable(date), immutable: true, optional: true },
  hasAttachment: { schema: bool, serverSet: true, immutable: true },
  preview: { schema: text, serverSet: true, immutable: true },
  bodyValues: given,
  textBody: given,
  htmlBody: given,
  attachments: given,
  bodyStructure: { ...given, onRequest: true },
  headers: { ...given, onRequest: true },
};

/** header:Name:asForm:all; undefined when there is no such form of that field. */
export function headerProperty(name: string): Property | undefined {
  const header = parseHeaderProperty(name);
  return header === undefined || header === "forbidden" ? undefined : { ...given, onRequest: true };
}
