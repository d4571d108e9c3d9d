import type { Database } from "./database.ts";
import { unprepared } from "./sql.ts";

/** A server of a Citus cluster. */
export interface Node {
  host: string;
  port: number;
}

const allNodes = unprepared<Node>(`
  SELECT nodename AS host, nodeport AS port FROM pg_dist_node WHERE noderole = 'primary' AND isactive ORDER BY nodeid`);

/** The servers of the cluster, by the catalogue of the one that we are connected to; none on plain Postgres. */
export async function findNodes(database: Database): Promise<Node[]> {
  return (await database.nodes.isCitus()) ? database.run(allNodes) : [];
}

export const nameOf = ({ host, port }: Node): string => `${host}:${port}`;

const ask = unprepared<{ success: boolean; result: string | null }>(
  "SELECT success, result FROM master_run_on_worker(ARRAY[$1::text], ARRAY[$2::integer], ARRAY[$3::text], false)",
);

/** Runs a command on one server by itself; returns the first column of its first row. */
export async function askNode(database: Database, { host, port }: Node, command: string): Promise<string | null> {
  const [told] = await database.run(ask, [host, port, command]);
  if (!told!.success) throw new Error(told!.result ?? "no answer");
  return told!.result;
}
