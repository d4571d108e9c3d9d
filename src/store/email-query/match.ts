import { sql } from "kysely";
import type { Fragment } from "../core/compose.ts";
import type { TermsAtom } from "./normal.ts";
import { likely, tsquery } from "./sought.ts";

/** What leads to the mails that a condition on words means: a tsquery for those of one row, the others by number. */
export interface Match {
  query: string;
  /** What the index alone tells of them, where that is most of it. */
  likely?: string | undefined;
  longMails: number[];
}

export function matchOf({ sought, longMails = [] }: TermsAtom): Match {
  return { query: tsquery(sought), likely: likely(sought), longMails };
}

/**
 * The same words, named twice, for the index of words alone. The planner takes every rare word for 0.5% of the server's
 * mails, and would read all keys of the account to narrow that down; named twice, they are few (measured at 50,000 mails:
 * 0.4 ms instead of 2.7).
 */
export function asRare({ query, longMails }: Match): Match {
  return { query: `(${query}) & (${query})`, longMails };
}

/**
 * Whether a row of search is of a mail that is meant. A statement with this goes without a name: a plan for all words
 * alike is four times slower.
 */
export function holds(columns: { terms: Fragment; no: Fragment }, { query, longMails }: Match): Fragment {
  const alone = sql`${columns.terms} @@ ${query}::tsquery`;
  return longMails.length === 0 ? alone : sql`(${alone} OR ${columns.no} = ANY (${longMails}::bigint[]))`;
}
