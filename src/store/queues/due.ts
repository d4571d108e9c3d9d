import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";
import { withoutWaiting } from "./without-waiting.ts";

/** A submission with deliveries that may be due. */
export type DueSubmission = Row<"due", "userId" | "submissionId">;

/** Names a submission within this process. */
export const keyOf = ({ userId, submissionId }: DueSubmission) => `${userId} ${submissionId}`;

const queued = read("deliveries.queued", (db, $: { userId: number; now: Date }) =>
  db
    .selectFrom("delivery")
    .select(["userId", "submissionId", (eb) => eb.fn.min("nextAttemptAt").as("nextAttemptAt")])
    .where("userId", "=", $.userId)
    .where("state", "=", "queued")
    .where((eb) => eb.or([eb("leasedUntil", "is", null), eb("leasedUntil", "<=", $.now)]))
    .groupBy(["userId", "submissionId"]),
);
const hint = ["userId", "submissionId", "nextAttemptAt"] as const;
type Hint = Row<"due", (typeof hint)[number]>;
/** A hint that is there already is not put off. */
const insertHints = write("due.insert", (db, $: Lists<"due", (typeof hint)[number]>) =>
  db
    .insertInto("due")
    .columns(hint)
    .expression(db.selectFrom(unnest("due", hint, $)).select(hint))
    .onConflict((conflict) =>
      conflict
        .columns(["userId", "submissionId"])
        .doUpdateSet({ nextAttemptAt: sql<Date>`least(due.next_attempt_at, excluded.next_attempt_at)` }),
    ),
);

/** Writes hints for an account's queued, unleased deliveries. Hints may be lost; a sweep restores them. */
export async function hintQueued(database: Database, userId: number, now: Date): Promise<number> {
  const rows = await database.run(queued, { userId, now });
  if (rows.length === 0) return 0;
  await database.transaction("BEGIN", async (executor) => {
    executor.send(withoutWaiting);
    executor.send(insertHints, lists(rows, hint));
  });
  return rows.length;
}

/** Writes the hints that a sweep found missing. */
export async function restoreHints(database: Database, hints: readonly Hint[]): Promise<void> {
  await database.run(insertHints, lists(hints, hint));
}

const claimHints = write("due.claim", (db, $: { now: Date; until: Date; limit: number }) =>
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
          .where("nextAttemptAt", "<=", $.now)
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
const nextOf = read("deliveries.next", (db, $: DueSubmission) =>
  db
    .selectFrom("delivery")
    .select(sql<Date | null>`min(greatest(next_attempt_at, leased_until))`.as("next"))
    .where("userId", "=", $.userId)
    .where("submissionId", "=", $.submissionId)
    .where("state", "=", "queued"),
);
const moveHint = write("due.move", (db, $: DueSubmission & { next: Date }) =>
  db
    .updateTable("due")
    .set({ nextAttemptAt: $.next })
    .where("userId", "=", $.userId)
    .where("submissionId", "=", $.submissionId),
);
const dropHint = write("due.drop", (db, $: DueSubmission) =>
  db.deleteFrom("due").where("userId", "=", $.userId).where("submissionId", "=", $.submissionId),
);

/** Claims hints that are due. They become due again at `until`, in case this process dies. */
export function claimDue(database: Database, now: Date, until: Date, limit: number): Promise<DueSubmission[]> {
  return database.run(claimHints, { now, until, limit });
}

/** When the next hint is due; undefined when there is none. */
export async function nextDue(database: Database): Promise<Date | undefined> {
  const [row] = await database.run(nextHint);
  return row?.next ?? undefined;
}

/** Moves the hint to the submission's next attempt, or to `notBefore` if that is later; deletes it when nothing is queued. */
export async function settleHint(
  database: Database,
  { userId, submissionId }: DueSubmission,
  notBefore = new Date(0),
): Promise<void> {
  const [row] = await database.run(nextOf, { userId, submissionId });
  if (!row?.next) await database.run(dropHint, { userId, submissionId });
  else {
    const next = row.next < notBefore ? notBefore : row.next;
    await database.run(moveHint, { userId, submissionId, next });
  }
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
