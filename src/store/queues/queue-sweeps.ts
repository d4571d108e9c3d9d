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

const incomingDepth = read(
  "incoming.count",
  (db) => db.selectFrom("incoming").select((eb) => eb.fn.countAll<number>().as("count")),
  ...workers,
);
const outgoingDepth = read(
  "deliveries.countAllQueued",
  (db) =>
    db
      .selectFrom("delivery")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .where("state", "=", "queued"),
  ...workers,
);

/** The lengths of the queues: incoming messages and outgoing deliveries. */
export async function queueDepths(database: Database): Promise<{ incoming: number; outgoing: number }> {
  const [incoming] = await database.run(incomingDepth);
  const [outgoing] = await database.run(outgoingDepth);
  return { incoming: incoming!.count, outgoing: outgoing!.count };
}
