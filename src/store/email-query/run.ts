import { sql } from "kysely";
import { ask, type Fragment, none } from "../core/compose.ts";
import type { Reader } from "../core/store.ts";
import type { EmailPage } from "./criteria.ts";
import { createList, dateOrder, type EmailList, openList, orderBy, withRanks } from "./list.ts";
import { orderKeys } from "./order.ts";
import type { Asked, Known, Plan, Start } from "./plan.ts";
import { searchNewest } from "./search-windows.ts";
import { findPlace } from "./source.ts";
import { countList, totalQuery } from "./total.ts";

type Outcome = { page: EmailPage | "anchorNotFound" } | { learnt: Known };

/** Executes a plan: returns the page, or a fact to choose the next plan by. */
export async function run(reader: Reader, list: EmailList, plan: Plan, asked: Asked): Promise<Outcome> {
  const { limit } = asked.window;
  switch (plan.kind) {
    case "count":
      return finish(reader, list, asked, { ids: [], position: plan.position });
    case "walk": {
      const options = { offset: plan.position, limit, total: asked.calculateTotal };
      return finish(reader, list, asked, { position: plan.position, ...idsOf(await walk(reader, list, options)) });
    }
    case "walkThreads":
      return finish(reader, list, asked, await walkThreads(reader, list, plan.position, asked));
    case "walkBack": {
      const { position, total } = plan;
      const ids = await walkBack(reader, list, plan, limit);
      return { page: { ids, position, ...(asked.calculateTotal && { total }) } };
    }
    case "windows": {
      const { position } = plan;
      const found = await searchNewest(reader, list, position + limit);
      if (found === undefined) return { learnt: { windowsAreShort: true } };
      return finish(reader, list, asked, { ids: found.slice(position, position + limit), position });
    }
    case "rank":
      return { page: await rankedPage(reader, plan.byPlace ? listByPlace(list) : list, plan.start, asked) };
    case "findAnchor": {
      const index = await indexOf(reader, list, plan.anchor);
      return index === undefined ? { page: "anchorNotFound" } : { learnt: { index } };
    }
    case "readTotal":
      return { learnt: { total: await countList(reader, list) } };
    case "measurePlace":
      return { learnt: { inPlace: await countList(reader, placeOf(list)) } };
  }
}

/** Adds the total to a page if it is wanted and was not read with it. */
async function finish(reader: Reader, list: EmailList, { calculateTotal }: Asked, page: EmailPage): Promise<Outcome> {
  if (!calculateTotal || page.total !== undefined) return { page };
  return { page: { ...page, total: await countList(reader, list) } };
}

/** The list of all emails in the mailbox that the filter names. */
function placeOf({ conditions }: EmailList): EmailList {
  return createList([findPlace(conditions)!.node], { sort: [], collapseThreads: false });
}

function listByPlace({ conditions, sort, dropRepeats }: EmailList): EmailList {
  return createList(conditions, { sort, collapseThreads: dropRepeats, byPlace: true });
}

interface WalkRow {
  id: number;
  thread_id: number;
  total?: number;
}

interface WalkOptions {
  offset: number;
  limit: number;
  thread?: boolean;
  total?: boolean;
  reverse?: boolean;
}

/** Lists of a mailbox without further conditions have few texts, so they become prepared statements. */
function walkName({ choice, sort }: EmailList): string | undefined {
  const isKept = choice.rest.length === 0 && choice.driver.kind === "mailbox" && dateOrder(sort) !== undefined;
  return isKept ? "emailQuery.walk" : undefined;
}

/** Rows of the list in order, including repeats. The total is a column, so without rows there is none. */
async function walk(reader: Reader, list: EmailList, options: WalkOptions): Promise<WalkRow[]> {
  const { source, where } = openList(list);
  const keys = orderKeys(list.sort, source);
  const thread = options.thread ? sql`, ${source.threadId} AS thread_id` : none;
  const total = options.total ? sql`, ${totalQuery(list)} AS total` : none;
  const query = sql<WalkRow>`SELECT ${source.id} AS id${thread}${total} FROM ${source.from} WHERE ${where}
    ORDER BY ${orderBy(list, keys, source.id, options.reverse)}
    OFFSET ${options.offset}::bigint LIMIT ${options.limit}::bigint`;
  return ask(reader, query, walkName(list));
}

function idsOf(rows: readonly WalkRow[]): { ids: number[]; total?: number } {
  const total = rows[0]?.total;
  return { ids: rows.map((row) => row.id), ...(total !== undefined && { total }) };
}

/** Reads more rows than asked for, doubling the number until there are enough threads. */
async function walkThreads(
  reader: Reader,
  list: EmailList,
  position: number,
  { window: { limit }, calculateTotal }: Asked,
): Promise<EmailPage> {
  const firsts = new Map<number, WalkRow>();
  let offset = 0;
  for (let size = Math.ceil((position + limit) * 1.5) + 16; ; size *= 2) {
    const total = calculateTotal && offset === 0;
    const rows = await walk(reader, list, { offset, limit: size, thread: true, total });
    for (const row of rows) if (!firsts.has(row.thread_id)) firsts.set(row.thread_id, row);
    offset += size;
    if (firsts.size >= position + limit || rows.length < size) break;
  }
  const all = [...firsts.values()];
  const { total } = idsOf(all);
  const { ids } = idsOf(all.slice(position, position + limit));
  return { ids, position, ...(total !== undefined && { total }) };
}

async function walkBack(
  reader: Reader,
  list: EmailList,
  { position, total }: { position: number; total: number },
  limit: number,
): Promise<number[]> {
  const end = Math.min(position + limit, total);
  if (end <= position) return [];
  const rows = await walk(reader, list, { offset: total - end, limit: end - position, reverse: true });
  return rows.map((row) => row.id).reverse();
}

/** The index of an email in a list by date without repeats: the number of emails before it. */
async function indexOf(reader: Reader, list: EmailList, id: number): Promise<number | undefined> {
  const { source, where } = openList(list);
  const before = dateOrder(list.sort) === "newest" ? sql`>` : sql`<`;
  const own = sql`SELECT ${source.receivedAt} AS at, ${source.id} AS id FROM ${source.from}
    WHERE ${where} AND ${source.id} = ${id}::bigint`;
  const query = sql<{
    n: number;
  }>`SELECT n.n FROM (${own}) a CROSS JOIN LATERAL (SELECT count(*)::int AS n FROM ${source.from}
    WHERE ${where} AND (${source.receivedAt}, ${source.id}) ${before} (a.at, a.id)) n`;
  const [row] = await ask(reader, query);
  return row?.n;
}

/** A page of a list whose emails are all numbered. */
async function rankedPage(
  reader: Reader,
  list: EmailList,
  start: Start,
  { window: { limit }, calculateTotal }: Asked,
): Promise<EmailPage | "anchorNotFound"> {
  const query = sql<{ total: number; start: number | null; id: number | null }>`${withRanks(list)}
    SELECT t.total, t.start, p.id
    FROM (SELECT count(*)::int AS total, (${startOf(start)})::int AS start FROM r) t
    LEFT JOIN r p ON p.idx >= t.start AND p.idx < t.start + ${limit}::bigint
    ORDER BY p.idx`;
  const rows = await ask(reader, query);
  const { total, start: position } = rows[0]!;
  if (position === null) return "anchorNotFound";
  const ids = rows.map((row) => row.id).filter((id) => id !== null);
  return { ids, position, ...(calculateTotal && { total }) };
}

/** The first index of the page, over the rows `r (id, idx)` of the list; null if the anchor is not there. */
function startOf(start: Start): Fragment {
  if ("position" in start) return sql`${start.position}::int`;
  if ("fromEnd" in start) return sql`greatest(count(*) + ${start.fromEnd}::int, 0)`;
  const place = sql`max(idx) FILTER (WHERE id = ${start.anchor}::bigint)`;
  return sql`CASE WHEN ${place} IS NOT NULL THEN greatest(${place} + ${start.offset}::int, 0) END`;
}
