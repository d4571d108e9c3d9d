import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { across, read, unnamed, write } from "../core/declare.ts";
import { type DueSubmission, restoreHints } from "./due.ts";

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

// A UNION, since each half has its own index.
const deliveryHolders = read(
  "deliveries.holders",
  () => sql<{ holder: string }>`
  SELECT leased_by AS holder FROM delivery WHERE state = 'queued' AND leased_by IS NOT NULL
  UNION SELECT leased_by FROM delivery WHERE state <> 'queued' AND leased_by IS NOT NULL`,
  ...workers,
);
const freeDeliveries = write(
  "deliveries.free",
  (db, $: { gone: readonly string[] }) =>
    db
      .updateTable("delivery")
      .set({ leasedBy: null, leasedUntil: null })
      .where("state", "=", "queued")
      .where("leasedBy", "in", $.gone),
  ...workers,
);
const lostHints = read(
  "deliveries.due",
  (db, $: { now: Date; limit: number }) =>
    db
      .selectFrom("delivery")
      .select(["userId", "submissionId", (eb) => eb.fn.min("nextAttemptAt").as("nextAttemptAt")])
      .where("state", "=", "queued")
      .where("nextAttemptAt", "<=", $.now)
      .where((eb) => eb.or([eb("leasedUntil", "is", null), eb("leasedUntil", "<=", $.now)]))
      .groupBy(["userId", "submissionId"])
      .limit($.limit),
  ...workers,
);
export async function deliveryLeaseHolders(database: Database): Promise<string[]> {
  return (await database.run(deliveryHolders)).map((row) => row.holder);
}

/** Releases the leases of dead holders. */
export async function freeDeliveryLeases(database: Database, gone: string[]): Promise<void> {
  if (gone.length > 0) await database.run(freeDeliveries, { gone });
}

const heldDeliveries = read(
  "deliveries.heldBy",
  (db, $: { holder: string }) =>
    db
      .selectFrom("delivery")
      .select(["userId", "submissionId", "leasedUntil"])
      .distinct()
      .where("state", "=", "queued")
      .where("leasedBy", "=", $.holder)
      .where("leasedUntil", "is not", null)
      .$narrowType<{ leasedUntil: Date }>(),
  ...workers,
);

/** The leases of a holder, according to the database. */
export function leasesOf(database: Database, holder: string): Promise<(DueSubmission & { leasedUntil: Date })[]> {
  return database.run(heldDeliveries, { holder });
}

const unlogged = read(
  "deliveries.unlogged",
  (db, $: { now: Date; gone: readonly string[]; limit: number }) =>
    db
      .selectFrom("delivery")
      .select(["userId", "submissionId"])
      .distinct()
      .where("state", "<>", "queued")
      .where("leasedBy", "is not", null)
      .where((eb) => eb.or([eb("leasedUntil", "<=", $.now), eb("leasedBy", "in", $.gone)]))
      .limit($.limit),
  ...workers,
);

/** Submissions with noted outcomes that are missing from the change log and whose lease has expired or holder has died. */
export function unloggedSubmissions(
  database: Database,
  now: Date,
  gone: string[],
  limit: number,
): Promise<DueSubmission[]> {
  return database.run(unlogged, { now, gone, limit });
}

/** Restores hints for due deliveries that nobody has leased; returns how many. */
export async function restoreDue(database: Database, now: Date, limit: number): Promise<number> {
  const rows = await database.run(lostHints, { now, limit });
  if (rows.length === 0) return 0;
  await restoreHints(database, rows);
  return rows.length;
}

/** How long the queues are, and since when their oldest entry waits; null when nothing waits. */
interface Depths {
  incoming: number;
  incomingSince: Date | null;
  outgoing: number;
  due: number;
  dueSince: Date | null;
}

// Only tables of the coordinator: counting deliveries would ask every node, and fail while one is away.
const depths = read(
  "queues.depths",
  (_, $: { now: Date }) => sql<Depths>`
  SELECT i.incoming, i."incomingSince", d.outgoing, d.due, d."dueSince"
  FROM (SELECT count(*) AS incoming, min(created_at) AS "incomingSince" FROM incoming) AS i,
    (SELECT count(*) AS outgoing, count(*) FILTER (WHERE next_attempt_at <= ${$.now}) AS due,
      min(next_attempt_at) FILTER (WHERE next_attempt_at <= ${$.now}) AS "dueSince" FROM due) AS d`,
  ...workers,
);

export interface QueueDepths {
  /** Messages that were accepted and are not yet in every account, and the age of the oldest. */
  incoming: number;
  incomingAgeSeconds: number;
  /** Submissions with recipients who wait for delivery; those whose time has come and that nobody has claimed. */
  outgoing: number;
  due: number;
  /** For how long the oldest of these has been due. */
  dueAgeSeconds: number;
}

/** The queues of the whole installation, in one statement. An age is 0 when nothing waits. */
export async function queueDepths(database: Database, now: Date): Promise<QueueDepths> {
  const [row] = await database.run(depths, { now });
  const { incoming, outgoing, due, incomingSince, dueSince } = row!;
  const age = (since: Date | null) => (since ? Math.max(0, now.getTime() - since.getTime()) / 1000 : 0);
  return { incoming, incomingAgeSeconds: age(incomingSince), outgoing, due, dueAgeSeconds: age(dueSince) };
}
