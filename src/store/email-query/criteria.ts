import type { Reader } from "../core/store.ts";
import type { Sought } from "./sought.ts";

/** RFC 8621 §4.4.1: one property of a FilterCondition. Keywords are in lower case; an id that does not exist matches nothing. */
export type Criterion =
  | { kind: "always" }
  | { kind: "never" }
  | { kind: "inMailbox"; mailboxId: number }
  | { kind: "inMailboxOtherThan"; mailboxIds: number[] }
  /** "before" excludes the instant, "after" includes it. */
  | { kind: "before"; at: Date }
  | { kind: "after"; at: Date }
  | { kind: "minSize"; size: number }
  | { kind: "maxSize"; size: number }
  | { kind: "hasKeyword"; keyword: string }
  | { kind: "notKeyword"; keyword: string }
  | { kind: "allInThread"; keyword: string }
  | { kind: "someInThread"; keyword: string }
  | { kind: "noneInThread"; keyword: string }
  | { kind: "hasAttachment"; value: boolean }
  /** `part`: JSON that is a part of what was found about who sent the mail. */
  | { kind: "authentication"; part: string }
  | TermsCriterion
  | HeaderCriterion;

/** Words of the search index. */
export interface TermsCriterion {
  kind: "terms";
  /** Its terms have the account's prefix. Invariant: it never matches a mail that has none of its phrases. */
  sought: Sought;
  /** The criterion selects the mails that do not match. */
  negated: boolean;
}

/** A header field of that name; with `text`, one whose decoded value contains it. */
export interface HeaderCriterion {
  kind: "header";
  name: string;
  text: string | undefined;
  /** Reads a header block that is too large to be stored in its row. */
  readHeader: (reader: Reader, message: { sha256: Buffer }) => Promise<Buffer | undefined>;
}

/** RFC 8620 §5.5. NOT: none of the conditions holds. */
export type EmailFilter = { operator: "AND" | "OR" | "NOT"; conditions: EmailFilter[] } | { criterion: Criterion };

/** RFC 8621 §4.4.2 */
export type EmailSortBy =
  | { kind: "receivedAt" | "sentAt" | "size" | "from" | "to" | "subject" }
  | { kind: "hasKeyword" | "allInThread" | "someInThread"; keyword: string };

export interface EmailSort {
  by: EmailSortBy;
  ascending: boolean;
  /** RFC 4790; for from, to and subject. (Default: i;unicode-casemap) */
  collation: string | undefined;
}

export interface EmailQuery {
  /** Undefined: all emails of the account. */
  filter: EmailFilter | undefined;
  sort: EmailSort[];
  /** Only the first email of each thread stays in the list. */
  collapseThreads: boolean;
  calculateTotal: boolean;
}

/** Either a position (negative: from the end), or a place relative to an email of the list. */
export type EmailWindow = { position: number; limit: number } | { anchor: number; anchorOffset: number; limit: number };

export interface EmailPage {
  ids: number[];
  position: number;
  total?: number;
}
