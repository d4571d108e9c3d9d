import { normalized } from "../../base/normalize.ts";
import { asGroupedAddresses, type EmailAddress, parseHeader } from "../../mime/headers.ts";
import { searchText } from "../../mime/search-text.ts";
import { baseSubject } from "../../mime/subject.ts";
import { type MessageSummary, summarise } from "../../mime/summary.ts";
import { headerEnd } from "../../mime/walk.ts";
import { type SearchableText, type SearchField, type SearchTerms, searchTerms } from "../../search/terms.ts";
import { readTraits, type Traits } from "../scan/traits.ts";
import { type ThreadKeys, threadKeys } from "./thread.ts";

/** A header block up to this many bytes is stored with the row. */
const maxHeaderBytes = 65_536;

/** Everything derived from a message's bytes before any account is touched; the same for every recipient. */
export interface PreparedMessage {
  summary: MessageSummary;
  header: Buffer | null;
  terms: SearchTerms;
  threadKeys: ThreadKeys;
  sortKeys: { from: string; to: string; subject: string };
  /** What scanning looks at, if that was wanted. */
  traits?: Traits;
}

/** i;unicode-casemap (RFC 5051), close enough for sorting: titlecase after decomposition. */
export function casemap(text: string): string {
  return normalized(text, "NFKD").toUpperCase();
}

/** `isScanned`: with what scanning looks at. */
export function prepareMessage(message: Buffer, { isScanned = false } = {}): PreparedMessage {
  const summary = summarise(message);
  const end = headerEnd(message);
  return {
    summary,
    header: end <= maxHeaderBytes ? Buffer.from(message.subarray(0, end)) : null,
    terms: searchTerms(searchable(message, summary)),
    threadKeys: threadKeys(message, summary),
    sortKeys: {
      from: sortKey(summary.from),
      to: sortKey(summary.to),
      subject: casemap(baseSubject(summary.subject ?? "")).slice(0, 200),
    },
    ...(isScanned && { traits: readTraits(message, summary) }),
  };
}

/** RFC 8621 §4.4.2: the name of the first address, or its email. */
function sortKey(list: EmailAddress[] | null): string {
  const first = list?.[0];
  return casemap(first?.name || first?.email || "").slice(0, 200);
}

function searchable(message: Buffer, summary: MessageSummary): SearchableText {
  const groups = groupNames(message, summary);
  const { texts, attachmentNames } = searchText(message, summary.structure);
  // No phrase spans two people or files, and repeating a name adds nothing.
  const each = (field: SearchField, all: string[]) => [...new Set(all)].map((text) => ({ field, text }));
  const people = (field: (typeof peopleFields)[number]) =>
    each(field, [...groups(field), ...(summary[field] ?? []).map(({ name, email }) => `${name ?? ""} ${email}`)]);
  return {
    fields: [
      { field: "subject", text: summary.subject ?? "" },
      ...peopleFields.flatMap(people),
      ...each("attachment", attachmentNames),
    ],
    body: texts,
  };
}

const peopleFields = ["from", "to", "cc", "bcc"] as const;

/** RFC 5322 §3.4: names of groups, which the plain addresses lack; most messages have none. */
function groupNames(message: Buffer, { structure: { header } }: MessageSummary): (field: string) => string[] {
  const bytes = message.subarray(header.start, header.end);
  const fields = parseHeader(bytes, (name) => peopleFields.some((field) => field === name.toLowerCase()));
  return (field) => {
    const found = fields.findLast(({ name }) => name.toLowerCase() === field);
    if (!found?.value.includes(":")) return [];
    return asGroupedAddresses(found.value).flatMap(({ name }) => name ?? []);
  };
}
