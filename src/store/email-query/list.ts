import { sql } from "kysely";
import { account, type Fragment, join, none } from "../core/compose.ts";
import { toListCondition } from "./condition.ts";
import type { EmailSort } from "./criteria.ts";
import { asRare, holds } from "./match.ts";
import type { Node } from "./normal.ts";
import { idAscending, type OrderKey, orderKeys } from "./order.ts";
import { and, type Choice, chooseDriver, type SearchRows, Source } from "./source.ts";

/** A list of emails with its driver: the table that leads to them, the remaining conditions and the order. */
export interface EmailList {
  /** An email must meet all of them. */
  conditions: Node[];
  sort: EmailSort[];
  choice: Choice;
  /** The driver returns several emails of a thread, of which only the first counts. */
  dropRepeats: boolean;
  /** The mailbox is small: its emails are tested for the words, instead of asking the word index. */
  byPlace: boolean;
}

/** Which date comes first in a list that is sorted by receivedAt alone; undefined for any other sort. */
export function dateOrder(sort: readonly EmailSort[]): "newest" | "oldest" | undefined {
  if (sort.length === 0) return "newest";
  if (sort.length > 1 || sort[0]!.by.kind !== "receivedAt") return undefined;
  return sort[0]!.ascending ? "oldest" : "newest";
}

export function createList(
  conditions: Node[],
  options: { sort: EmailSort[]; collapseThreads: boolean; byPlace?: boolean },
): EmailList {
  const { sort, collapseThreads, byPlace = false } = options;
  const choice = chooseDriver(conditions, { heads: collapseThreads && dateOrder(sort) === "newest", byPlace });
  return { conditions, sort, choice, dropRepeats: collapseThreads && !choice.collapsed, byPlace };
}

/** A statement's FROM and WHERE, and the columns to select from. */
export interface Opened {
  source: Source;
  where: Fragment;
}

export function openList(list: EmailList, rows: SearchRows = {}): Opened {
  const source = new Source(list.choice.driver, rows);
  const conditions = [
    ...source.conditions,
    ...list.choice.rest.map((node) => toListCondition(node, source, list.byPlace)),
  ];
  return { source, where: conditions.length === 0 ? sql`true` : join(conditions, and) };
}

const comma = sql`, `;
const ascends = sql` ASC`;
const descends = sql` DESC`;

/** ORDER BY the keys, then the id; `reverse`: the opposite order. */
export function orderBy(list: EmailList, keys: readonly OrderKey[], id: Fragment, reverse = false): Fragment {
  const parts: Fragment[] = [];
  const add = ({ expression, ascending }: OrderKey) =>
    parts.push(expression, ascending === reverse ? descends : ascends);
  for (const key of keys) {
    add(key);
    parts.push(comma);
  }
  add({ expression: id, ascending: idAscending(list.sort) });
  return join(parts, none);
}

const found = { found: sql`h` };
const given = { terms: sql`s.terms`, no: sql`s.no` };
const id = sql`id`;
const as = sql` AS `;

/**
 * The whole list with the index of each email, as WITH queries that end in `r (id, idx)`. For lists that no database index
 * yields in order: searches beyond their windows, places in collapsed lists, other sorts.
 */
export function withRanks(list: EmailList): Fragment {
  const { driver } = list.choice;
  // Materialized, or the planner would walk the account by date for a rare word.
  const hits =
    driver.kind === "terms"
      ? sql`h AS MATERIALIZED (SELECT s.no, s.received_at FROM search s
          WHERE s.user_id = ${account} AND ${holds(given, asRare(driver.match))}), `
      : none;
  const { source, where } = openList(list, driver.kind === "terms" ? found : {});
  const thread = list.dropRepeats ? sql`, ${source.threadId} AS thread_id` : none;
  const keys = orderKeys(list.sort, source);
  const named = keys.map((key, index) => ({ ...key, expression: sql.raw(`k${index}`) }));
  const columns = keys.flatMap((key, index) => [comma, key.expression, as, named[index]!.expression]);
  const order = orderBy(list, named, id);
  const firsts = list.dropRepeats
    ? sql`, f AS (SELECT *, row_number() OVER (PARTITION BY thread_id ORDER BY ${order}) AS nth FROM x)`
    : none;
  return sql`WITH ${hits}x AS (SELECT ${source.id} AS id${thread}${join(columns, none)} FROM ${source.from}
    WHERE ${where})${firsts},
    r AS MATERIALIZED (SELECT id, (row_number() OVER (ORDER BY ${order}) - 1)::int AS idx
    FROM ${list.dropRepeats ? firstRows : allRows})`;
}

const firstRows = sql`f WHERE nth = 1`;
const allRows = sql`x`;
