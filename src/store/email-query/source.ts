import { sql } from "kysely";
import { account, constant, type Fragment, join, none } from "../core/compose.ts";
import { asRare, holds, type Match, matchOf } from "./match.ts";
import { isLiteral, isTerms, type Literal, type Node } from "./normal.ts";

/**
 * The table that leads to the matching emails, by one of its indexes. Aliases are the same in every statement:
 * em email_mailbox, k email_keyword, e email, s search, m message.
 */
export type Driver =
  | { kind: "mailbox"; mailboxId: number; only: "all" | "head" | "unread" }
  | { kind: "keyword"; keyword: string }
  /** `negated`: the mails that do not match; only within a window. */
  | { kind: "terms"; match: Match; negated?: true }
  | { kind: "email" };

export interface Choice {
  driver: Driver;
  /** The conditions that the driver does not cover. */
  rest: Node[];
  /** The driver returns one email for each thread. */
  collapsed: boolean;
}

/** The condition by which all emails are in one mailbox. */
export function findPlace(conditions: Node[]): { node: Node; mailboxId: number } | undefined {
  for (const node of conditions) {
    if (isLiteral(node) && !node.negated && node.atom.kind === "inMailbox") {
      return { node, mailboxId: node.atom.mailboxId };
    }
  }
  return undefined;
}

/**
 * Chooses the driver of a list whose emails must meet all of `conditions`. `heads`: the newest email of each thread
 * suffices; `byPlace`: the mailbox, even if there are conditions on words or a keyword.
 */
export function chooseDriver(conditions: Node[], options: { heads: boolean; byPlace: boolean }): Choice {
  const without = (...used: Node[]) => conditions.filter((node) => !used.includes(node));
  const named = options.byPlace ? [] : conditions;
  const holds = named.filter((node) => isLiteral(node) && !node.negated) as Literal[];
  const terms = holds.find(isTerms);
  if (terms) {
    return { driver: { kind: "terms", match: matchOf(terms.atom) }, rest: without(terms), collapsed: false };
  }
  const keyword = holds.find(({ atom }) => atom.kind === "hasKeyword" && atom.keyword !== "$seen");
  if (keyword?.atom.kind === "hasKeyword") {
    return { driver: { kind: "keyword", keyword: keyword.atom.keyword }, rest: without(keyword), collapsed: false };
  }
  const place = findPlace(conditions);
  if (!place) return { driver: { kind: "email" }, rest: conditions, collapsed: false };
  const { mailboxId } = place;
  if (conditions.length === 1 && options.heads) {
    return { driver: { kind: "mailbox", mailboxId, only: "head" }, rest: [], collapsed: true };
  }
  const unread = conditions.find(isUnread);
  return unread
    ? { driver: { kind: "mailbox", mailboxId, only: "unread" }, rest: without(place.node, unread), collapsed: false }
    : { driver: { kind: "mailbox", mailboxId, only: "all" }, rest: without(place.node), collapsed: false };
}

export function isUnread(node: Node): boolean {
  return isLiteral(node) && node.negated && node.atom.kind === "hasKeyword" && node.atom.keyword === "$seen";
}

/** Which rows of search a driver of terms reads. (Default: all that match.) */
export interface SearchRows {
  /** The name of a WITH query with the rows that match. */
  found?: Fragment;
  /** Reads the mails received since then, newest first; only the likely matches, if the index can name them. */
  since?: Date;
  /** The caller adds a condition on the date, so the index of dates may be used. */
  isDated?: boolean;
}

export const and = sql` AND `;
/** Made once, by driver: tables, columns and joins do not depend on the query. */
const tables = {
  mailbox: sql`email_mailbox em`,
  keyword: sql`email_keyword k`,
  terms: sql`search s`,
  email: sql`email e`,
};
const ids = { mailbox: sql`em.email_id`, keyword: sql`k.email_id`, email: sql`e.id` };
const dates = {
  mailbox: sql`em.received_at`,
  keyword: sql`k.received_at`,
  terms: sql`s.received_at`,
  email: sql`e.received_at`,
};
const emails = {
  mailbox: sql` JOIN email e ON e.user_id = ${account} AND e.id = em.email_id`,
  keyword: sql` JOIN email e ON e.user_id = ${account} AND e.id = k.email_id`,
  terms: sql` JOIN email e ON e.user_id = ${account} AND e.no = s.no`,
  email: none,
};
const messages = sql` JOIN message m ON m.user_id = ${account} AND m.no = e.no`;
const words = sql` JOIN search s ON s.user_id = ${account} AND s.no = e.no`;
/** Literals, so that the partial indexes apply. */
const parts = { all: none, head: sql` AND em.head`, unread: sql` AND NOT em.seen` };
const all = { email: sql`e.user_id = ${account}`, terms: sql`s.user_id = ${account}` };
const columns = { thread: sql`em.thread_id`, terms: sql`s.terms`, no: sql`s.no` };

/** The driver's table and its own conditions. */
interface Start {
  from: Fragment;
  conditions: Fragment[];
}

/** Builds a FROM clause: each condition or column that is asked for joins the tables it needs. */
export class Source {
  readonly driver: Driver;
  readonly #joined = new Set<"e" | "m" | "s">();
  readonly #base: Fragment;
  readonly conditions: Fragment[];

  constructor(driver: Driver, rows: SearchRows = {}) {
    this.driver = driver;
    const start = driverStart(driver, rows);
    this.#base = start.from;
    this.conditions = start.conditions;
  }

  get id(): Fragment {
    return this.driver.kind === "terms" ? this.email("id") : ids[this.driver.kind];
  }

  get receivedAt(): Fragment {
    return dates[this.driver.kind];
  }

  get threadId(): Fragment {
    return this.driver.kind === "mailbox" ? columns.thread : this.email("thread_id");
  }

  /** A column of email. */
  email(column: string): Fragment {
    if (this.driver.kind !== "email") this.#joined.add("e");
    return constant(`e.${column}`);
  }

  message(column: string): Fragment {
    this.email("no");
    this.#joined.add("m");
    return constant(`m.${column}`);
  }

  /** The terms of the email's message, for drivers other than terms. */
  get terms(): Fragment {
    this.email("no");
    this.#joined.add("s");
    return columns.terms;
  }

  get from(): Fragment {
    const joins = [this.#base];
    if (this.#joined.has("e")) joins.push(emails[this.driver.kind]);
    if (this.#joined.has("m")) joins.push(messages);
    if (this.#joined.has("s")) joins.push(words);
    return join(joins, none);
  }
}

function driverStart(driver: Driver, rows: SearchRows): Start {
  switch (driver.kind) {
    case "mailbox": {
      const { mailboxId, only } = driver;
      const condition = sql`em.user_id = ${account} AND em.mailbox_id = ${mailboxId}::bigint${parts[only]}`;
      return { from: tables.mailbox, conditions: [condition] };
    }
    case "keyword": {
      const condition = sql`k.user_id = ${account} AND k.keyword = ${driver.keyword}::text`;
      return { from: tables.keyword, conditions: [condition] };
    }
    case "terms":
      return searchStart(driver, rows);
    case "email":
      return { from: tables.email, conditions: [all.email] };
  }
}

function searchStart(
  { match, negated }: Extract<Driver, { kind: "terms" }>,
  { found, since, isDated = false }: SearchRows,
): Start {
  if (found !== undefined) return { from: sql`${found} s`, conditions: [] };
  const alone = !negated && !since && !isDated;
  const holding = holds(columns, alone ? asRare(match) : match);
  const matches = negated ? sql`NOT ${holding}` : holding;
  if (since === undefined) return { from: tables.terms, conditions: [all.terms, matches] };
  const named =
    match.likely === undefined || negated ? none : sql` AND ${holds(columns, { ...match, query: match.likely })}`;
  const from = sql`(SELECT s.no, s.received_at, s.terms FROM search s WHERE s.user_id = ${account}
    AND s.received_at >= ${since}::timestamptz${named} ORDER BY s.received_at DESC OFFSET 0) s`;
  return { from, conditions: [matches] };
}
