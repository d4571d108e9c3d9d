import { type Statement, statement, unprepared } from "../core/sql.ts";
import type { Reader } from "../core/store.ts";
import { Bindings } from "./bindings.ts";
import type { EmailPage } from "./criteria.ts";
import { createList, dateOrder, type EmailList, openList, orderBy, withRanks } from "./list.ts";
import { orderKeys } from "./order.ts";
import type { Asked, Known, Plan, Start } from "./plan.ts";
import { searchNewest } from "./search-windows.ts";
import { findPlace } from "./source.ts";
import { countList, totalQuery } from "./total.ts";

type Outcome = { page: EmailPage | "anchorNotFound" } | { learnt: Known };

/** Does what a plan says: finds the page, or something to choose the next plan by. */
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

/** A page, with its total where that is wanted and did not come along. */
async function finish(reader: Reader, list: EmailList, { calculateTotal }: Asked, page: EmailPage): Promise<Outcome> {
  if (!calculateTotal || page.total !== undefined) return { page };
  return { page: { ...page, total: await countList(reader, list) } };
}

/** All emails of the mailbox that the filter names. */
function placeOf({ accountId, conditions }: EmailList): EmailList {
  return createList(accountId, [findPlace(conditions)!.node], { sort: [], collapseThreads: false });
}

function listByPlace({ accountId, conditions, sort, dropRepeats }: EmailList): EmailList {
  return createList(accountId, conditions, { sort, collapseThreads: dropRepeats, byPlace: true });
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

/** Texts of lists without further conditions are few: they are planned once and kept. */
const prepared = new Map<string, Statement<WalkRow>>();

function walkStatement(list: EmailList, text: string): Statement<WalkRow> {
  if (list.choice.rest.length > 0 || list.choice.driver.kind !== "mailbox" || dateOrder(list.sort) === undefined) {
    return unprepared<WalkRow>(text);
  }
  let known = prepared.get(text);
  if (!known) {
    known = statement<WalkRow>(text);
    prepared.set(text, known);
  }
  return known;
}

/** Rows of the list in its order, repeats included; the total rides along, so that without a row there is none. */
async function walk(reader: Reader, list: EmailList, options: WalkOptions): Promise<WalkRow[]> {
  const { bindings, source, where } = openList(list);
  const keys = orderKeys(list.sort, source);
  const columns = [`${source.id} AS id`];
  if (options.thread) columns.push(`${source.threadId} AS thread_id`);
  if (options.total) columns.push(`${totalQuery(list, bindings)} AS total`);
  const text = `SELECT ${columns.join(", ")} FROM ${source.from} WHERE ${where}
    ORDER BY ${orderBy(list, keys, source.id, options.reverse)}
    OFFSET ${bindings.add(options.offset, "bigint")} LIMIT ${bindings.add(options.limit, "bigint")}`;
  return reader.run(walkStatement(list, text), bindings.values);
}

function idsOf(rows: readonly WalkRow[]): { ids: number[]; total?: number } {
  const total = rows[0]?.total;
  return { ids: rows.map((row) => row.id), ...(total !== undefined && { total }) };
}

/** Reads more than asked for, twice as much each time that does not do. */
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

/** The index of an email in a list by date without repeats, counted. */
async function indexOf(reader: Reader, list: EmailList, id: number): Promise<number | undefined> {
  const { bindings, source, where } = openList(list);
  const before = dateOrder(list.sort) === "newest" ? ">" : "<";
  const own = `SELECT ${source.receivedAt} AS at, ${source.id} AS id FROM ${source.from}
    WHERE ${where} AND ${source.id} = ${bindings.add(id, "bigint")}`;
  const text = `SELECT n.n FROM (${own}) a CROSS JOIN LATERAL (SELECT count(*)::int AS n FROM ${source.from}
    WHERE ${where} AND (${source.receivedAt}, ${source.id}) ${before} (a.at, a.id)) n`;
  const [row] = await reader.run(unprepared<{ n: number }>(text), bindings.values);
  return row?.n;
}

/** A window of the whole list. */
async function rankedPage(
  reader: Reader,
  list: EmailList,
  start: Start,
  { window: { limit }, calculateTotal }: Asked,
): Promise<EmailPage | "anchorNotFound"> {
  const bindings = new Bindings(list.accountId);
  const text = `${withRanks(list, bindings)}
    SELECT t.total, t.start, p.id
    FROM (SELECT count(*)::int AS total, (${startOf(start, bindings)})::int AS start FROM r) t
    LEFT JOIN r p ON p.idx >= t.start AND p.idx < t.start + ${bindings.add(limit, "bigint")}
    ORDER BY p.idx`;
  type Row = { total: number; start: number | null; id: number | null };
  const rows = await reader.run(unprepared<Row>(text), bindings.values);
  const { total, start: position } = rows[0]!;
  if (position === null) return "anchorNotFound";
  const ids = rows.map((row) => row.id).filter((id) => id !== null);
  return { ids, position, ...(calculateTotal && { total }) };
}

/** An expression over the rows `r (id, idx)` of the list, null where there is no such place. */
function startOf(start: Start, bindings: Bindings): string {
  if ("position" in start) return bindings.add(start.position, "int");
  if ("fromEnd" in start) return `greatest(count(*) + ${bindings.add(start.fromEnd, "int")}, 0)`;
  const place = `max(idx) FILTER (WHERE id = ${bindings.add(start.anchor, "bigint")})`;
  return `CASE WHEN ${place} IS NOT NULL THEN greatest(${place} + ${bindings.add(start.offset, "int")}, 0) END`;
}
