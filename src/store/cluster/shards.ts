import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { across, read } from "../core/declare.ts";
import { hashOf, type ShardRange } from "../core/node-of.ts";
import { unprepared } from "../core/sql.ts";

/** A range of accounts: its shards of all account tables lie side by side and move together. */
export interface Range extends ShardRange {
  /** The shard of the table account. */
  shard: number;
}

const accountRanges = unprepared<Range>(`
  SELECT s.shardid AS shard, s.shardminvalue::integer AS min, s.shardmaxvalue::integer AS max, p.groupid AS "group"
  FROM pg_dist_shard s JOIN pg_dist_placement p ON p.shardid = s.shardid
  WHERE s.logicalrelid = 'account'::regclass ORDER BY 2`);
/** Every account has one login, which is on every server. */
const accountCounts = read(
  "cluster.accountCounts",
  (db, $: { starts: readonly number[] }) =>
    db
      .selectFrom("login")
      .select([
        sql<number>`width_bucket(hashint8(user_id), ${$.starts}::integer[])`.as("place"),
        (eb) => eb.fn.countAll<number>().as("accounts"),
      ])
      .groupBy("place"),
  across("counts the accounts of each shard"),
);
const loginsBetween = read(
  "cluster.loginsBetween",
  (db, $: { min: number; max: number; limit: number }) =>
    db
      .selectFrom("login")
      .select("login")
      .where(sql<boolean>`hashint8(user_id) BETWEEN ${$.min}::integer AND ${$.max}::integer`)
      .orderBy("login")
      .limit($.limit),
  across("names the accounts of a shard"),
);

/** Bytes on one server: of a range of accounts, or of what is of no account (`min` is null then). */
export interface Size {
  min: number | null;
  bytes: number;
}

const sizesHere = unprepared<Size>(`
  SELECT CASE WHEN t.colocationid = a.colocationid THEN s.shardminvalue::integer END AS min,
    coalesce(sum(pg_total_relation_size(to_regclass(shard_name(s.logicalrelid, s.shardid)))), 0)::bigint AS bytes
  FROM pg_dist_shard s JOIN pg_dist_placement p ON p.shardid = s.shardid
    JOIN pg_dist_partition t ON t.logicalrelid = s.logicalrelid
    JOIN pg_dist_partition a ON a.logicalrelid = 'account'::regclass
  WHERE p.groupid = (SELECT groupid FROM pg_dist_local_group) GROUP BY 1`);
const tablePlaces = unprepared<{ table: string; place: TablePlace }>(`
  SELECT c.relname::text AS "table", CASE WHEN p.logicalrelid IS NULL THEN 'coordinator'
    WHEN p.partmethod = 'n' AND p.repmodel = 't' THEN 'everywhere' ELSE 'shards' END AS place
  FROM pg_class c LEFT JOIN pg_dist_partition p ON p.logicalrelid = c.oid
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT relation_is_a_known_shard(c.oid)
  ORDER BY 1`);

/** In shards that can move, as a copy on every server, or on the coordinator alone. */
export type TablePlace = "shards" | "everywhere" | "coordinator";

/** All ranges, ascending. Only on Citus. */
export function readRanges(database: Database): Promise<Range[]> {
  return database.run(accountRanges);
}

/** How many accounts lie in each range, in the order of `ranges`. */
export async function countAccounts(database: Database, ranges: readonly Range[]): Promise<number[]> {
  const counts = ranges.map(() => 0);
  const rows = await database.run(accountCounts, { starts: ranges.map(({ min }) => min) });
  for (const { place, accounts } of rows) counts[place - 1] = accounts;
  return counts;
}

/** The main addresses of the accounts in a range, the first `limit`. */
export async function loginsIn(database: Database, { min, max }: Range, limit: number): Promise<string[]> {
  return (await database.run(loginsBetween, { min, max, limit })).map(({ login }) => login);
}

/** The range of an account. */
export function rangeOf(ranges: readonly Range[], accountId: number): Range {
  const hash = hashOf(accountId);
  return ranges.find(({ min, max }) => min <= hash && hash <= max)!;
}

/** What the shards on this server take, indexes included. `server` is a connection to it. */
export function readSizes(server: Database): Promise<Size[]> {
  return server.run(sizesHere);
}

/** Where each table lies. Only on Citus. */
export function readTablePlaces(database: Database): Promise<{ table: string; place: TablePlace }[]> {
  return database.run(tablePlaces);
}
