import type { EmailAddress } from "../mime/headers.ts";
import { searchText } from "../mime/search-text.ts";
import { baseSubject } from "../mime/subject.ts";
import { type MessageSummary, summarise } from "../mime/summary.ts";
import { headerEnd } from "../mime/walk.ts";
import { type SearchableText, type SearchTerms, searchTerms } from "./terms.ts";
import { type ThreadKeys, threadKeys } from "./thread.ts";

/** A header block up to this many bytes stands beside the row. */
const maxHeader = 65_536;

/** All that is made of a message's bytes once, before any account is touched; the same for every recipient. */
export interface PreparedMessage {
  summary: MessageSummary;
  header: Buffer | null;
  terms: SearchTerms;
  threadKeys: ThreadKeys;
  sortKeys: { from: string; to: string; subject: string };
}

/** i;unicode-casemap (RFC 5051), near enough for sorting: titlecase after decomposition. */
export function casemap(text: string): string {
  return text.normalize("NFKD").toUpperCase();
}

export function prepareMessage(message: Buffer): PreparedMessage {
  const summary = summarise(message);
  const end = headerEnd(message);
  return {
    summary,
    header: end <= maxHeader ? Buffer.from(message.subarray(0, end)) : null,
    terms: searchTerms(searchable(message, summary)),
    threadKeys: threadKeys(message, summary),
    sortKeys: {
      from: sortKey(summary.from),
      to: sortKey(summary.to),
      subject: casemap(baseSubject(summary.subject ?? "")).slice(0, 200),
    },
  };
}

/** RFC 8621 §4.4.2: the name of the first address, or its email. */
function sortKey(list: EmailAddress[] | null): string {
  const first = list?.[0];
  return casemap(first?.name || first?.email || "").slice(0, 200);
}

function searchable(message: Buffer, summary: MessageSummary): SearchableText {
  const people = (list: EmailAddress[] | null) =>
    (list ?? []).map(({ name, email }) => `${name ?? ""} ${email}`).join(" ");
  const { texts, attachmentNames } = searchText(message, summary.structure);
  return {
    fields: [
      { field: "subject", text: summary.subject ?? "" },
      { field: "from", text: people(summary.from) },
      { field: "to", text: people(summary.to) },
      { field: "cc", text: people(summary.cc) },
      { field: "bcc", text: people(summary.bcc) },
      { field: "attachment", text: attachmentNames.join(" ") },
    ],
    body: texts,
  };
}
