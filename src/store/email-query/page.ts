import { type Statement, statement, unprepared } from "../core/sql.ts";
import type { Reader } from "../core/store.ts";
import { Bindings } from "./bindings.ts";
import type { EmailPage, EmailQuery, EmailWindow } from "./criteria.ts";
import { resolveHeaders } from "./header-filter.ts";
import { createList, dateOrder, type EmailList, openList, orderBy, withRanks } from "./list.ts";
import { withLongMails } from "./long-mails.ts";
import { conjuncts, isTerms, normalise } from "./normal.ts";
import { orderKeys } from "./order.ts";
import { searchNewest } from "./search-windows.ts";
import { findPlace } from "./source.ts";
import { countList, hasKeptTotal, totalQuery } from "./total.ts";

/** No list is longer; the database computes places in 32 bits. */
const maxPlace = 1_000_000_000;
const clip = (place: number) => Math.max(Math.min(place, maxPlace), -maxPlace);

/** RFC 8620 §5.5, RFC 8621 §4.4: a window of a list of emails. */
export async function queryEmails(
  reader: Reader,
  query: EmailQuery,
  wanted: EmailWindow,
): Promise<EmailPage | "anchorNotFound"> {
  const window =
    "anchor" in wanted
      ? { ...wanted, anchorOffset: clip(wanted.anchorOffset) }
      : { ...wanted, position: clip(wanted.position) };
  const conditions = conjuncts(await resolveHeaders(reader, normalise(query.filter)));
  if (conditions === undefined) {
    if ("anchor" in window) return "anchorNotFound";
    return { ids: [], position: Math.max(window.position, 0), ...(query.calculateTotal && { total: 0 }) };
  }
  const list = createList(reader.accountId, conditions, query);
  if ("anchor" in window) return pageAtAnchor(reader, await withLongMails(reader, list), query, window);
  if (window.position < 0) return pageFromEnd(reader, await withLongMails(reader, list), query, window);
  return pageAt(reader, list, window.position, window.limit, query.calculateTotal);
}

async function pageAtAnchor(
  reader: Reader,
  list: EmailList,
  { calculateTotal }: EmailQuery,
  { anchor, anchorOffset, limit }: { anchor: number; anchorOffset: number; limit: number },
): Promise<EmailPage | "anchorNotFound"> {
  if (list.dropRepeats || dateOrder(list.sort) === undefined || list.choice.driver.kind === "terms") {
    return rankedPage(reader, list, limit, calculateTotal, (bindings) => {
      const place = `max(idx) FILTER (WHERE id = ${bindings.add(anchor, "bigint")})`;
      return `CASE WHEN ${place} IS NOT NULL THEN greatest(${place} + ${bindings.add(anchorOffset, "int")}, 0) END`;
    });
  }
  const index = await indexOf(reader, list, anchor);
  if (index === undefined) return "anchorNotFound";
  return pageAt(reader, list, Math.max(index + anchorOffset, 0), limit, calculateTotal);
}

async function pageFromEnd(
  reader: Reader,
  list: EmailList,
  { calculateTotal }: EmailQuery,
  { position, limit }: { position: number; limit: number },
): Promise<EmailPage | "anchorNotFound"> {
  if (!hasKeptTotal(list)) {
    return rankedPage(
      reader,
      list,
      limit,
      calculateTotal,
      (bindings) => `greatest(count(*) + ${bindings.add(position, "int")}, 0)`,
    );
  }
  const total = await countList(reader, list);
  const start = Math.max(total + position, 0);
  if (list.dropRepeats || start < total / 2) return pageAt(reader, list, start, limit, calculateTotal);
  const ids = await walkBack(reader, list, total, start, limit);
  return { ids, position: start, ...(calculateTotal && { total }) };
}

async function pageAt(
  reader: Reader,
  wanted: EmailList,
  position: number,
  limit: number,
  calculateTotal: boolean,
): Promise<EmailPage | "anchorNotFound"> {
  // A total takes all long mails; a window looks at its own.
  const sought = calculateTotal ? await withLongMails(reader, wanted) : wanted;
  if (limit === 0) {
    return { ids: [], position, ...(calculateTotal && { total: await countList(reader, sought) }) };
  }
  const found = isWindowed(sought, calculateTotal) ? await searchNewest(reader, sought, position + limit) : undefined;
  if (found) {
    const ids = found.slice(position, position + limit);
    return { ids, position, ...(calculateTotal && { total: await countList(reader, sought) }) };
  }
  const list = await withLongMails(reader, sought);
  if (list.choice.driver.kind === "terms") {
    const ranked = (await isSmallPlace(reader, list)) ? listByPlace(list) : list;
    return rankedPage(reader, ranked, limit, calculateTotal, (bindings) => bindings.add(position, "int"));
  }
  const { ids, total } = list.dropRepeats
    ? await walkThreads(reader, list, position, limit, calculateTotal)
    : await walk(reader, list, { offset: position, limit, thread: false, total: calculateTotal });
  if (!calculateTotal) return { ids: ids.map((row) => row.id), position };
  return { ids: ids.map((row) => row.id), position, total: total ?? (await countList(reader, list)) };
}

/**
 * Whether words are to be sought in the newest mails first. A total that takes all matching emails to know has the page
 * with it; matches alone are counted by the index.
 */
function isWindowed({ choice, dropRepeats, sort }: EmailList, calculateTotal: boolean): boolean {
  const byTerms = choice.driver.kind === "terms";
  if (dateOrder(sort) !== "newest" || !(byTerms || choice.rest.some(isTerms))) return false;
  return !calculateTotal || (!dropRepeats && (!byTerms || choice.rest.length === 0));
}

/** Reading one mail's words costs as much as ten matches of the index. */
const smallPlace = 300;

/** A search in a mailbox of few emails had better look at these. */
async function isSmallPlace(reader: Reader, { accountId, conditions }: EmailList): Promise<boolean> {
  const place = findPlace(conditions);
  if (!place) return false;
  const all = createList(accountId, [place.node], { sort: [], collapseThreads: false });
  return (await countList(reader, all)) <= smallPlace;
}

function listByPlace({ accountId, conditions, sort, dropRepeats }: EmailList): EmailList {
  return createList(accountId, conditions, { sort, collapseThreads: dropRepeats, byPlace: true });
}

interface WalkRow {
  id: number;
  thread_id: number;
  total?: number;
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

/** Rows of the list in its order, repeats included; the total rides along, unless there is no row. */
async function walk(
  reader: Reader,
  list: EmailList,
  options: { offset: number; limit: number; thread: boolean; total: boolean; reverse?: boolean },
): Promise<{ ids: WalkRow[]; total?: number }> {
  const { bindings, source, where } = openList(list);
  const keys = orderKeys(list.sort, source);
  const columns = [`${source.id} AS id`];
  if (options.thread) columns.push(`${source.threadId} AS thread_id`);
  if (options.total) columns.push(`${totalQuery(list, bindings)} AS total`);
  const text = `SELECT ${columns.join(", ")} FROM ${source.from} WHERE ${where}
    ORDER BY ${orderBy(list, keys, source.id, options.reverse)}
    OFFSET ${bindings.add(options.offset, "bigint")} LIMIT ${bindings.add(options.limit, "bigint")}`;
  const ids = await reader.run(walkStatement(list, text), bindings.values);
  return ids[0]?.total === undefined ? { ids } : { ids, total: ids[0].total };
}

/** Each thread at its first email. Reads more than asked for, twice as much each time that does not do. */
async function walkThreads(
  reader: Reader,
  list: EmailList,
  position: number,
  limit: number,
  withTotal: boolean,
): Promise<{ ids: WalkRow[]; total?: number }> {
  const firsts = new Map<number, WalkRow>();
  let total: number | undefined;
  let offset = 0;
  for (let size = Math.ceil((position + limit) * 1.5) + 16; ; size *= 2) {
    const rows = await walk(reader, list, {
      offset,
      limit: size,
      thread: true,
      total: withTotal && offset === 0,
    });
    total ??= rows.total;
    for (const row of rows.ids) if (!firsts.has(row.thread_id)) firsts.set(row.thread_id, row);
    offset += size;
    if (firsts.size >= position + limit || rows.ids.length < size) break;
  }
  const ids = [...firsts.values()].slice(position, position + limit);
  return total === undefined ? { ids } : { ids, total };
}

/** A window nearer to the end, walked from there. */
async function walkBack(
  reader: Reader,
  list: EmailList,
  total: number,
  start: number,
  limit: number,
): Promise<number[]> {
  const end = Math.min(start + limit, total);
  if (end <= start) return [];
  const { ids } = await walk(reader, list, {
    offset: total - end,
    limit: end - start,
    thread: false,
    total: false,
    reverse: true,
  });
  return ids.map((row) => row.id).reverse();
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

/** A window of the whole list; `start` is an expression over its rows `r (id, idx)`, null where there is no place. */
async function rankedPage(
  reader: Reader,
  list: EmailList,
  limit: number,
  calculateTotal: boolean,
  start: (bindings: Bindings) => string,
): Promise<EmailPage | "anchorNotFound"> {
  const bindings = new Bindings(list.accountId);
  const text = `${withRanks(list, bindings)}
    SELECT t.total, t.start, p.id
    FROM (SELECT count(*)::int AS total, (${start(bindings)})::int AS start FROM r) t
    LEFT JOIN r p ON p.idx >= t.start AND p.idx < t.start + ${bindings.add(limit, "bigint")}
    ORDER BY p.idx`;
  type Row = { total: number; start: number | null; id: number | null };
  const rows = await reader.run(unprepared<Row>(text), bindings.values);
  const { total, start: position } = rows[0]!;
  if (position === null) return "anchorNotFound";
  const ids = rows.map((row) => row.id).filter((id) => id !== null);
  return { ids, position, ...(calculateTotal && { total }) };
}
