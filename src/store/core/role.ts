import type pg from "pg";

/** What a server says of itself. */
export interface Role {
  isStandby: boolean;
  isReadOnly: boolean;
  /** Postgres raises it whenever a standby is promoted. Null on a standby. */
  timeline: number | null;
  /** It waits for a standby at each commit, and none is connected. */
  isAlone: boolean;
  /** On Citus: which node it is, or which node's standby; 0 is the coordinator. */
  group: number | null;
}

const question = `
  SELECT pg_is_in_recovery() AS "isStandby", current_setting('transaction_read_only') = 'on' AS "isReadOnly",
    CASE WHEN NOT pg_is_in_recovery()
      THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END AS timeline,
    current_setting('synchronous_standby_names') <> ''
      AND NOT EXISTS (SELECT FROM pg_stat_replication) AS "isAlone",
    to_regclass('pg_dist_local_group') IS NOT NULL AS "isOnCitus"`;
const ownGroup = "SELECT groupid AS group FROM pg_dist_local_group";

export async function roleOf(client: Pick<pg.ClientBase, "query">): Promise<Role> {
  const { rows } = await client.query<Omit<Role, "group"> & { isOnCitus: boolean }>(question);
  const { isOnCitus, ...role } = rows[0]!;
  const found = isOnCitus ? await client.query<{ group: number }>(ownGroup) : undefined;
  return { ...role, group: found?.rows[0]?.group ?? null };
}

/**
 * The newest timeline that is known of a server and its standbys. A primary with an older one was replaced by its standby
 * and has come back: it must not be used.
 */
export class Fence {
  readonly #group: number;
  #timeline = 0;

  /** `group`: 0 for plain Postgres and the coordinator. */
  constructor(group: number) {
    this.#group = group;
  }

  get timeline(): number {
    return this.#timeline;
  }

  raise(timeline: number): void {
    this.#timeline = Math.max(this.#timeline, timeline);
  }

  /**
   * Why the server may not be used; undefined if it may, and then others are measured by it. `isSure`: were there another
   * primary, it would be known.
   */
  objection({ isStandby, isReadOnly, timeline, isAlone, group }: Role, isSure: boolean): string | undefined {
    if (group !== null && group !== this.#group) return "is another node of Citus";
    if (isStandby || timeline === null) return "is a standby";
    if (isReadOnly) return "is read-only";
    if (timeline < this.#timeline) return "was replaced by its standby";
    if (isAlone && !isSure) return "has lost its standbys, and may have been replaced";
    this.raise(timeline);
    return undefined;
  }
}
