import { sql } from "kysely";
import type { Row } from "../core/declare.ts";
import { read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";
import type { Reader, Tx } from "../core/store.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** For how long what was sent is known. */
export const sentForMs = 30 * dayMs;

/** A day is good when it has so many recipients, of which at most these shares bounced hard and complained. */
const goodDay = { recipients: 20, hard: 0.05, complaints: 0.002 };

const counted = ["messages", "recipients", "spam", "away", "hard", "complaints"] as const;
const before = ["dayMessages", "dayRecipients", "daySpam", "dayAway", "busiest", "goodDays"] as const;

/** What an account sends in an hour, and what comes back. `spam`: messages that look like it. */
export type SentCounts = Row<"sentHour", (typeof counted)[number]>;
/** The counts of the hour so far, and what the account had done when it began. */
export type SentHour = Row<"sentHour", (typeof counted)[number] | (typeof before)[number]>;

type Counted = {
  accountId: number;
  hour: Date;
  today: Date;
  dayAgo: Date;
  monthAgo: Date;
  goodSince: Date;
} & SentCounts;

// What was before is looked up by the first of an hour alone: the condition without a column of s is evaluated once.
const count = write(
  "sentHours.count",
  (_, $: Counted) => sql<SentHour>`
  INSERT INTO sent_hour AS h (user_id, hour, messages, recipients, spam, away, hard, complaints,
    day_messages, day_recipients, day_spam, day_away, busiest, good_days)
  SELECT a.user_id, ${$.hour}::timestamptz, ${$.messages}::integer, ${$.recipients}::integer, ${$.spam}::integer,
    ${$.away}::integer, ${$.hard}::integer, ${$.complaints}::integer, coalesce(p.messages, 0), coalesce(p.recipients, 0),
    coalesce(p.spam, 0), coalesce(p.away, 0), coalesce(p.busiest, 0), g.days
  FROM account a, (
    SELECT (sum(s.messages) FILTER (WHERE s.hour > ${$.dayAgo}))::integer AS messages,
      (sum(s.recipients) FILTER (WHERE s.hour > ${$.dayAgo}))::integer AS recipients,
      (sum(s.spam) FILTER (WHERE s.hour > ${$.dayAgo}))::integer AS spam,
      (sum(s.away) FILTER (WHERE s.hour > ${$.dayAgo}))::integer AS away, max(s.recipients) AS busiest
    FROM sent_hour s WHERE s.user_id = ${$.accountId} AND s.hour >= ${$.monthAgo} AND s.hour < ${$.hour}
      AND NOT EXISTS (SELECT 1 FROM sent_hour n WHERE n.user_id = ${$.accountId} AND n.hour = ${$.hour})
  ) p, (
    SELECT count(*)::integer AS days FROM (
      SELECT 1 FROM sent_hour d WHERE d.user_id = ${$.accountId} AND d.hour >= ${$.goodSince} AND d.hour < ${$.today}
        AND NOT EXISTS (SELECT 1 FROM sent_hour n WHERE n.user_id = ${$.accountId} AND n.hour = ${$.hour})
      GROUP BY (d.hour AT TIME ZONE 'UTC')::date
      HAVING sum(d.recipients) >= ${sql.lit(goodDay.recipients)}
        AND sum(d.hard) <= sum(d.recipients) * ${sql.lit(goodDay.hard)}
        AND sum(d.complaints) <= sum(d.recipients) * ${sql.lit(goodDay.complaints)}
    ) x
  ) g
  WHERE a.user_id = ${$.accountId}
  ON CONFLICT (user_id, hour) DO UPDATE SET messages = h.messages + excluded.messages,
    recipients = h.recipients + excluded.recipients, spam = h.spam + excluded.spam, away = h.away + excluded.away,
    hard = h.hard + excluded.hard, complaints = h.complaints + excluded.complaints
  RETURNING messages, recipients, spam, away, hard, complaints, day_messages AS "dayMessages",
    day_recipients AS "dayRecipients", day_spam AS "daySpam", day_away AS "dayAway", busiest, good_days AS "goodDays"`,
);

const hourOf = (now: Date) => new Date(Math.floor(now.getTime() / hourMs) * hourMs);

const nothing: SentCounts = { messages: 0, recipients: 0, spam: 0, away: 0, hard: 0, complaints: 0 };

/** Adds to the counts of this hour; resolves with them. Good days are those since the account's mail was last let go. */
export async function countSent(tx: Tx, counts: Partial<SentCounts>): Promise<SentHour> {
  const { accountId, now, sending } = tx;
  const hour = hourOf(now);
  const [dayAgo, monthAgo] = [new Date(hour.getTime() - dayMs), new Date(hour.getTime() - sentForMs)];
  const today = new Date(Math.floor(now.getTime() / dayMs) * dayMs);
  const liftedAt = new Date(sending.liftedAt ?? 0);
  const goodSince = liftedAt > monthAgo ? liftedAt : monthAgo;
  const [row] = await tx.run(count, { accountId, hour, today, dayAgo, monthAgo, goodSince, ...nothing, ...counts });
  if (!row) throw new Error(`account ${accountId} is locked and not there`);
  return row;
}

const since = read(
  "sentHours.since",
  (_, $: { accountId: number; since: Date }) => sql<SentCounts & { busiest: number }>`
  SELECT coalesce(sum(messages), 0)::integer AS messages, coalesce(sum(recipients), 0)::integer AS recipients,
    coalesce(sum(spam), 0)::integer AS spam, coalesce(sum(away), 0)::integer AS away,
    coalesce(sum(hard), 0)::integer AS hard, coalesce(sum(complaints), 0)::integer AS complaints,
    coalesce(max(recipients), 0) AS busiest
  FROM sent_hour WHERE user_id = ${$.accountId} AND hour >= ${$.since}`,
);

/** What the account has sent, and what came back, in whole hours since then; `busiest`: recipients of one hour at most. */
export async function sentSince(reader: Reader, moment: Date): Promise<SentCounts & { busiest: number }> {
  return (await reader.run(since, { accountId: reader.accountId, since: moment }))[0]!;
}

const newest = read("sentHours.newest", (db, $: { accountId: number; since: Date }) =>
  db
    .selectFrom("sentHour")
    .select(["hour", "goodDays"])
    .where("userId", "=", $.accountId)
    .where("hour", ">=", $.since)
    .orderBy("hour", "desc")
    .limit(1),
);

/** Days of good sending as of the account's last hour with mail. */
export async function goodDaysOf(reader: Reader, now: Date): Promise<number> {
  const [row] = await reader.run(newest, { accountId: reader.accountId, since: new Date(now.getTime() - sentForMs) });
  return row?.goodDays ?? 0;
}

const forgive = write("sentHours.forgive", (db, $: { accountId: number }) =>
  db
    .updateTable("sentHour")
    .set({ spam: 0, away: 0, hard: 0, complaints: 0, daySpam: 0, dayAway: 0, goodDays: 0 })
    .where("userId", "=", $.accountId),
);

/** Nothing that came back so far, and no score, counts any more. */
export function forgiveSent(tx: Tx): void {
  tx.send(forgive, { accountId: tx.accountId });
}

const drop = write("sentHours.drop", (db, $: { userId: number; until: Date }) =>
  db.deleteFrom("sentHour").where("userId", "=", $.userId).where("hour", "<", $.until),
);

/** Removes the hours before this time. */
export async function dropSentHours(executor: Executor, userId: number, until: Date): Promise<void> {
  await executor.run(drop, { userId, until });
}
