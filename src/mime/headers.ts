import { asAddresses, asGroupedAddresses } from "./addresses.ts";
import { asDate } from "./date.ts";
import { fieldsNamed, type HeaderField, lastField, unfold } from "./field.ts";
import { asMessageIds, asText, asUrls } from "./forms.ts";
import { withoutComments } from "./tokens.ts";

export { asAddresses, asGroupedAddresses, type EmailAddress } from "./addresses.ts";
export { asDate } from "./date.ts";
export { type HeaderField, parseHeader } from "./field.ts";
export { asMessageIds, asText, asUrls } from "./forms.ts";

/** RFC 8621 §4.1.2 */
export type HeaderForm = "Raw" | "Text" | "Addresses" | "GroupedAddresses" | "MessageIds" | "Date" | "URLs";

/** RFC 8621 §4.1.3: the request in a property `header:NAME:asFORM:all`. */
export interface HeaderProperty {
  name: string;
  form: HeaderForm;
  all: boolean;
}

const read: Record<HeaderForm, (raw: string) => unknown> = {
  Raw: (raw) => raw,
  Text: asText,
  Addresses: asAddresses,
  GroupedAddresses: asGroupedAddresses,
  MessageIds: asMessageIds,
  Date: asDate,
  URLs: asUrls,
};

const addresses: HeaderForm[] = ["Addresses", "GroupedAddresses"];

/** RFC 8621 §4.1.2: the parsed forms allowed for the fields of RFC 5322 and RFC 2369; other fields allow any. */
const permitted = new Map<string, HeaderForm[]>([
  ...["subject", "comments", "keywords"].map((name) => [name, ["Text"]] as [string, HeaderForm[]]),
  ...["from", "sender", "reply-to", "to", "cc", "bcc"].flatMap((name): [string, HeaderForm[]][] => [
    [name, addresses],
    [`resent-${name}`, addresses],
  ]),
  ...["message-id", "in-reply-to", "references", "resent-message-id"].map(
    (name) => [name, ["MessageIds"]] as [string, HeaderForm[]],
  ),
  ...["date", "resent-date"].map((name) => [name, ["Date"]] as [string, HeaderForm[]]),
  ...["help", "unsubscribe", "subscribe", "post", "owner", "archive"].map(
    (name) => [`list-${name}`, ["URLs"]] as [string, HeaderForm[]],
  ),
  ["return-path", []],
  ["received", []],
]);

/** RFC 8621 §4.1.3: true when a header field may be fetched or set in a form. */
function isPermittedForm(name: string, form: HeaderForm): boolean {
  const forms = permitted.get(name.toLowerCase());
  return form === "Raw" || forms === undefined || forms.includes(form);
}

const property = /^header:([\x21-\x39\x3b-\x7e]+)(?::as([A-Za-z]+))?(:all)?$/;

/** RFC 8621 §4.1.3: parses the syntax alone; undefined if it is not a header property. */
export function headerForm(text: string): HeaderProperty | undefined {
  const match = property.exec(text);
  if (match === null) return undefined;
  const form = match[2] ?? "Raw";
  if (!Object.hasOwn(read, form)) return undefined;
  return { name: match[1]!, form: form as HeaderForm, all: match[3] !== undefined };
}

/** RFC 8621 §4.1.3: undefined if it is not a header property, "forbidden" if the field does not allow the form. */
export function parseHeaderProperty(text: string): HeaderProperty | "forbidden" | undefined {
  const parsed = headerForm(text);
  return parsed === undefined || isPermittedForm(parsed.name, parsed.form) ? parsed : "forbidden";
}

/** RFC 8621 §4.1.3: all instances, or the last one, or null. */
export function readHeaderProperty(fields: HeaderField[], { name, form, all }: HeaderProperty): unknown {
  if (!all) {
    const field = lastField(fields, name);
    return field === undefined ? null : read[form](field.value);
  }
  return fieldsNamed(fields, name).map((field) => read[form](field.value));
}

/** How many Received fields are examined, and how much of each. */
const maxReceived = 100;
const endOfReceived = 1000;

/**
 * RFC 8621 §4.8: the date of the most recent Received field, which comes first; skips fields without a readable date.
 */
export function dateReceived(fields: HeaderField[]): string | null {
  const received = fields.filter(({ name }) => name.toLowerCase() === "received").slice(0, maxReceived);
  for (const { value } of received) {
    const text = withoutComments(unfold(value.slice(-endOfReceived)));
    const date = asDate(text.slice(text.lastIndexOf(";") + 1));
    if (date !== null) return date;
  }
  return null;
}

/** RFC 8621 §4.1.3: sentAt. */
export function dateOfHeader(fields: HeaderField[]): string | null {
  const field = lastField(fields, "Date");
  return field === undefined ? null : asDate(field.value);
}
