import { parseHeaderProperty } from "../../mime/headers.ts";
import { capabilities } from "../capability-names.ts";
import {
  anything,
  bool,
  exactly,
  idOrReference,
  list,
  map,
  matching,
  nullable,
  openObject,
  type Schema,
  text,
  unsignedInt,
  utcDate,
} from "../schema.ts";
import type { Property } from "../standard/type.ts";
import { convenience, formSchemas } from "./create-fields.ts";

/** RFC 8621 §4.1.1: a keyword, without the characters that IMAP forbids. */
export const keywordName = matching("^[!#$&'+,\\-./0-9:;<=>?@A-Z\\[^_`a-z|}~]{1,255}$");

/** create.ts checks these further on create, when it sees the whole message. */
const given = (schema: Schema<unknown>): Property => ({ schema: nullable(schema), immutable: true, optional: true });
const fields: Record<string, Property> = Object.fromEntries(
  Object.entries(convenience).map(([name, [, form]]) => [name, given(formSchemas[form])]),
);
const parts = given(list(openObject({})));

/** RFC 8621 §4.1. /get leaves out, unless named, all properties that §4.2 does not list as default. */
export const emailProperties: Record<string, Property> = {
  blobId: { schema: text, serverSet: true, immutable: true },
  threadId: { schema: text, serverSet: true, immutable: true },
  mailboxIds: { schema: map(idOrReference, exactly(true)), references: "keys", isSet: true },
  keywords: { schema: map(keywordName, exactly(true)), default: {}, isSet: true, isCaseless: true },
  size: { schema: unsignedInt, serverSet: true, immutable: true },
  receivedAt: { schema: utcDate, immutable: true, optional: true },
  ...fields,
  hasAttachment: { schema: bool, serverSet: true, immutable: true },
  preview: { schema: text, serverSet: true, immutable: true },
  bodyValues: given(map(text, openObject({}))),
  textBody: parts,
  htmlBody: parts,
  attachments: parts,
  bodyStructure: { ...given(openObject({})), onRequest: true },
  headers: { ...given(anything), onRequest: true },
  authentication: {
    ...{ schema: anything, serverSet: true, immutable: true, onRequest: true },
    capability: capabilities.authentication,
  },
  scan: { schema: anything, serverSet: true, immutable: true, onRequest: true, capability: capabilities.scan },
};

/** header:Name:asForm:all; undefined if the field has no such form. */
export function headerProperty(name: string): Property | undefined {
  const header = parseHeaderProperty(name);
  return header === undefined || header === "forbidden" ? undefined : { ...given(anything), onRequest: true };
}
