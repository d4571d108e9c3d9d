import type { Database } from "../core/database.ts";
import { unprepared } from "../core/sql.ts";

/** What a server says of itself. */
export interface Facts {
  version: string;
  /** Of the extension in this database; null without. */
  citus: string | null;
  encoding: string;
  collation: string;
  /** Null for those that this server does not have, or that the role may not see. */
  settings: Record<Setting, string | null>;
  /** Whether the role may see all settings. */
  seesAll: boolean;
  /** The price of `@@`, by which searches are planned. */
  matchPrice: number;
  /** Distributed tables whose shards can't be moved while they are written to. */
  withoutIdentity: string[];
  connections: number;
  databaseBytes: number;
  standbys: Standby[];
  /** How far its clock is ahead of ours, in milliseconds, and by how much that may be wrong. */
  clockAheadMs: number;
  clockDoubtMs: number;
  /** The statement that has run for longest, in milliseconds; null when none runs. */
  longestMs: number | null;
}

export interface Standby {
  name: string;
  /** Such as sync, quorum, potential or async; null where the role may not see it. */
  syncState: string | null;
  /** How far it is behind; null where the role may not see it. */
  lagMs: number | null;
  lagBytes: number | null;
}

const settingNames = [
  "shared_preload_libraries",
  "wal_level",
  "max_connections",
  "max_prepared_transactions",
  "max_worker_processes",
  "max_wal_senders",
  "max_replication_slots",
  "output_plugin_libraries",
  "synchronous_standby_names",
  "synchronous_commit",
  "citus.node_conninfo",
] as const;
export type Setting = (typeof settingNames)[number];

type Said = Omit<Facts, "settings" | "withoutIdentity" | "standbys" | "clockAheadMs" | "clockDoubtMs"> & {
  settings: Partial<Record<Setting, string>> | null;
};
const facts = unprepared<Said>(`
  SELECT current_setting('server_version') AS version,
    (SELECT extversion FROM pg_extension WHERE extname = 'citus') AS citus,
    (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()) AS encoding,
    (SELECT datcollate || ' ' || datctype FROM pg_database WHERE datname = current_database()) AS collation,
    (SELECT json_object_agg(name, current_setting(name)) FROM pg_settings WHERE name = any($1::text[])) AS settings,
    pg_has_role('pg_read_all_settings', 'USAGE') AND pg_has_role('pg_read_all_stats', 'USAGE') AS "seesAll",
    (SELECT procost FROM pg_proc WHERE oid = 'pg_catalog.ts_match_vq(tsvector, tsquery)'::regprocedure) AS "matchPrice",
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
    pg_database_size(current_database()) AS "databaseBytes",
    (SELECT extract(epoch FROM max(clock_timestamp() - query_start)) * 1000 FROM pg_stat_activity
     WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid())::float8 AS "longestMs"`);
/** Moves of shards are replicated as well. */
const standbys = unprepared<Standby>(`
  SELECT coalesce(application_name, '?') AS name, sync_state AS "syncState",
    (extract(epoch FROM coalesce(replay_lag, CASE WHEN state = 'streaming' THEN '0 s'::interval END)) * 1000)::float8
      AS "lagMs",
    CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) END::float8 AS "lagBytes"
  FROM pg_stat_replication r
  WHERE application_name NOT LIKE 'citus\\_%'
    AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
  ORDER BY application_name`);
const withoutIdentity = unprepared<{ table: string }>(`
  SELECT c.relname::text AS "table" FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid
  WHERE p.partmethod <> 'n' AND c.relreplident <> 'f' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid
    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)
  ORDER BY 1`);
const clock = unprepared<{ ms: number }>(`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`);

/** Asks one server. Throws Unreachable when it is away. */
export async function readFacts(server: Database): Promise<Facts> {
  const [said] = await server.run(facts, [settingNames]);
  const known = said!.settings ?? {};
  const settings = Object.fromEntries(settingNames.map((name) => [name, known[name] ?? null]));
  return {
    ...said!,
    settings: settings as Facts["settings"],
    standbys: await server.run(standbys),
    withoutIdentity: said!.citus === null ? [] : (await server.run(withoutIdentity)).map(({ table }) => table),
    ...(await readClock(server)),
  };
}

/** The connection is open by now, so that the question takes one round trip. */
async function readClock(server: Database): Promise<Pick<Facts, "clockAheadMs" | "clockDoubtMs">> {
  const before = Date.now();
  const [row] = await server.run(clock);
  const after = Date.now();
  return { clockAheadMs: row!.ms - (before + after) / 2, clockDoubtMs: (after - before) / 2 + 1 };
}
