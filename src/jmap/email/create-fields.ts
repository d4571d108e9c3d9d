import { encodeHeader } from "../../mime/build.ts";
import type { HeaderField } from "../../mime/headers.ts";
import { type HeaderForm, parseHeaderProperty } from "../../mime/headers.ts";
import { invalidProperties } from "../errors.ts";
import { checker, date, list, nullable, object, openObject, optional, type Schema, text } from "../schema.ts";
import type { JmapObject } from "../standard/type.ts";

/** RFC 8621 §4.1.3: the convenience properties, and the field and form each stands for. */
export const convenience: Record<string, [name: string, form: HeaderForm]> = {
  messageId: ["Message-ID", "MessageIds"],
  inReplyTo: ["In-Reply-To", "MessageIds"],
  references: ["References", "MessageIds"],
  sender: ["Sender", "Addresses"],
  from: ["From", "Addresses"],
  to: ["To", "Addresses"],
  cc: ["Cc", "Addresses"],
  bcc: ["Bcc", "Addresses"],
  replyTo: ["Reply-To", "Addresses"],
  subject: ["Subject", "Text"],
  sentAt: ["Date", "Date"],
};

const address = openObject({ name: optional(nullable(text)), email: text });
export const formSchemas = {
  Raw: text,
  Text: text,
  Addresses: list(address),
  GroupedAddresses: list(object({ name: optional(nullable(text)), addresses: list(address) })),
  MessageIds: list(text),
  Date: date,
  URLs: list(text),
} satisfies Record<HeaderForm, Schema<unknown>>;

/**
 * RFC 8621 §4.6: the header fields that the properties of an Email or EmailBodyPart set, in the order given.
 * Throws invalidProperties for a field set twice, a wrong value, or a name that may not be set there.
 */
export function givenFields(object: JmapObject, path: string, isForbidden: (name: string) => boolean): HeaderField[] {
  const fields: HeaderField[] = [];
  const setBy = new Map<string, string>();
  for (const [property, value] of Object.entries(object)) {
    const target = fieldOf(property, path);
    if (!target || value === null || value === undefined) continue;
    const { name, form, all } = target;
    const key = name.toLowerCase();
    const other = setBy.get(key);
    if (other) throw invalidProperties(`${name} is set twice`, path + other, path + property);
    if (isForbidden(key)) throw invalidProperties(`${name} may not be set here`, path + property);
    setBy.set(key, property);
    const values: unknown[] = all ? (Array.isArray(value) ? value : [value]) : [value];
    for (const one of values) {
      const problem = all && !Array.isArray(value) ? { text: "must be an array" } : checker(formSchemas[form])(one);
      if (problem) throw invalidProperties(`${property}: ${problem.text}`, path + property);
      // An empty list is how some clients say "none".
      if (Array.isArray(one) && one.length === 0) continue;
      fields.push({ name, value: encodeHeader(form, form === "Addresses" ? named(one) : one) });
    }
  }
  return fields;
}

const named = (addresses: unknown) =>
  (addresses as { name?: string | null; email: string }[]).map(({ name, email }) => ({ name: name ?? null, email }));

function fieldOf(property: string, path: string): { name: string; form: HeaderForm; all: boolean } | undefined {
  const known = path === "" && Object.hasOwn(convenience, property) ? convenience[property] : undefined;
  if (known) return { name: known[0], form: known[1], all: false };
  const header = parseHeaderProperty(property);
  if (header === "forbidden") throw invalidProperties(`${property}: this field has no such form`, path + property);
  return header;
}
