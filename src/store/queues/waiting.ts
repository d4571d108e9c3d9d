import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read } from "../core/declare.ts";
import { heldUntil } from "./queue-orders.ts";

const columns = ["userId", "submissionId", "nextAttemptAt", "since"] as const;

/** A submission with recipients that wait, as the coordinator knows it. */
export type WaitingSubmission = Row<"due", (typeof columns)[number]>;

const page = read(
  "waiting.page",
  (db, $: { account: number | null; afterAccount: number; afterSubmission: number; limit: number }) =>
    db
      .selectFrom("due")
      .select(columns)
      .where(sql<boolean>`(user_id, submission_id) > (${$.afterAccount}, ${$.afterSubmission})`)
      .where(sql<boolean>`(${$.account}::bigint IS NULL OR user_id = ${$.account})`)
      .orderBy("userId")
      .orderBy("submissionId")
      .limit($.limit),
);

export interface WaitingPage {
  /** Null for all. */
  account: number | null;
  after: { userId: number; submissionId: number };
  limit: number;
}

/** The submissions that wait, of one account or all, in the order of accounts. */
export function pageOfWaiting(
  database: Database,
  { account, after, limit }: WaitingPage,
): Promise<WaitingSubmission[]> {
  const from = { afterAccount: after.userId, afterSubmission: after.submissionId };
  return database.run(page, { account, ...from, limit });
}

/** How many of them are counted; the rest is not looked at. */
export const maxCountedWaiting = 10_000;

export interface WaitingCounts {
  counted: number;
  held: number;
  due: number;
  later: number;
  /** Waiting for so long, in hours: up to 1, 4, 24, and longer. Those held do not count. */
  upTo1h: number;
  upTo4h: number;
  upTo24h: number;
  longer: number;
  oldest: Date | null;
}

const counts = read(
  "waiting.counts",
  (_, $: { now: Date; held: Date; hour: Date; fourHours: Date; day: Date; limit: number }) => sql<WaitingCounts>`
  SELECT count(*) AS counted,
    count(*) FILTER (WHERE d.next_attempt_at >= ${$.held}) AS held,
    count(*) FILTER (WHERE d.next_attempt_at <= ${$.now}) AS due,
    count(*) FILTER (WHERE d.next_attempt_at > ${$.now} AND d.next_attempt_at < ${$.held}) AS later,
    count(*) FILTER (WHERE d.next_attempt_at < ${$.held} AND (d.since IS NULL OR d.since > ${$.hour})) AS "upTo1h",
    count(*) FILTER (WHERE d.next_attempt_at < ${$.held} AND d.since <= ${$.hour} AND d.since > ${$.fourHours}) AS "upTo4h",
    count(*) FILTER (WHERE d.next_attempt_at < ${$.held} AND d.since <= ${$.fourHours} AND d.since > ${$.day}) AS "upTo24h",
    count(*) FILTER (WHERE d.next_attempt_at < ${$.held} AND d.since <= ${$.day}) AS longer,
    min(d.since) FILTER (WHERE d.next_attempt_at < ${$.held}) AS oldest
  FROM (SELECT next_attempt_at, since FROM due LIMIT ${$.limit}) AS d`,
);

const hourMs = 3_600_000;

/** How many submissions wait, by state and age; of a longer queue, the first `maxCountedWaiting`. */
export async function countWaiting(database: Database, now: Date): Promise<WaitingCounts> {
  const ago = (hours: number) => new Date(now.getTime() - hours * hourMs);
  const times = { now, held: heldUntil, hour: ago(1), fourHours: ago(4), day: ago(24) };
  return (await database.run(counts, { ...times, limit: maxCountedWaiting }))[0]!;
}
