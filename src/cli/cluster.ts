import { clusterStatus } from "../admin/cluster.ts";
import {
  type Done,
  isolateAccount,
  type Lodging,
  moveAccount,
  previewIsolation,
  previewMove,
} from "../admin/cluster-accounts.ts";
import { checkCluster } from "../admin/cluster-check.ts";
import {
  drainNode,
  type MovesEnd,
  previewDrain,
  previewRebalance,
  rebalance,
  type Watch,
} from "../admin/cluster-moves.ts";
import { addNode, type NewNode, nodeOf, previewNode } from "../admin/cluster-nodes.ts";
import { showSize } from "../config/values.ts";
import { configWarnings } from "./cluster-config.ts";
import {
  checkText,
  counted,
  lodgingText,
  movesText,
  progressText,
  secondsText,
  splitText,
  statusText,
  sumText,
  waitText,
} from "./cluster-words.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { withProgress } from "./progress.ts";
import { confirm, answer as tell } from "./prompt.ts";

export async function status(context: Context): Promise<void> {
  const found = await clusterStatus(context.admin);
  tell(context, found, statusText(found));
  if (found.servers.some(({ trouble }) => trouble !== null)) process.exitCode = 1;
}

export async function check(context: Context): Promise<void> {
  const { admin, config, loaded } = context;
  const found = await checkCluster(admin, { hasFailover: config.databaseUrl !== "" });
  found.push(...configWarnings(loaded, process.env));
  tell(context, found, checkText(found));
  if (found.some(({ isFault }) => isFault)) process.exitCode = 1;
}

export async function addOne(context: Context, host: string): Promise<void> {
  const isDryRun = context.options.dryRun === true;
  const found = isDryRun ? await previewNode(context.admin, host) : await addNode(context.admin, host);
  tell(context, found, [...found.warnings.map((text) => `warning: ${text}`), nodeText(found, isDryRun)].join("\n"));
}

function nodeText({ node, isMember, wasDrained, servers, bytes }: NewNode, isDryRun: boolean): string {
  if (isMember && !wasDrained) return `${node} is a node of this cluster, and has no fault.`;
  const share = `about ${showSize(bytes / (servers + 1))} of ${showSize(bytes)}`;
  const next = bytes === 0 ? "posthorn migrate places shards on it" : `posthorn cluster rebalance moves ${share} to it`;
  if (isDryRun) return `${node} has no fault: it would be ${isMember ? "taken back" : "added"}. Then ${next}.`;
  return `${isMember ? "Took back" : "Added"} ${node}. It holds no accounts yet: ${next}.`;
}

export async function drain(context: Context, host: string): Promise<void> {
  const { admin, options } = context;
  if (options.dryRun) {
    const moves = await previewDrain(admin, host);
    return tell(context, moves, `${movesText(moves)}\nThis would move ${sumText(moves)}.`);
  }
  const end = await followed((watch) => drainNode(admin, host, watch));
  mustHaveEnded(end);
  const { host: name, port } = nodeOf(host);
  const removal = `SELECT citus_remove_node('${name}', ${port})`;
  const words = `${host} holds no accounts now, only what is on every node. To take it out, run on the coordinator: ${removal}`;
  tell(context, end, words);
}

export async function even(context: Context): Promise<void> {
  const { admin, options } = context;
  if (options.dryRun) {
    const moves = await previewRebalance(admin);
    const words = moves.length === 0 ? "The nodes are even: nothing would move." : movesText(moves);
    return tell(context, moves, moves.length === 0 ? words : `${words}\nThis would move ${sumText(moves)}.`);
  }
  const end = await followed((watch) => rebalance(admin, watch));
  mustHaveEnded(end);
  tell(context, end, end ? `Done: ${counted(end.moves, "move")}.` : "The nodes are even: nothing moved.");
}

/** Fails, in words, unless all was moved. */
function mustHaveEnded(end: MovesEnd): asserts end is Exclude<MovesEnd, "left"> {
  if (end === "left") {
    throw new Failure(
      "the moves go on in the background: run this again to follow them; to stop them, run on the coordinator: SELECT citus_rebalance_stop()",
    );
  }
  if (end && end.state !== "finished")
    throw new Failure(
      `${end.state} after ${end.done} of ${end.moves} moves: ${end.trouble ?? "no reason given"}; run it again to go on`,
    );
}

export async function isolate(context: Context, address: string): Promise<void> {
  const { admin, options } = context;
  const lodging = await previewIsolation(admin, address);
  if (lodging.isAlone || options.dryRun) return tell(context, lodging, lodgingWords(lodging));
  await agreed(context, lodging);
  const done = await followed((watch) => isolateAccount(admin, address, watch));
  tell(context, { ...lodging, ...done }, `${lodging.login} has a shard of its own now.${waitedText(done)}`);
}

export async function move(context: Context, address: string, host: string): Promise<void> {
  const { admin, options } = context;
  const lodging = await previewMove(admin, address, host);
  const isThere = lodging.isAlone && lodging.node === lodging.to;
  if (isThere || options.dryRun) {
    const then = isThere ? "" : ` It would move to ${lodging.to}.`;
    return tell(context, lodging, `${lodgingWords(lodging)}${then}`);
  }
  if (!lodging.isAlone) await agreed(context, lodging);
  const done = await followed((watch) => moveAccount(admin, address, host, watch));
  const words = `${lodging.login} is on ${lodging.to} now, in a shard of its own.${waitedText(done)}`;
  tell(context, { ...lodging, ...done }, words);
}

const waitedText = ({ splitMs }: Done) => (splitMs === 0 ? "" : ` Writes waited for at most ${secondsText(splitMs)}.`);

function lodgingWords(lodging: Lodging): string {
  return lodging.isAlone ? lodgingText(lodging) : `${lodgingText(lodging)} ${splitText(lodging)}`;
}

async function agreed({ options }: Context, lodging: Lodging): Promise<void> {
  if (options.yes) return;
  if (!(await confirm(`${lodgingWords(lodging)} Do it now?`, waitText(lodging))))
    throw new Failure("nothing was changed");
}

const queryCanceled = "57014";

/** Shows how far the work is. The first ^C ends it as soon as that is safe, a second one ends the command at once. */
async function followed<T>(work: (watch: Watch) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const stop = () => abort.abort(Object.assign(new Error("interrupted"), { code: queryCanceled }));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    return await withProgress((show) =>
      work({ follow: (progress) => show(progressText(progress)), signal: abort.signal }),
    );
  } catch (error) {
    if ((error as { code?: string }).code !== queryCanceled) throw error;
    throw new Failure("interrupted: the step under way was undone; run it again to go on");
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}
