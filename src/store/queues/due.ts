import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";
import { withoutWaiting } from "./without-waiting.ts";

/** A submission with deliveries that may be due. */
export type DueSubmission = Row<"due", "userId" | "submissionId">;

/** Names a submission within this process. */
export const keyOf = ({ userId, submissionId }: DueSubmission) => `${userId} ${submissionId}`;

const queued = read("deliveries.queued", (db, $: { userId: number; now: Date; after: number }) =>
  db
    .selectFrom("delivery as d")
    .innerJoin("submission as s", (join) => join.on("s.userId", "=", $.userId).onRef("s.id", "=", "d.submissionId"))
    .select([
      "d.userId",
      "d.submissionId",
      "s.bulk",
      "s.createdAt as since",
      (eb) => eb.fn.min("d.nextAttemptAt").as("nextAttemptAt"),
    ])
    .where("d.userId", "=", $.userId)
    .where("d.submissionId", ">", $.after)
    .where("d.state", "=", "queued")
    .where((eb) => eb.or([eb("d.leasedUntil", "is", null), eb("d.leasedUntil", "<=", $.now)]))
    .groupBy(["d.userId", "d.submissionId", "s.bulk", "s.createdAt"]),
);
const hint = ["userId", "submissionId", "nextAttemptAt"] as const;
const inserted = [...hint, "bulk", "since"] as const;
type Hint = Row<"due", (typeof hint)[number]>;
/** A hint that is there already is not put off. */
const insertHints = write("due.insert", (db, $: Lists<"due", (typeof inserted)[number]>) =>
  db
    .insertInto("due")
    .columns(inserted)
    .expression(db.selectFrom(unnest("due", inserted, $)).select(inserted))
    .onConflict((conflict) =>
      conflict
        .columns(["userId", "submissionId"])
        .doUpdateSet({ nextAttemptAt: sql<Date>`least(due.next_attempt_at, excluded.next_attempt_at)` }),
    ),
);

/** Writes hints for an account's queued, unleased deliveries. Hints may be lost; a sweep restores them. */
export async function hintQueued(database: Database, userId: number, now: Date): Promise<number> {
  return (await hintNewer(database, userId, { now, after: 0 })).hinted;
}

/**
 * Writes hints for submissions newer than `after`; `newest` is the newest of them, or else `after`. Their ids ascend in the
 * order of commits.
 */
export async function hintNewer(
  database: Database,
  userId: number,
  { now, after }: { now: Date; after: number },
): Promise<{ hinted: number; newest: number }> {
  const rows = await database.run(queued, { userId, now, after });
  const newest = rows.reduce((most, { submissionId }) => Math.max(most, submissionId), after);
  if (rows.length === 0) return { hinted: 0, newest };
  await database.transaction("BEGIN", async (executor) => {
    executor.send(withoutWaiting);
    executor.send(insertHints, lists(rows, inserted));
  });
  return { hinted: rows.length, newest };
}

/** Writes the hints that a sweep found missing, as if none were for bulk mail. */
export async function restoreHints(database: Database, hints: readonly Hint[]): Promise<void> {
  const rows = hints.map((row) => ({ ...row, bulk: false, since: null }));
  await database.run(insertHints, lists(rows, inserted));
}

type Claim = { now: Date; until: Date; limit: number; bulk: boolean; full: readonly number[] };
const claimHints = write("due.claim", (db, $: Claim) =>
  db
    .updateTable("due")
    .set({ nextAttemptAt: $.until })
    .where((eb) =>
      eb(
        eb.refTuple("userId", "submissionId"),
        "in",
        eb
          .selectFrom("due")
          .select(["userId", "submissionId"])
          .where("bulk", "=", $.bulk)
          .where("nextAttemptAt", "<=", $.now)
          .where("userId", "not in", $.full)
          .orderBy("nextAttemptAt")
          .limit($.limit)
          .forUpdate()
          .skipLocked()
          .$asTuple("userId", "submissionId"),
      ),
    )
    .returning(["userId", "submissionId"]),
);
const nextHint = read("due.next", (db) =>
  db.selectFrom("due").select((eb) => eb.fn.min<Date | null>("nextAttemptAt").as("next")),
);
const nextOf = read("deliveries.next", (db, $: { userId: number; ids: readonly number[] }) =>
  db
    .selectFrom("delivery")
    .select(["submissionId", sql<Date>`min(greatest(next_attempt_at, leased_until))`.as("nextAttemptAt")])
    .where("userId", "=", $.userId)
    .where("submissionId", "in", $.ids)
    .where("state", "=", "queued")
    .groupBy("submissionId"),
);
const moveHints = write(
  "due.move",
  (_, $: Lists<"due", "userId" | "submissionId" | "nextAttemptAt">) => sql`
  UPDATE due AS d SET next_attempt_at = h.next_attempt_at
  FROM unnest(${$.userId}::bigint[], ${$.submissionId}::bigint[], ${$.nextAttemptAt}::timestamptz[])
    AS h (user_id, submission_id, next_attempt_at)
  WHERE d.user_id = h.user_id AND d.submission_id = h.submission_id`,
);
const dropHints = write(
  "due.drop",
  (_, $: Lists<"due", "userId" | "submissionId">) => sql`
  DELETE FROM due AS d USING unnest(${$.userId}::bigint[], ${$.submissionId}::bigint[]) AS h (user_id, submission_id)
  WHERE d.user_id = h.user_id AND d.submission_id = h.submission_id`,
);

/**
 * Claims hints that are due, but for those of accounts that have `full`. They become due again at `until`, in case this
 * process dies.
 */
export function claimDue(database: Database, claim: Claim): Promise<DueSubmission[]> {
  return database.run(claimHints, claim);
}

/** When the next hint is due; undefined when there is none. */
export async function nextDue(database: Database): Promise<Date | undefined> {
  const [row] = await database.run(nextHint);
  return row?.next ?? undefined;
}

/** A hint that nobody works on any more. */
export interface SettledHint extends DueSubmission {
  /** It is not looked at earlier. */
  notBefore?: Date | undefined;
}

/** Moves the hints to the next attempts of their submissions, or deletes those of submissions with nothing queued. */
export async function settleHints(database: Database, hints: readonly SettledHint[]): Promise<void> {
  const next = new Map<string, Date>();
  const accounts = Map.groupBy(hints, ({ userId }) => userId);
  const read = async ([userId, some]: [number, SettledHint[]]) => {
    const ids = some.map(({ submissionId }) => submissionId);
    const rows = await database.run(nextOf, { userId, ids });
    for (const { submissionId, nextAttemptAt } of rows) next.set(keyOf({ userId, submissionId }), nextAttemptAt);
  };
  await Promise.all([...accounts].map(read));
  const moved = hints.flatMap(({ notBefore, ...one }) => {
    const nextAttemptAt = next.get(keyOf(one));
    if (!nextAttemptAt) return [];
    return [{ ...one, nextAttemptAt: notBefore && notBefore > nextAttemptAt ? notBefore : nextAttemptAt }];
  });
  const over = hints.filter((hint) => !next.has(keyOf(hint)));
  if (moved.length > 0) await database.run(moveHints, lists(moved, hint));
  if (over.length > 0) await database.run(dropHints, lists(over, ["userId", "submissionId"]));
}

const hasten = write("due.hasten", (db, $: { now: Date; until: Date }) =>
  db
    .updateTable("due")
    .set({ nextAttemptAt: $.now })
    .where("nextAttemptAt", ">", $.now)
    .where("nextAttemptAt", "<=", $.until),
);

/** Lets the hints of before `until` be looked at now: those that are not due then move back. */
export async function hastenHints(database: Database, now: Date, until: Date): Promise<void> {
  await database.run(hasten, { now, until });
}
