import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";
import { withoutWaiting } from "./without-waiting.ts";

const columns = ["minute", "kind", "what", "count"] as const;

/** How often something happened in a minute, in all processes together. */
export type Traffic = Row<"traffic", (typeof columns)[number]>;

const add = write("traffic.add", (db, $: Lists<"traffic", (typeof columns)[number]>) =>
  db
    .insertInto("traffic")
    .columns(columns)
    .expression(db.selectFrom(unnest("traffic", columns, $)).select(columns))
    .onConflict((conflict) =>
      conflict.columns(["minute", "kind", "what"]).doUpdateSet({ count: sql<number>`traffic.count + excluded.count` }),
    ),
);
const since = read("traffic.since", (db, $: { since: Date; limit: number }) =>
  db.selectFrom("traffic").select(columns).where("minute", ">=", $.since).orderBy("minute").limit($.limit),
);
const sums = read(
  "traffic.sums",
  (_, $: { since: Date; seconds: number }) => sql<{ at: Date; kind: string; what: string; count: number }>`
  SELECT date_bin(make_interval(secs => ${$.seconds}), minute, ${$.since}) AS at, kind,
    CASE WHEN kind = 'out' THEN split_part(what, ' ', 1) ELSE what END AS what, sum(count)::bigint AS count
  FROM traffic WHERE minute >= ${$.since} GROUP BY 1, 2, 3`,
);
const destinations = read(
  "traffic.destinations",
  (_, $: { since: Date; limit: number }) => sql<DestinationCount>`
  SELECT split_part(what, ' ', 2) AS domain,
    coalesce(sum(count) FILTER (WHERE what LIKE 'sent %'), 0)::bigint AS sent,
    coalesce(sum(count) FILTER (WHERE what LIKE 'deferred %'), 0)::bigint AS deferred,
    coalesce(sum(count) FILTER (WHERE what LIKE 'failed %'), 0)::bigint AS failed
  FROM traffic WHERE minute >= ${$.since} AND kind = 'out' GROUP BY 1 ORDER BY sum(count) DESC LIMIT ${$.limit}`,
);
const drop = write("traffic.drop", (db, $: { until: Date }) => db.deleteFrom("traffic").where("minute", "<", $.until));

/** Adds to the counts. A crash may lose those of the last second. */
export async function addTraffic(database: Database, rows: readonly Traffic[]): Promise<void> {
  if (rows.length === 0) return;
  const key = ({ minute, kind, what }: Traffic) => `${minute.getTime()} ${kind} ${what}`;
  // In one order everywhere, so that two processes never wait for each other.
  const sorted = rows.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
  await database.transaction("BEGIN", async (executor) => {
    executor.send(withoutWaiting);
    executor.send(add, lists(sorted, columns));
  });
}

/** The counts of the minutes from then on, oldest first, at most `limit`. */
export function trafficSince(database: Database, from: Date, limit: number): Promise<Traffic[]> {
  return database.run(since, { since: from, limit });
}

/** Tries to send to a domain, by their outcome; "*" for all that were not counted by name. */
export interface DestinationCount {
  domain: string;
  sent: number;
  deferred: number;
  failed: number;
}

/** The counts from then on, added up in steps of so many seconds; those of destinations by their outcome alone. */
export function trafficSums(database: Database, from: Date, seconds: number) {
  return database.run(sums, { since: from, seconds });
}

/** Those with the most tries first. */
export function topDestinations(database: Database, from: Date, limit: number): Promise<DestinationCount[]> {
  return database.run(destinations, { since: from, limit });
}

export function dropTraffic(database: Database, until: Date): Promise<number> {
  return database.count(drop, { until });
}
