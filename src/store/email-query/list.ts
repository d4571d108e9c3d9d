import { Bindings } from "./bindings.ts";
import { toListCondition } from "./condition.ts";
import type { EmailSort } from "./criteria.ts";
import { asRare, holds } from "./match.ts";
import type { Node } from "./normal.ts";
import { idAscending, type OrderKey, orderKeys } from "./order.ts";
import { type Choice, chooseDriver, type SearchRows, Source } from "./source.ts";

/** A list of emails that has been thought about: what leads to them, what else they must meet, in what order. */
export interface EmailList {
  accountId: number;
  /** All must hold. */
  conditions: Node[];
  sort: EmailSort[];
  choice: Choice;
  /** Threads show more than once in what the driver finds, and only their first email counts. */
  dropRepeats: boolean;
  /** So few that each one's words are looked at, rather than all mails with these words. */
  byPlace: boolean;
}

/** In order of arrival alone: "newest" first, "oldest" first, or another order. */
export function dateOrder(sort: readonly EmailSort[]): "newest" | "oldest" | undefined {
  if (sort.length === 0) return "newest";
  if (sort.length > 1 || sort[0]!.by.kind !== "receivedAt") return undefined;
  return sort[0]!.ascending ? "oldest" : "newest";
}

export function createList(
  accountId: number,
  conditions: Node[],
  options: { sort: EmailSort[]; collapseThreads: boolean; byPlace?: boolean },
): EmailList {
  const { sort, collapseThreads, byPlace = false } = options;
  const choice = chooseDriver(conditions, { heads: collapseThreads && dateOrder(sort) === "newest", byPlace });
  return { accountId, conditions, sort, choice, dropRepeats: collapseThreads && !choice.collapsed, byPlace };
}

/** A statement's FROM and WHERE, with the columns that its list is made of. */
export interface Opened {
  bindings: Bindings;
  source: Source;
  where: string;
}

interface OpenOptions extends SearchRows {
  bindings?: Bindings;
}

export function openList(list: EmailList, options: OpenOptions = {}): Opened {
  const bindings = options.bindings ?? new Bindings(list.accountId);
  const source = new Source(list.choice.driver, bindings, options);
  const conditions = [
    ...source.conditions,
    ...list.choice.rest.map((node) => toListCondition(node, source, list.byPlace)),
  ];
  return {
    bindings,
    source,
    where: conditions.length === 0 ? "true" : conditions.join(" AND "),
  };
}

/** ORDER BY of keys and the id; `reverse`: from the end. */
export function orderBy(list: EmailList, keys: readonly OrderKey[], id: string, reverse = false): string {
  return [...keys, { expression: id, ascending: idAscending(list.sort) }]
    .map((key) => `${key.expression} ${key.ascending === reverse ? "DESC" : "ASC"}`)
    .join(", ");
}

/**
 * The whole list with every index, as WITH queries that end in `r (id, idx)`. For what cannot be walked: searches
 * beyond their windows, places in collapsed lists, orders that no index has.
 */
export function withRanks(list: EmailList, bindings: Bindings): string {
  const { driver } = list.choice;
  const queries: string[] = [];
  if (driver.kind === "terms") {
    // On its own, or the planner walks the account by date for a rare word.
    const matches = holds({ terms: "s.terms", no: "s.no" }, asRare(driver.match), bindings);
    queries.push(`h AS MATERIALIZED (SELECT s.no, s.received_at FROM search s WHERE s.user_id = $1 AND ${matches})`);
  }
  const { source, where } = openList(list, { bindings, ...(driver.kind === "terms" && { found: "h" }) });
  const keys = orderKeys(list.sort, source);
  const columns = keys.map((key, index) => `, ${key.expression} AS k${index}`).join("");
  const thread = list.dropRepeats ? `, ${source.threadId} AS thread_id` : "";
  queries.push(`x AS (SELECT ${source.id} AS id${thread}${columns} FROM ${source.from} WHERE ${where})`);
  const order = orderBy(
    list,
    keys.map((key, index) => ({ ...key, expression: `k${index}` })),
    "id",
  );
  if (list.dropRepeats) {
    queries.push(`f AS (SELECT *, row_number() OVER (PARTITION BY thread_id ORDER BY ${order}) AS nth FROM x)`);
  }
  queries.push(`r AS MATERIALIZED (SELECT id, (row_number() OVER (ORDER BY ${order}) - 1)::int AS idx
    FROM ${list.dropRepeats ? "f WHERE nth = 1" : "x"})`);
  return `WITH ${queries.join(", ")}`;
}
