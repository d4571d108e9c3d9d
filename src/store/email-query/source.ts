import type { Bindings } from "./bindings.ts";
import { asRare, holds, type Match, matchOf } from "./match.ts";
import { isLiteral, isTerms, type Literal, type Node } from "./normal.ts";

/**
 * The table that leads to the matching emails, by one of its indexes. Aliases are the same in every statement:
 * em email_mailbox, k email_keyword, e email, s search, m message.
 */
export type Driver =
  | { kind: "mailbox"; mailboxId: number; only: "all" | "head" | "unread" }
  | { kind: "keyword"; keyword: string }
  /** `negated`: the mails that do not match, for a window of them. */
  | { kind: "terms"; match: Match; negated?: true }
  | { kind: "email" };

export interface Choice {
  driver: Driver;
  /** What the driver does not see to. */
  rest: Node[];
  /** The driver shows one email a thread. */
  collapsed: boolean;
}

/** The condition that names the mailbox all emails are in. */
export function findPlace(conditions: Node[]): { node: Node; mailboxId: number } | undefined {
  for (const node of conditions) {
    if (isLiteral(node) && !node.negated && node.atom.kind === "inMailbox") {
      return { node, mailboxId: node.atom.mailboxId };
    }
  }
  return undefined;
}

/**
 * Chooses the driver of a list whose emails must meet all of `conditions`. `heads`: the newest of each thread will do;
 * `byPlace`: by the mailbox, though words or a keyword are named.
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

/** Which rows of search a driver of terms reads: all that match, unless told otherwise. */
export interface SearchRows {
  /** Those of a WITH query of that name, which match. */
  found?: string;
  /** Those received since then, one after the other; what is likely to match, where the index can tell. */
  since?: Date;
  /** The caller bounds them by date: the index of dates helps. */
  isDated?: boolean;
}

/** A FROM clause under way: conditions and columns ask for the tables they need. */
export class Source {
  readonly driver: Driver;
  readonly bindings: Bindings;
  readonly #joined = new Set<"e" | "m" | "s">();
  readonly #base: string;
  readonly conditions: string[];

  constructor(driver: Driver, bindings: Bindings, rows: SearchRows = {}) {
    this.driver = driver;
    this.bindings = bindings;
    const start = driverStart(driver, bindings, rows);
    this.#base = start.from;
    this.conditions = start.conditions;
  }

  get id(): string {
    if (this.driver.kind === "terms") return this.email("id");
    return { mailbox: "em.email_id", keyword: "k.email_id", email: "e.id" }[this.driver.kind];
  }

  get receivedAt(): string {
    return { mailbox: "em", keyword: "k", terms: "s", email: "e" }[this.driver.kind].concat(".received_at");
  }

  get threadId(): string {
    return this.driver.kind === "mailbox" ? "em.thread_id" : this.email("thread_id");
  }

  /** A column of email. */
  email(column: string): string {
    if (this.driver.kind !== "email") this.#joined.add("e");
    return `e.${column}`;
  }

  message(column: string): string {
    this.email("no");
    this.#joined.add("m");
    return `m.${column}`;
  }

  /** The terms of the email's message, where the driver is not terms itself. */
  get terms(): string {
    this.email("no");
    this.#joined.add("s");
    return "s.terms";
  }

  get from(): string {
    const joins = [this.#base];
    if (this.#joined.has("e")) {
      const key = this.driver.kind === "terms" ? "e.no = s.no" : `e.id = ${this.id}`;
      joins.push(`JOIN email e ON e.user_id = $1 AND ${key}`);
    }
    if (this.#joined.has("m")) joins.push("JOIN message m ON m.user_id = $1 AND m.no = e.no");
    if (this.#joined.has("s")) joins.push("JOIN search s ON s.user_id = $1 AND s.no = e.no");
    return joins.join(" ");
  }
}

function driverStart(driver: Driver, bindings: Bindings, rows: SearchRows): { from: string; conditions: string[] } {
  switch (driver.kind) {
    case "mailbox": {
      const conditions = ["em.user_id = $1", `em.mailbox_id = ${bindings.add(driver.mailboxId, "bigint")}`];
      // Literals, so that the partial indexes apply.
      if (driver.only === "head") conditions.push("em.head");
      if (driver.only === "unread") conditions.push("NOT em.seen");
      return { from: "email_mailbox em", conditions };
    }
    case "keyword":
      return {
        from: "email_keyword k",
        conditions: ["k.user_id = $1", `k.keyword = ${bindings.add(driver.keyword, "text")}`],
      };
    case "terms":
      return searchStart(driver, bindings, rows);
    case "email":
      return { from: "email e", conditions: ["e.user_id = $1"] };
  }
}

function searchStart(
  { match, negated }: Extract<Driver, { kind: "terms" }>,
  bindings: Bindings,
  { found, since, isDated = false }: SearchRows,
): { from: string; conditions: string[] } {
  if (found !== undefined) return { from: `${found} s`, conditions: [] };
  const columns = { terms: "s.terms", no: "s.no" };
  const alone = !negated && !since && !isDated;
  const holding = holds(columns, alone ? asRare(match) : match, bindings);
  const matches = `${negated ? "NOT " : ""}${holding}`;
  if (since === undefined) return { from: "search s", conditions: ["s.user_id = $1", matches] };
  const named =
    match.likely === undefined || negated ? "" : ` AND ${holds(columns, { ...match, query: match.likely }, bindings)}`;
  const from = `(SELECT s.no, s.received_at, s.terms FROM search s WHERE s.user_id = $1
    AND s.received_at >= ${bindings.add(since, "timestamptz")}${named} ORDER BY s.received_at DESC OFFSET 0) s`;
  return { from, conditions: [matches] };
}
