import type { Database } from "../core/database.ts";

/** How safe what a server acknowledges is from the loss of that server. */
export interface Durability {
  /** Its name, as in the log and in /readyz. */
  server: string;
  synchronousStandbyNames: string;
  synchronousCommit: string;
  /** The standbys that are connected. Another role than pg_monitor's sees no more of them than their number. */
  standbys: { name: string | null; syncState: string | null }[];
}

const settings = `
  SELECT current_setting('synchronous_standby_names') AS "synchronousStandbyNames",
    current_setting('synchronous_commit') AS "synchronousCommit"`;
const standbys = `
  SELECT application_name AS name, sync_state AS "syncState" FROM pg_stat_replication ORDER BY application_name`;

/** Asks every server of the database, the main one first. Throws Unreachable when one is away. */
export function durabilities({ nodes }: Database): Promise<Durability[]> {
  return Promise.all(
    nodes.all.map(async (server) => {
      const [row] = (await server.query({ text: settings })).rows;
      const connected = (await server.query({ text: standbys })).rows;
      return { ...row, server: server.name, standbys: connected };
    }),
  );
}

/** Why a failover would lose what was acknowledged, or why nothing can be acknowledged now; empty if neither is so. */
export function faultsOf({ synchronousStandbyNames, synchronousCommit, standbys }: Durability): string[] {
  if (synchronousStandbyNames === "") return ["synchronous_standby_names is empty: no commit waits for a standby"];
  const faults: string[] = [];
  if (synchronousCommit === "off" || synchronousCommit === "local")
    faults.push(`synchronous_commit is ${synchronousCommit}: no commit waits for a standby`);
  if (standbys.length === 0) faults.push("no standby is connected: commits wait until one is");
  return faults;
}
