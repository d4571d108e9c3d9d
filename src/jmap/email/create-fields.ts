import { encodeHeader } from "../../mime/build.ts";
import type { HeaderField } from "../../mime/headers.ts";
import { type HeaderForm, parseHeaderProperty } from "../../mime/headers.ts";
import { maxNameLength } from "../../mime/wire-header.ts";
import { checker, date, list, nullable, object, openObject, optional, type Schema, text } from "../schema.ts";
import { Faults } from "../standard/faults.ts";
import type { JmapObject } from "../standard/type.ts";

/** RFC 8621 §4.1.3: each convenience property with its field and form. */
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
 * Leaves out fields that are set twice, have a wrong value or may not be set there, and adds them to `faults`.
 */
export function givenFields(
  object: JmapObject,
  path: string,
  isForbidden: (name: string) => boolean,
  faults = new Faults(),
): HeaderField[] {
  const fields: HeaderField[] = [];
  const setBy = new Map<string, string>();
  for (const [property, value] of Object.entries(object)) {
    const wrong = (text: string, culprit = property) => faults.add(path + culprit, text);
    const target = fieldOf(property, path);
    if (target === "forbidden") wrong("this field has no such form");
    if (!target || target === "forbidden" || value === null || value === undefined) continue;
    const { name, form, all } = target;
    const key = name.toLowerCase();
    const other = setBy.get(key);
    if (other) for (const culprit of [other, property]) wrong(`${name} is set twice`, culprit);
    else if (isForbidden(key)) wrong(`${name} may not be set here`);
    else if (name.length > maxNameLength) wrong("the name of this field is too long");
    setBy.set(key, property);
    const values: unknown[] = all ? (Array.isArray(value) ? value : [value]) : [value];
    for (const one of values) {
      const problem =
        all && !Array.isArray(value)
          ? { text: "must be an array" }
          : (checker(formSchemas[form])(one) ?? lineFault(form === "Raw" ? unfolded(one as string) : one));
      if (problem) wrong(problem.text);
      // Some clients send an empty list for "none".
      if (problem || (Array.isArray(one) && one.length === 0)) continue;
      fields.push({ name, value: encodeHeader(form, named(form, one), name.length + 1) });
    }
  }
  return fields;
}

/** RFC 5322 §2.2: a header field's value contains neither line ends nor NUL. */
export function lineFault(value: unknown): { text: string } | undefined {
  if (typeof value === "string") {
    return /[\r\n\0]/.test(value) ? { text: "must not contain CR, LF or NUL" } : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  return Object.values(value)
    .map(lineFault)
    .find((fault) => fault !== undefined);
}

/** RFC 8621 §4.1.2.1: unfolds a Raw value, where white space and text follow a line end. */
const unfolded = (raw: string) => raw.replace(/\r\n[ \t]+(?=[^ \t\r\n])/g, " ");

interface Nameable {
  name?: string | null;
  addresses?: Nameable[];
}

/** Sets a missing name of an address or group to null, as the forms require. */
function named(form: HeaderForm, value: unknown): unknown {
  if (form !== "Addresses" && form !== "GroupedAddresses") return value;
  const withName = (one: Nameable): Nameable => ({
    ...one,
    name: one.name ?? null,
    ...(one.addresses && { addresses: one.addresses.map(withName) }),
  });
  return (value as Nameable[]).map(withName);
}

function fieldOf(property: string, path: string): ReturnType<typeof parseHeaderProperty> {
  const known = path === "" && Object.hasOwn(convenience, property) ? convenience[property] : undefined;
  return known ? { name: known[0], form: known[1], all: false } : parseHeaderProperty(property);
}
