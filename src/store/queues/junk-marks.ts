import type { Log } from "../../base/log.ts";
import type { Database } from "../core/database.ts";
import { across, type Row, read, unnamed, write } from "../core/declare.ts";
import { everywhere, readEverywhere } from "../core/everywhere.ts";
import { insertLists, type Lists, lists } from "../core/lists.ts";
import type { Executor } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";

const columns = ["senderId", "submissionId", "at"] as const;

/** An account's mark on mail that another account here has sent. */
export type JunkMark = Row<"junkMark", "userId" | "senderId" | "submissionId">;

const add = write("junkMarks.add", (db, $: { accountId: number } & Lists<"junkMark", (typeof columns)[number]>) =>
  insertLists(db, "junkMark", columns, $).onConflict((conflict) => conflict.doNothing()),
);
const headers = read("junkMarks.headers", (db, $: { accountId: number; ids: readonly number[] }) =>
  db
    .selectFrom("email as e")
    .innerJoin("message as m", (join) => join.on("m.userId", "=", $.accountId).onRef("m.no", "=", "e.no"))
    .select("m.header")
    .where("e.userId", "=", $.accountId)
    .where("e.id", "in", $.ids),
);

/** The headers of these emails, where they are kept with the row. */
export async function findHeaders(tx: Tx, ids: readonly number[]): Promise<Buffer[]> {
  const rows = await tx.run(headers, { accountId: tx.accountId, ids });
  return rows.flatMap(({ header }) => header ?? []);
}

/** Notes the marks; a second one on the same mail does nothing. */
export async function addJunkMarks(
  tx: Tx,
  marks: readonly Pick<JunkMark, "senderId" | "submissionId">[],
): Promise<void> {
  if (marks.length === 0) return;
  const rows = marks.map((mark) => ({ ...mark, at: tx.now }));
  await tx.run(add, { accountId: tx.accountId, ...lists(rows, columns) });
}

const untold = everywhere(
  "junkMark",
  ["userId", "senderId", "submissionId"],
  read(
    "junkMarks.untold",
    (db, $: { limit: number }) =>
      db
        .selectFrom("junkMark")
        .select(["userId", "senderId", "submissionId"])
        .where((eb) => eb.not("told"))
        .limit($.limit),
    across("finds what is to be counted, whosever it is"),
    unnamed("runs rarely, so it is planned for the current data"),
  ),
);

/** Marks that are not yet counted in the senders' accounts. */
export async function findUntold(database: Database, log: Log, limit: number): Promise<JunkMark[]> {
  return (await readEverywhere(database, log, untold, { limit })).rows;
}

const tell = write("junkMarks.tell", (db, $: JunkMark) =>
  db
    .updateTable("junkMark")
    .set({ told: true })
    .where("userId", "=", $.userId)
    .where("senderId", "=", $.senderId)
    .where("submissionId", "=", $.submissionId),
);
const others = read("junkMarks.others", (db, $: JunkMark & { since: Date }) =>
  db
    .selectFrom("junkMark")
    .select("submissionId")
    .where("userId", "=", $.userId)
    .where("senderId", "=", $.senderId)
    .where("submissionId", "!=", $.submissionId)
    .where("told", "=", true)
    .where("at", ">=", $.since)
    .limit(1),
);
/** One account's marks count once in this time, whichever of its addresses the mails came to. */
const onceInMs = 7 * 86_400_000;

/** Whether another mark of the account on mail of the same sender was counted of late. */
export async function hasComplained(database: Database, mark: JunkMark, now: Date): Promise<boolean> {
  const { userId, senderId, submissionId } = mark;
  const since = new Date(now.getTime() - onceInMs);
  return (await database.run(others, { userId, senderId, submissionId, since })).length > 0;
}
const drop = write("junkMarks.drop", (db, $: { userId: number; until: Date }) =>
  db.deleteFrom("junkMark").where("userId", "=", $.userId).where("at", "<=", $.until),
);

export async function markTold(executor: Executor, { userId, senderId, submissionId }: JunkMark): Promise<void> {
  await executor.run(tell, { userId, senderId, submissionId });
}

/** Removes an account's marks up to this time. */
export async function dropJunkMarks(executor: Executor, userId: number, until: Date): Promise<void> {
  await executor.run(drop, { userId, until });
}
