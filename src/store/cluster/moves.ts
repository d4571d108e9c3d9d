import type { Node } from "../core/cluster.ts";
import type { Database } from "../core/database.ts";
import { type Executor, type Statement, unprepared } from "../core/sql.ts";
import { letTakeShards } from "./members.ts";
import type { Range } from "./shards.ts";

/** A move that Citus plans: of one shard, with those that lie beside it. */
export interface PlannedMove {
  /** Where the range of accounts begins; null for shards that hold no accounts. */
  min: number | null;
  from: string;
  to: string;
}

const plan = unprepared<PlannedMove>(`
  SELECT CASE WHEN t.colocationid = a.colocationid THEN s.shardminvalue::integer END AS min,
    p.sourcename || ':' || p.sourceport AS "from", p.targetname || ':' || p.targetport AS "to"
  FROM get_rebalance_table_shards_plan(drain_only => $1::boolean) p
    JOIN pg_dist_shard s ON s.shardid = p.shardid
    JOIN pg_dist_partition t ON t.logicalrelid = s.logicalrelid
    JOIN pg_dist_partition a ON a.logicalrelid = 'account'::regclass
  GROUP BY t.colocationid, s.shardminvalue, 1, 2, 3`);
const start = unprepared<{ job: number | null }>(`
  SELECT citus_rebalance_start(drain_only => $1::boolean, shard_transfer_mode => 'auto') AS job`);

/** A run of moves that Citus does in the background. */
export interface Job {
  job: number;
  state: "scheduled" | "running" | "finished" | "cancelling" | "cancelled" | "failing" | "failed";
  moves: number;
  done: number;
  /** What went wrong last; a move that failed is tried again. */
  trouble: string | null;
}

const jobs = unprepared<Job>(`
  SELECT j.job_id AS job, j.state::text AS state, count(t.task_id) AS moves,
    count(t.task_id) FILTER (WHERE t.status = 'done') AS done,
    (array_agg(t.message ORDER BY t.task_id) FILTER (WHERE t.status NOT IN ('done', 'running') AND t.message <> ''))[1]
      AS trouble
  FROM pg_dist_background_job j LEFT JOIN pg_dist_background_task t ON t.job_id = j.job_id
  WHERE j.job_type = 'rebalance' GROUP BY j.job_id, j.state ORDER BY j.job_id DESC LIMIT 1`);

/** A move that is under way. */
export interface Copying {
  from: string;
  to: string;
  bytes: number;
  copied: number;
}

const copying = unprepared<Copying>(`
  SELECT sourcename || ':' || sourceport AS "from", targetname || ':' || targetport AS "to",
    sum(source_shard_size)::bigint AS bytes, sum(target_shard_size)::bigint AS copied
  FROM get_rebalance_progress() WHERE progress > 0 GROUP BY 1, 2 ORDER BY 1, 2`);
const split = unprepared(`
  SELECT citus_split_shard_by_split_points($1::bigint, $2::text[], $3::integer[], 'block_writes')`);
const move = unprepared(`
  SELECT citus_move_shard_placement($1::bigint, $2::text, $3::integer,
    $4::text, $5::integer, 'auto')`);
const ownBackend = unprepared<{ pid: number }>(`SELECT pg_backend_pid() AS pid`);
const cancel = unprepared(`SELECT pg_cancel_backend($1::integer)`);
const reach = unprepared<{ from: string; to: string; reaches: boolean | null }>(`
  SELECT from_nodename || ':' || from_nodeport AS "from", to_nodename || ':' || to_nodeport AS "to", result AS reaches
  FROM citus_check_cluster_node_health()`);

/** What Citus would move to even out the bytes. */
export function planMoves(database: Database): Promise<PlannedMove[]> {
  // With many shards it takes longer than a statement outside a transaction may.
  return database.connected((executor) => executor.run(plan, [false]));
}

/** What Citus would move to empty a server. Nothing is changed. */
export async function planDrain(database: Database, node: Node): Promise<PlannedMove[]> {
  const undone = new Error("only planned");
  let planned: PlannedMove[] = [];
  const work = async (executor: Executor) => {
    await letTakeShards(executor, node, false);
    planned = await executor.run(plan, [true]);
    throw undone;
  };
  await database.transaction("BEGIN", work).catch((error: unknown) => {
    if (error !== undone) throw error;
  });
  return planned;
}

/** Starts the planned moves in the background. False if there is nothing to move. */
export async function startMoves(database: Database, isDrain: boolean): Promise<boolean> {
  const [row] = await database.connected((executor) => executor.run(start, [isDrain]));
  return (row?.job ?? 0) > 0;
}

/** The latest run of moves, whether or not it has ended. */
export async function latestJob(database: Database): Promise<Job | undefined> {
  return (await database.run(jobs))[0];
}

export const isUnderWay = ({ state }: Job) => ["scheduled", "running", "cancelling", "failing"].includes(state);

/** The moves under way. */
export function readCopying(database: Database): Promise<Copying[]> {
  return database.run(copying);
}

/** Which servers don't reach which. Null: the first one was not reached. */
export async function unreached(database: Database): Promise<{ from: string; to: string }[]> {
  return (await database.connected((executor) => executor.run(reach))).filter(({ reaches }) => reaches !== true);
}

/** Where the parts of a split shard go, by Citus's numbers of the nodes. */
export interface Split {
  range: Range;
  /** The hash of the account that gets a shard of its own. */
  hash: number;
  accountTo: number;
  othersTo: number;
}

/** The last hash of each part but the last one, and the node of each part. */
export function partsOf({ range: { min, max }, hash, accountTo, othersTo }: Split): {
  ends: string[];
  nodes: number[];
} {
  const before = hash > min ? [hash - 1] : [];
  const own = hash < max ? [hash] : [];
  return {
    ends: [...before, ...own].map(String),
    nodes: [...before.map(() => othersTo), accountTo, ...own.map(() => othersTo)],
  };
}

/**
 * Gives an account a shard of its own in each table. Writes to the old shard wait meanwhile. No part may go to the node
 * that has the shard now: a statement that has waited there would look at its part as it was before the split, empty, and
 * a mail would be lost. Through another node it looks anew.
 */
export function splitShard(database: Database, parts: Split, signal: AbortSignal): Promise<void> {
  const { ends, nodes } = partsOf(parts);
  return cancellable(database, signal, split, [parts.range.shard, ends, nodes]);
}

/**
 * For how long processes may take a shard to be where it was: each reads the places every 30 s (`core/nodes.ts`). A shard
 * must not return to a node before, for the same reason.
 */
export const settleMs = 35_000;

/** Moves a range of accounts. They are read and written meanwhile, but for a moment. */
export function moveShard(
  database: Database,
  { shard, from, to }: { shard: number; from: Node; to: Node },
  signal: AbortSignal,
): Promise<void> {
  return cancellable(database, signal, move, [shard, from.host, from.port, to.host, to.port]);
}

/** A request to cancel that comes before its statement has begun does nothing. */
const cancelEveryMs = 500;

/** Runs a long statement. When `signal` is aborted, the server undoes it, and the statement fails. */
async function cancellable(
  database: Database,
  signal: AbortSignal,
  statement: Statement<unknown>,
  values: unknown[],
): Promise<void> {
  await database.connected(async (executor) => {
    const [own] = await executor.run(ownBackend);
    if (signal.aborted) throw signal.reason;
    let asked: Promise<unknown> = Promise.resolve();
    let timer: NodeJS.Timeout | undefined;
    const stop = () => {
      asked = database.run(cancel, [own!.pid]).catch(() => {});
      timer = setTimeout(stop, cancelEveryMs);
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      await executor.run(statement, values);
    } finally {
      signal.removeEventListener("abort", stop);
      clearTimeout(timer);
      // Or it would meet the connection's next statement.
      await asked;
    }
  });
}
