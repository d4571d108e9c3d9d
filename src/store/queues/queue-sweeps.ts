import { sql } from "kysely";
import type { Log } from "../../base/log.ts";
import type { Database } from "../core/database.ts";
import { across, type Row, read, unnamed } from "../core/declare.ts";
import { everywhere, readEverywhere } from "../core/everywhere.ts";

const workers = [
  across("workers process the mail of all accounts"),
  unnamed("usually almost nothing is due, after a downtime nearly everything"),
];

const incomingHolders = read(
  "incoming.holders",
  (db) => db.selectFrom("incoming").select("leasedBy as holder").distinct(),
  ...workers,
);
const incomingDue = read(
  "incoming.due",
  (db, $: { now: Date; gone: readonly string[]; limit: number }) =>
    db
      .selectFrom("incoming")
      .select("id")
      .where((eb) => eb.or([eb("leasedUntil", "<=", $.now), eb("leasedBy", "in", $.gone)]))
      .orderBy("leasedUntil")
      .limit($.limit),
  ...workers,
);

export async function incomingLeaseHolders(database: Database): Promise<string[]> {
  return (await database.run(incomingHolders)).map((row) => row.holder);
}

/** Incoming messages whose lease has expired or belongs to one of these holders. */
export async function dueIncoming(database: Database, now: Date, gone: string[], limit: number): Promise<number[]> {
  return (await database.run(incomingDue, { now, gone, limit })).map((row) => row.id);
}

const found = ["userId", "submissionId", "state", "leasedBy", "leasedUntil", "nextAttemptAt"] as const;

/** A delivery that a sweep looks at. */
export type FoundDelivery = Row<"delivery", (typeof found)[number]>;

const columns = sql.raw(
  `user_id AS "userId", submission_id AS "submissionId", state, leased_by AS "leasedBy", leased_until AS "leasedUntil",
    next_attempt_at AS "nextAttemptAt"`,
);
// Each part has its own index. The first two find one delivery of each holder.
const astray = everywhere(
  "delivery",
  found,
  read(
    "deliveries.astray",
    (_, $: { holder: string; now: Date; limit: number }) => sql<FoundDelivery>`
    SELECT DISTINCT ON (leased_by) ${columns} FROM delivery WHERE state = 'queued' AND leased_by IS NOT NULL
    UNION (SELECT DISTINCT ON (leased_by) ${columns} FROM delivery WHERE state <> 'queued' AND leased_by IS NOT NULL)
    UNION (SELECT ${columns} FROM delivery WHERE state = 'queued' AND leased_by = ${$.holder})
    UNION (SELECT ${columns} FROM delivery WHERE state = 'queued' AND next_attempt_at <= ${$.now}
      AND (leased_until IS NULL OR leased_until <= ${$.now}) LIMIT ${$.limit})
    UNION (SELECT ${columns} FROM delivery WHERE state <> 'queued' AND leased_by IS NOT NULL
      AND leased_until <= ${$.now} LIMIT ${$.limit})`,
    ...workers,
  ),
);
const heldBy = everywhere(
  "delivery",
  found,
  read(
    "deliveries.heldBy",
    (_, $: { gone: readonly string[] }) => sql<FoundDelivery>`
    SELECT ${columns} FROM delivery WHERE state = 'queued' AND leased_by = ANY(${$.gone})
    UNION SELECT ${columns} FROM delivery WHERE state <> 'queued' AND leased_by IS NOT NULL AND leased_by = ANY(${$.gone})`,
    ...workers,
  ),
);
/**
 * Deliveries that may have been left: one of each lease holder, those that `holder` has leased, those that are due and
 * that nobody has leased, and those whose outcome is noted but not in the change log and whose lease has expired.
 * Servers that do not answer are left out.
 */
export async function astrayDeliveries(
  database: Database,
  log: Log,
  wanted: { holder: string; now: Date; limit: number },
): Promise<FoundDelivery[]> {
  return (await readEverywhere(database, log, astray, wanted)).rows;
}

/** The deliveries that these holders have leased. */
export async function deliveriesHeldBy(database: Database, log: Log, gone: string[]): Promise<FoundDelivery[]> {
  return gone.length === 0 ? [] : (await readEverywhere(database, log, heldBy, { gone })).rows;
}

/** How long the queues are, and since when their oldest entry waits; null when nothing waits. */
interface Depths {
  incoming: number;
  incomingSince: Date | null;
  setAside: number;
  outgoing: number;
  due: number;
  dueSince: Date | null;
}

/** Beyond so many waiting submissions their number is Postgres's own estimate: to count them costs as much as they are. */
const maxCounted = 10_000;
// Only tables of the coordinator: counting deliveries would ask every node, and fail while one is away.
const depths = read(
  "queues.depths",
  (_, $: { now: Date; maxCounted: number }) => sql<Depths>`
  SELECT i.incoming, i."incomingSince", i."setAside", d.due, d."dueSince",
    CASE WHEN w.waiting < ${$.maxCounted} THEN w.waiting ELSE greatest(w.waiting, e.estimate) END AS outgoing
  FROM (SELECT count(*) FILTER (WHERE set_aside_at IS NULL) AS incoming,
      min(created_at) FILTER (WHERE set_aside_at IS NULL) AS "incomingSince",
      count(*) FILTER (WHERE set_aside_at IS NOT NULL) AS "setAside" FROM incoming) AS i,
    (SELECT count(*) AS due, min(next_attempt_at) AS "dueSince" FROM due WHERE next_attempt_at <= ${$.now}) AS d,
    (SELECT count(*) AS waiting FROM (SELECT FROM due LIMIT ${$.maxCounted}) AS counted) AS w,
    (SELECT reltuples::bigint AS estimate FROM pg_class WHERE oid = 'due'::regclass) AS e`,
  ...workers,
);

export interface QueueDepths {
  /** Messages that were accepted and are not yet in every account, and the age of the oldest. */
  incoming: number;
  incomingAgeSeconds: number;
  /** Messages that failed by themselves and wait for an operator. */
  setAside: number;
  /** Submissions with recipients who wait for delivery, estimated if they are many; those whose time has come and that nobody has claimed. */
  outgoing: number;
  due: number;
  /** For how long the oldest of these has been due. */
  dueAgeSeconds: number;
}

/** The queues of the whole installation, in one statement. An age is 0 when nothing waits. */
export async function queueDepths(database: Database, now: Date): Promise<QueueDepths> {
  const [row] = await database.run(depths, { now, maxCounted });
  const { incoming, setAside, outgoing, due, incomingSince, dueSince } = row!;
  const age = (since: Date | null) => (since ? Math.max(0, now.getTime() - since.getTime()) / 1000 : 0);
  return { incoming, incomingAgeSeconds: age(incomingSince), setAside, outgoing, due, dueAgeSeconds: age(dueSince) };
}
