import type { Command } from "commander";
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
import { type Context, examples, onStore } from "./command.ts";
import { Failure } from "./fail.ts";
import { withProgress } from "./progress.ts";
import { confirm, say } from "./prompt.ts";

const jsonHelp = "print JSON";
const dryRunHelp = "only say what would move: bytes, accounts, from where to where";
const yesHelp = "do not ask for confirmation";

export function addClusterCommands(program: Command): void {
  const cluster = program
    .command("cluster")
    .description("the servers of the database: their state and faults; on Citus also nodes and where accounts lie");
  const add = (command: Command, run: (context: Context, ...args: string[]) => Promise<void>, ...lines: string[]) =>
    onStore(command.option("--json", jsonHelp).addHelpText("after", examples(...lines)), run, { migrates: false });

  add(
    cluster
      .command("status")
      .description("each server: its accounts, their bytes, how far its standbys are behind, its longest statement"),
    status,
    "cluster status",
    "cluster status --json",
  );
  add(
    cluster
      .command("check")
      .description(
        "look for wrong settings, versions and clocks, and for what a failover would lose; exit code 1 on a fault",
      ),
    check,
    "cluster check",
  );
  add(
    cluster
      .command("add-node <host>")
      .description(
        "check a server (host or host:port) as check does, and add it to the cluster, or take back a drained one; " +
          "it gets accounts with rebalance",
      )
      .option("--dry-run", "only check the server"),
    addOne,
    "cluster add-node pg3.example.org --dry-run",
    "cluster add-node pg3.example.org:5433",
  );
  add(
    cluster
      .command("drain-node <host>")
      .description("move all accounts away from a node, while they are used; run it again to follow or to go on")
      .option("--dry-run", dryRunHelp),
    drain,
    "cluster drain-node pg1.example.org --dry-run",
  );
  add(
    cluster
      .command("rebalance")
      .description(
        "move shards until all nodes hold about as many bytes, while they are used; run it again to follow or to go on",
      )
      .option("--dry-run", dryRunHelp),
    even,
    "cluster rebalance --dry-run",
    "cluster rebalance",
  );
  add(
    cluster
      .command("isolate-account <address>")
      .description("give an account a shard of its own, on its node; writes to its old shard wait for some seconds")
      .option("--dry-run", "only say who shares its shard, and how long writes would wait")
      .option("--yes", yesHelp),
    isolate,
    "cluster isolate-account big@example.org --dry-run",
  );
  add(
    cluster
      .command("move-account <address> <host>")
      .description("move an account to a node, after isolate-account if it shares its shard")
      .option("--dry-run", "only say what would move and who would wait")
      .option("--yes", yesHelp),
    move,
    "cluster move-account big@example.org pg3.example.org --dry-run",
  );
}

/** Prints the value as JSON if asked to, else in words. */
function tell({ options }: Context, value: unknown, words: string): void {
  say(options.json ? JSON.stringify(value, null, 2) : words);
}

async function status(context: Context): Promise<void> {
  const found = await clusterStatus(context.admin);
  tell(context, found, statusText(found));
  if (found.servers.some(({ trouble }) => trouble !== null)) process.exitCode = 1;
}

async function check(context: Context): Promise<void> {
  const { admin, config, loaded } = context;
  const found = await checkCluster(admin, { hasFailover: config.databaseUrl !== "" });
  found.push(...configWarnings(loaded, process.env));
  tell(context, found, checkText(found));
  if (found.some(({ isFault }) => isFault)) process.exitCode = 1;
}

async function addOne(context: Context, host: string): Promise<void> {
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

async function drain(context: Context, host: string): Promise<void> {
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

async function even(context: Context): Promise<void> {
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

async function isolate(context: Context, address: string): Promise<void> {
  const { admin, options } = context;
  const lodging = await previewIsolation(admin, address);
  if (lodging.isAlone || options.dryRun) return tell(context, lodging, lodgingWords(lodging));
  await agreed(context, lodging);
  const done = await followed((watch) => isolateAccount(admin, address, watch));
  tell(context, { ...lodging, ...done }, `${lodging.login} has a shard of its own now.${waitedText(done)}`);
}

async function move(context: Context, address: string, host: string): Promise<void> {
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
