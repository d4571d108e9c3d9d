import type { Log } from "../../base/log.ts";
import type { Database } from "../core/database.ts";
import { across, type Row, read, unnamed, write } from "../core/declare.ts";
import { everywhere, readEverywhere } from "../core/everywhere.ts";
import { insertLists, type Lists, lists } from "../core/lists.ts";
import type { Reader, Tx } from "../core/store.ts";

const columns = [
  "submissionId",
  "no",
  "attempt",
  "server",
  "mailId",
  "at",
  "milliseconds",
  "mailFrom",
  "recipients",
  "host",
  "address",
  "tls",
  "outcome",
  "reply",
  "error",
  "transcript",
] as const;
const keyed = ["userId", ...columns] as const;

/** One try to hand a mail to a server, or to find one. */
export type AttemptRow = Row<"attempt", (typeof keyed)[number]>;
export type NewAttempt = Omit<AttemptRow, "userId">;

const insert = write("attempts.add", (db, $: { accountId: number } & Lists<"attempt", (typeof columns)[number]>) =>
  insertLists(db, "attempt", columns, $),
);
const ofSubmissions = read(
  "attempts.ofSubmissions",
  (db, $: { accountId: number; ids: readonly number[]; limit: number }) =>
    db
      .selectFrom("attempt")
      .select(keyed)
      .where("userId", "=", $.accountId)
      .where("submissionId", "in", $.ids)
      .orderBy("at")
      .orderBy("server")
      .limit($.limit),
);
const operator = [
  across("the operator asks about the mail of all accounts"),
  unnamed("asked rarely, with very different values"),
];
const errors = everywhere(
  "attempt",
  keyed,
  read(
    "attempts.errors",
    (db, $: { before: Date; limit: number }) =>
      db
        .selectFrom("attempt")
        .select(keyed)
        .where("error", "is not", null)
        .where("at", "<", $.before)
        .orderBy("at", "desc")
        .limit($.limit),
    ...operator,
  ),
);
const ofMail = everywhere(
  "attempt",
  ["userId", "submissionId"],
  read(
    "attempts.ofMail",
    (db, $: { mailId: number }) =>
      db.selectFrom("attempt").select(["userId", "submissionId"]).distinct().where("mailId", "=", $.mailId),
    ...operator,
  ),
);
const drop = write("attempts.drop", (db, $: { accountId: number; until: Date }) =>
  db.deleteFrom("attempt").where("userId", "=", $.accountId).where("at", "<=", $.until),
);

const maxAttempts = 1_000;

/** Adds the tries in the transaction that records their outcome, without waiting for it. */
export function insertAttempts(tx: Tx, rows: readonly NewAttempt[]): void {
  if (rows.length === 0) return;
  const values = rows.map((row) => ({ ...row, recipients: JSON.stringify(row.recipients) }));
  tx.send(insert, { accountId: tx.accountId, ...lists(values, columns) });
}

/** The tries of these submissions, oldest first. */
export function attemptsOf(reader: Reader, ids: readonly number[]): Promise<AttemptRow[]> {
  return reader.run(ofSubmissions, { accountId: reader.accountId, ids, limit: maxAttempts });
}

const waits = read("attempts.waits", (db, $: { accountId: number; submissionId: number; reply: string }) =>
  db
    .selectFrom("attempt")
    .select(["recipients", "milliseconds"])
    .where("userId", "=", $.accountId)
    .where("submissionId", "=", $.submissionId)
    .where("host", "is", null)
    .where("reply", "=", $.reply),
);

/** How long the recipients of a submission have waited before attempts, by tries with this reply. */
export function waitsWith(reader: Reader, submissionId: number, reply: string) {
  return reader.run(waits, { accountId: reader.accountId, submissionId, reply });
}

/** What is in the error queue, newest first, without the accounts of servers that do not answer. */
export async function erroneousAttempts(
  database: Database,
  log: Log,
  page: { before: Date; limit: number },
): Promise<AttemptRow[]> {
  const { rows } = await readEverywhere(database, log, errors, page);
  return rows.toSorted((one, other) => other.at.getTime() - one.at.getTime()).slice(0, page.limit);
}

/** Whose submissions have gone out under this id. */
export async function submissionsOfMail(database: Database, log: Log, mailId: number) {
  return (await readEverywhere(database, log, ofMail, { mailId })).rows;
}

/** Forgets an account's tries of before `until`. */
export function dropAttempts(database: Database, accountId: number, until: Date): Promise<number> {
  return database.count(drop, { accountId, until });
}
