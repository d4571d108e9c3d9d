import type { Database } from "../../src/store/core/database.ts";
import { unprepared } from "../../src/store/core/sql.ts";

export interface PlanNode {
  "Node Type": string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Shared Hit Blocks": number;
  "Shared Read Blocks": number;
  "Rows Removed by Filter"?: number;
  "Heap Fetches"?: number;
  Plans?: PlanNode[];
}
interface Explained {
  Plan: PlanNode & { "Distributed Query"?: { Job: { Tasks: { "Remote Plan": [[Explained]] }[] } } };
}

/** Runs a statement and returns how it was done; on Citus by its shard, whose indexes are named as the table's. */
export async function explain(database: Database, text: string, values: readonly unknown[]): Promise<PlanNode> {
  const [row] = await database.run(
    unprepared<{ "QUERY PLAN": [Explained] }>(`EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${text}`),
    values,
  );
  const { Plan: plan } = row!["QUERY PLAN"][0];
  const tasks = plan["Distributed Query"]?.Job.Tasks;
  if (tasks === undefined) return plan;
  if (tasks.length !== 1) throw new Error(`it was ${tasks.length} tasks: ${text}`);
  const remote = tasks[0]!["Remote Plan"][0][0].Plan;
  for (const node of nodesOf(remote)) {
    if (node["Index Name"]) node["Index Name"] = node["Index Name"].replace(/_\d+$/, "");
  }
  return remote;
}

/** A plan's node and all below it. */
export function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
