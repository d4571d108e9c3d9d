import type { Reader } from "../core/store.ts";
import type { Sought } from "./sought.ts";

/** RFC 8621 §4.4.1: one property of a FilterCondition. Keywords are in lower case, ids that exist nowhere match nothing. */
export type Criterion =
  | { kind: "always" }
  | { kind: "never" }
  | { kind: "inMailbox"; mailboxId: number }
  | { kind: "inMailboxOtherThan"; mailboxIds: number[] }
  /** Received before, and at or after. */
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
  | TermsCriterion
  | HeaderCriterion;

/** Words of the search index. */
export interface TermsCriterion {
  kind: "terms";
  /** Its terms are prefixed for this account. Invariant: a mail that holds none of the phrases is never meant. */
  sought: Sought;
  /** Sought are the mails that are not meant. */
  negated: boolean;
}

/** A header field of that name; with `text`, one whose decoded value contains it. */
export interface HeaderCriterion {
  kind: "header";
  name: string;
  text: string | undefined;
  /** A header block that is too large to stand beside its row. */
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
  /** Of RFC 4790, for from, to and subject; undefined: i;unicode-casemap. */
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
