import { Kind, typeCodes } from "../change.ts";
import { statement, unprepared } from "../sql.ts";
import type { State } from "../state.ts";
import type { Reader } from "../store.ts";
import { Bindings } from "./bindings.ts";
import type { EmailFilter, EmailQuery } from "./criteria.ts";
import { resolveHeaders } from "./header-filter.ts";
import { createList, dateOrder, type EmailList, openList, withRanks } from "./list.ts";
import { conjuncts, normalise } from "./normal.ts";
import { countList } from "./total.ts";

export interface EmailQueryChanges {
  removed: number[];
  /** In rising order of index. */
  added: { id: number; index: number }[];
  total?: number;
}

/**
 * RFC 8620 §5.6, RFC 8621 §4.5, exact for every filter and sort. Candidates are the emails whose place in the list can
 * have changed: all of them are removed (ids more than needed do no harm), and those in the list now are added.
 */
export async function queryEmailChanges(
  reader: Reader,
  query: EmailQuery,
  request: { since: State; upToId: number | undefined; maxChanges: number | undefined },
): Promise<EmailQueryChanges | "cannotCalculateChanges" | "tooManyChanges"> {
  const { since, maxChanges } = request;
  if (!(await isKnown(reader, since))) return "cannotCalculateChanges";
  const touched = whatMatters(query);
  const candidates = await findCandidates(reader, since.modseq, touched);
  const atMost = maxChanges ?? Number.POSITIVE_INFINITY;
  if (candidates.old.length > atMost) return "tooManyChanges";

  if (candidates.living.length === 0 && !query.calculateTotal) return { removed: candidates.old, added: [] };

  const conditions = conjuncts(await resolveHeaders(reader, normalise(query.filter)));
  const list = conditions && createList(reader.accountId, conditions, query);
  const upToId = touched.kinds === 0 ? request.upToId : undefined;
  const sought = upToId === undefined ? candidates.living : [...candidates.living, upToId];
  const { ranks, total } = list
    ? await findRanks(reader, list, sought, query.calculateTotal)
    : { ranks: [], total: query.calculateTotal ? 0 : undefined };

  const end = ranks.find(({ id }) => id === upToId)?.index ?? Number.POSITIVE_INFINITY;
  const known = new Set(candidates.living);
  const beyond = new Set(ranks.filter(({ index }) => index > end).map(({ id }) => id));
  const removed = candidates.old.filter((id) => !beyond.has(id));
  const added = ranks.filter(({ id }) => known.has(id) && !beyond.has(id));
  if (removed.length + added.length > atMost) return "tooManyChanges";
  return { removed, added, ...(total !== undefined && { total }) };
}

async function isKnown(reader: Reader, { epoch, modseq, id }: State): Promise<boolean> {
  const standing = await reader.standing();
  return (
    id === undefined && epoch === standing.epoch && modseq >= standing.prunedModseq && modseq <= standing.newest.Email
  );
}

interface Touched {
  /** Changes besides creation and destruction that can move an email in the list. */
  kinds: number;
  /** A change of one email can move the others of its thread. */
  threads: boolean;
}

function whatMatters({ filter, sort, collapseThreads }: EmailQuery): Touched {
  const found = new Set([...namesOf(filter), ...sort.map((key) => key.by.kind)]);
  const any = (...names: string[]) => names.some((name) => found.has(name));
  const byThread = any("allInThread", "someInThread", "noneInThread");
  return {
    kinds:
      (any("inMailbox", "inMailboxOtherThan") ? Kind.mailboxes : 0) |
      (byThread || any("hasKeyword", "notKeyword") ? Kind.keywords : 0),
    threads: collapseThreads || byThread,
  };
}

function namesOf(filter: EmailFilter | undefined): string[] {
  if (filter === undefined) return [];
  return "criterion" in filter ? [filter.criterion.kind] : filter.conditions.flatMap(namesOf);
}

const selectChanged = statement<{ id: number; kind: number; thread_id: number | null }>(`
  SELECT id, bit_or(kind) AS kind, max(thread_id) AS thread_id FROM change
  WHERE user_id = $1 AND type = ${typeCodes.Email} AND modseq > $2 AND kind & $3 <> 0
  GROUP BY id`);
const selectOfThreads = statement<{ id: number }>(
  "SELECT id FROM email WHERE user_id = $1 AND thread_id = ANY($2::bigint[])",
);

interface Candidates {
  /** Those that were there at the client's state, destroyed ones included. */
  old: number[];
  living: number[];
}

async function findCandidates(reader: Reader, since: number, { kinds, threads }: Touched): Promise<Candidates> {
  const mask = Kind.created | Kind.destroyed | kinds;
  const changed = await reader.run(selectChanged, [reader.accountId, since, mask]);
  const young = new Set(changed.filter((row) => row.kind & Kind.created).map((row) => row.id));
  const gone = new Set(changed.filter((row) => row.kind & Kind.destroyed).map((row) => row.id));
  const all = new Set(changed.map((row) => row.id));
  if (threads && changed.length > 0) {
    const threadIds = [...new Set(changed.map((row) => row.thread_id).filter((id) => id !== null))];
    for (const row of await reader.run(selectOfThreads, [reader.accountId, threadIds])) all.add(row.id);
  }
  return { old: [...all].filter((id) => !young.has(id)), living: [...all].filter((id) => !gone.has(id)) };
}

interface Ranks {
  ranks: { id: number; index: number }[];
  total: number | undefined;
}

/** Beyond so many, ranking the whole list costs less than counting between them. */
const maxCounted = 500;

async function findRanks(reader: Reader, list: EmailList, ids: number[], withTotal: boolean): Promise<Ranks> {
  const walkable = !list.dropRepeats && dateOrder(list.sort) !== undefined && list.choice.driver.kind !== "terms";
  if (ids.length === 0 || (walkable && ids.length <= maxCounted)) {
    const ranks = ids.length === 0 ? [] : await countRanks(reader, list, ids);
    return { ranks, total: withTotal ? await countList(reader, list) : undefined };
  }
  const bindings = new Bindings(list.accountId);
  const text = `${withRanks(list, bindings)}
    SELECT t.total, r.id, r.idx AS index FROM (SELECT count(*)::int AS total FROM r) t
    LEFT JOIN r ON r.id = ANY (${bindings.add(ids, "bigint[]")}) ORDER BY r.idx`;
  type Row = { total: number; id: number | null; index: number };
  const rows = await reader.run(unprepared<Row>(text), bindings.values);
  const ranks = rows.flatMap(({ id, index }) => (id === null ? [] : [{ id, index }]));
  return { ranks, total: withTotal ? rows[0]!.total : undefined };
}

/** Where emails stand in a list by date: what lies between each and the one before it is counted, in one statement. */
async function countRanks(reader: Reader, list: EmailList, ids: number[]): Promise<Ranks["ranks"]> {
  const { bindings, source, where } = openList(list);
  const newest = dateOrder(list.sort) === "newest";
  const [beyond, within, direction, edge] = newest
    ? ["<", ">=", "DESC", "'infinity'"]
    : [">", "<=", "ASC", "'-infinity'"];
  const place = `(${source.receivedAt}, ${source.id})`;
  const text = `
    WITH x AS MATERIALIZED (SELECT ${source.receivedAt} AS at, ${source.id} AS id FROM ${source.from}
      WHERE ${where} AND ${source.id} = ANY (${bindings.add(ids, "bigint[]")})),
    b AS (SELECT at, id, lag(at) OVER o AS last_at, lag(id) OVER o AS last_id FROM x
      WINDOW o AS (ORDER BY at ${direction}, id ${direction}))
    SELECT b.id, (sum(n.n) OVER (ORDER BY b.at ${direction}, b.id ${direction}) - 1)::int AS index
    FROM b CROSS JOIN LATERAL (SELECT count(*) AS n FROM ${source.from} WHERE ${where}
      AND ${place} ${within} (b.at, b.id) AND ${place} ${beyond} (coalesce(b.last_at, ${edge}), coalesce(b.last_id, 0))) n
    ORDER BY index`;
  return reader.run(unprepared<{ id: number; index: number }>(text), bindings.values);
}
