import { sql } from "kysely";
import { Kind, typeCodes } from "../core/change.ts";
import { ask } from "../core/compose.ts";
import { read } from "../core/declare.ts";
import { encodeState, type Standing, type State } from "../core/state.ts";
import type { Reader } from "../core/store.ts";
import type { EmailFilter, EmailQuery } from "./criteria.ts";
import { resolveHeaders } from "./header-filter.ts";
import { createList, dateOrder, type EmailList, openList, withRanks } from "./list.ts";
import { resolveLongMails } from "./long-mails.ts";
import { conjuncts, normalise } from "./normal.ts";
import { isCountable } from "./plan.ts";
import { countList } from "./total.ts";

export interface EmailQueryChanges {
  removed: number[];
  /** In rising order of index. */
  added: { id: number; index: number }[];
  total?: number;
}

/**
 * RFC 8620 §5.6, RFC 8621 §4.5, exact for every filter and sort. Candidates are the emails whose place in the list may
 * have changed: all of them are reported as removed (extra ids are allowed), and those in the list now as added.
 */
export async function queryEmailChanges(
  reader: Reader,
  query: EmailQuery,
  request: { since: State; upToId: number | undefined; maxChanges: number | undefined },
): Promise<EmailQueryChanges | "cannotCalculateChanges" | "tooManyChanges"> {
  const { since, maxChanges } = request;
  if (!(await isKnown(reader, since, query.filter))) return "cannotCalculateChanges";
  const touched = whatMatters(query);
  const upToId = touched.kinds === 0 ? request.upToId : undefined;
  const { old, living, past } = await findCandidates(reader, since.modseq, touched, upToId);
  const atMost = maxChanges ?? Number.POSITIVE_INFINITY;
  if (old.length - past.size > atMost) return "tooManyChanges";

  if (living.length === 0 && past.size === 0 && !query.calculateTotal) return { removed: old, added: [] };

  const filter = await resolveLongMails(reader, normalise(query.filter));
  const conditions = conjuncts(await resolveHeaders(reader, filter));
  const list = conditions && createList(conditions, query);
  const sought = upToId === undefined ? living : [...living, upToId];
  const { ranks, total } = list
    ? await findRanks(reader, list, sought, query.calculateTotal)
    : { ranks: [], total: query.calculateTotal ? 0 : undefined };

  const end = ranks.find(({ id }) => id === upToId)?.index ?? Number.POSITIVE_INFINITY;
  const known = new Set(living);
  const places = new Map(ranks.map(({ id, index }) => [id, index]));
  // An email that left the list has no rank: its date says where it stood.
  const isBeyond = (id: number) => (places.get(id) ?? (past.has(id) ? Number.POSITIVE_INFINITY : 0)) > end;
  const removed = old.filter((id) => !isBeyond(id));
  const added = ranks.filter(({ id }) => known.has(id) && !isBeyond(id));
  if (removed.length + added.length > atMost) return "tooManyChanges";
  return { removed, added, ...(total !== undefined && { total }) };
}

/**
 * RFC 8620 §5.5: the queryState. Reindexing old messages may also change the results of a search, although it changes no
 * email.
 */
export async function emailQueryState(reader: Reader, filter: EmailFilter | undefined): Promise<string> {
  const standing = await reader.standing();
  return encodeState({ epoch: standing.epoch, modseq: newestOf(standing, filter) });
}

const isSearch = (filter: EmailFilter | undefined) => namesOf(filter).includes("terms");

function newestOf({ newest, reindexedModseq }: Standing, filter: EmailFilter | undefined): number {
  return isSearch(filter) ? Math.max(newest.Email, reindexedModseq) : newest.Email;
}

async function isKnown(reader: Reader, since: State, filter: EmailFilter | undefined): Promise<boolean> {
  const standing = await reader.standing();
  const { prunedModseq, reindexedModseq } = standing;
  const oldest = isSearch(filter) ? Math.max(prunedModseq, reindexedModseq) : prunedModseq;
  const { epoch, modseq, id } = since;
  return id === undefined && epoch === standing.epoch && modseq >= oldest && modseq <= newestOf(standing, filter);
}

interface Touched {
  /** Changes besides creation and destruction that can move an email in the list. */
  kinds: number;
  /** A change of one email can move the others of its thread. */
  threads: boolean;
  /** The direction of a list that is sorted by date alone. */
  order: "newest" | "oldest" | undefined;
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
    order: dateOrder(sort),
  };
}

function namesOf(filter: EmailFilter | undefined): string[] {
  if (filter === undefined) return [];
  return "criterion" in filter ? [filter.criterion.kind] : filter.conditions.flatMap(namesOf);
}

/** Whether an email is older than upToId; null if unknown. In the change log only destroyed emails have a date. */
const older = ($: Edge) =>
  sql`(received_at, id) < (SELECT u.received_at, u.id FROM email u WHERE u.user_id = ${$.accountId} AND u.id = ${$.upToId})`;
interface Edge {
  accountId: number;
  upToId: number | null;
}
const selectChanged = read(
  "emailQuery.changed",
  (_, $: Edge & { since: number; mask: number }) => sql<{
    id: number;
    kind: number;
    threadId: number | null;
    older: boolean | null;
  }>`
  SELECT id, bit_or(kind) AS kind, max(thread_id) AS "threadId", bool_or(${older($)}) AS older FROM change
  WHERE user_id = ${$.accountId} AND type = ${sql.lit(typeCodes.Email)} AND modseq > ${$.since} AND kind & ${$.mask} <> 0
  GROUP BY id`,
);
const selectOfThreads = read(
  "emailQuery.ofThreads",
  (_, $: Edge & { threadIds: number[] }) => sql<{ id: number; older: boolean | null }>`
  SELECT id, ${older($)} AS older FROM email WHERE user_id = ${$.accountId} AND thread_id = ANY(${$.threadIds}::bigint[])`,
);

interface Candidates {
  /** Those that existed at the client's state, including those destroyed since. */
  old: number[];
  living: number[];
  /** The old ones that stood after upToId by date, and upToId itself. */
  past: Set<number>;
}

async function findCandidates(
  reader: Reader,
  since: number,
  { kinds, threads, order }: Touched,
  upToId: number | undefined,
): Promise<Candidates> {
  const mask = Kind.created | Kind.destroyed | kinds;
  const edge = { accountId: reader.accountId, upToId: order && upToId !== undefined ? upToId : null };
  const changed = await reader.run(selectChanged, { ...edge, since, mask });
  const young = new Set(changed.filter((row) => row.kind & Kind.created).map((row) => row.id));
  const gone = new Set(changed.filter((row) => row.kind & Kind.destroyed).map((row) => row.id));
  const all = new Map(changed.map((row) => [row.id, row.older]));
  if (threads && changed.length > 0) {
    const threadIds = [...new Set(changed.map((row) => row.threadId).filter((id) => id !== null))];
    const ofThreads = await reader.run(selectOfThreads, { ...edge, threadIds });
    for (const row of ofThreads) all.set(row.id, row.older);
  }
  const ids = [...all.keys()];
  const old = ids.filter((id) => !young.has(id));
  const past = new Set(old.filter((id) => all.get(id) === (order === "newest")));
  return { old, living: ids.filter((id) => !gone.has(id)), past };
}

interface Ranks {
  ranks: { id: number; index: number }[];
  total: number | undefined;
}

/** For more emails than this, ranking the whole list costs less than counting between them. */
const maxCounted = 500;

async function findRanks(reader: Reader, list: EmailList, ids: number[], withTotal: boolean): Promise<Ranks> {
  if (ids.length === 0 || (isCountable(list) && ids.length <= maxCounted)) {
    const ranks = ids.length === 0 ? [] : await countRanks(reader, list, ids);
    return { ranks, total: withTotal ? await countList(reader, list) : undefined };
  }
  const query = sql<{ total: number; id: number | null; index: number }>`${withRanks(list)}
    SELECT t.total, r.id, r.idx AS index FROM (SELECT count(*)::int AS total FROM r) t
    LEFT JOIN r ON r.id = ANY (${ids}::bigint[]) ORDER BY r.idx`;
  const rows = await ask(reader, query);
  const ranks = rows.flatMap(({ id, index }) => (id === null ? [] : [{ id, index }]));
  return { ranks, total: withTotal ? rows[0]!.total : undefined };
}

/** The indexes of emails in a list by date, from one statement that counts the emails between neighbours. */
async function countRanks(reader: Reader, list: EmailList, ids: number[]): Promise<Ranks["ranks"]> {
  const { source, where } = openList(list);
  const newest = dateOrder(list.sort) === "newest";
  const [beyond, within, direction, edge] = newest
    ? [sql`<`, sql`>=`, sql`DESC`, sql`'infinity'`]
    : [sql`>`, sql`<=`, sql`ASC`, sql`'-infinity'`];
  const place = sql`(${source.receivedAt}, ${source.id})`;
  const query = sql<{ id: number; index: number }>`
    WITH x AS MATERIALIZED (SELECT ${source.receivedAt} AS at, ${source.id} AS id FROM ${source.from}
      WHERE ${where} AND ${source.id} = ANY (${ids}::bigint[])),
    b AS (SELECT at, id, lag(at) OVER o AS last_at, lag(id) OVER o AS last_id FROM x
      WINDOW o AS (ORDER BY at ${direction}, id ${direction}))
    SELECT b.id, (sum(n.n) OVER (ORDER BY b.at ${direction}, b.id ${direction}) - 1)::int AS index
    FROM b CROSS JOIN LATERAL (SELECT count(*) AS n FROM ${source.from} WHERE ${where}
      AND ${place} ${within} (b.at, b.id) AND ${place} ${beyond} (coalesce(b.last_at, ${edge}), coalesce(b.last_id, 0))) n
    ORDER BY index`;
  return ask(reader, query);
}
