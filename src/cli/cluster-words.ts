import type { ClusterStatus, ServerStatus } from "../admin/cluster.ts";
import type { Lodging } from "../admin/cluster-accounts.ts";
import type { Checked } from "../admin/cluster-check.ts";
import type { MoveSum, Progress } from "../admin/cluster-moves.ts";
import { showSize } from "../config/values.ts";
import { table } from "./prompt.ts";

export function statusText({ isCitus, servers, job, everywhere, coordinatorOnly }: ClusterStatus): string {
  const heading = ["NODE", "ROLE", "STATE", "SHARDS", "ACCOUNTS", "BYTES", "LAG", "LONGEST STATEMENT"];
  const rows = servers.map((server) => [
    server.name,
    server.role,
    stateOf(server),
    server.role === "worker" ? String(server.shards) : "-",
    server.role === "standby" ? "-" : String(server.accounts),
    server.bytes === null ? "?" : showSize(server.bytes),
    server.trouble === null ? lagText(server) : "?",
    server.longestMs === null ? "-" : secondsText(server.longestMs),
  ]);
  const lines = [table([heading, ...rows])];
  for (const { name, trouble } of servers) if (trouble !== null) lines.push(`${name} can't be asked: ${trouble}`);
  if (job) lines.push(`Shards are being moved: ${job.done} of ${job.moves} (see: posthorn cluster rebalance).`);
  if (!isCitus) lines.push("A plain Postgres, which has no nodes to share accounts among.");
  else
    lines.push(`On every node: ${everywhere.join(", ")}.`, `On the coordinator alone: ${coordinatorOnly.join(", ")}.`);
  return lines.join("\n");
}

function stateOf({ trouble, isActive, takesShards, role, shards }: ServerStatus): string {
  if (trouble !== null) return "away";
  if (!isActive) return "not active";
  if (role !== "worker" || takesShards) return "well";
  return shards > 0 ? "draining" : "drained";
}

/** How far each standby is behind. */
function lagText({ standbys }: ServerStatus): string {
  if (standbys.length === 0) return "no standby";
  return standbys
    .map(({ name, syncState, lagMs, lagBytes }) => {
      const lag = [lagMs === null ? "?" : secondsText(lagMs), ...(lagBytes ? [showSize(lagBytes)] : [])].join(", ");
      return `${name} (${syncState ?? "?"}) ${lag}`;
    })
    .join("; ");
}

export function secondsText(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

export function checkText(checked: readonly Checked[]): string {
  const lines = checked.map(({ server, isFault, problem }) =>
    [isFault ? "FAULT" : "warning", server === null ? "" : ` ${server}`, `: ${problem}`].join(""),
  );
  const faults = checked.filter(({ isFault }) => isFault).length;
  if (checked.length === 0) return "All is well.";
  return [...lines, `${counted(faults, "fault")}, ${counted(checked.length - faults, "warning")}.`].join("\n");
}

export function movesText(moves: readonly MoveSum[]): string {
  const rows = moves.map(({ from, to, shards, accounts, bytes }) => [
    from,
    to,
    String(shards),
    String(accounts),
    showSize(bytes),
  ]);
  return table([["FROM", "TO", "SHARDS", "ACCOUNTS", "BYTES"], ...rows]);
}

export function sumText(moves: readonly MoveSum[]): string {
  const total = (of: (move: MoveSum) => number) => moves.reduce((all, move) => all + of(move), 0);
  const accounts = counted(
    total((move) => move.accounts),
    "account",
  );
  return `${accounts} in ${counted(
    total((move) => move.shards),
    "shard",
  )}, ${showSize(total((move) => move.bytes))}`;
}

/** Where the account lies and with whom. */
export function lodgingText({ login, node, bytes, isAlone, others, named }: Lodging): string {
  if (isAlone) return `${login} has a shard of its own on ${node}, of ${showSize(bytes)}.`;
  const more = others - named.length;
  const names = [...named, ...(more > 0 ? [`${more} more`] : [])];
  const with_ = others === 0 ? "no other account" : `${counted(others, "other account")} (${names.join(", ")})`;
  return `${login} is on ${node}, in a shard of ${showSize(bytes)} with ${with_}.`;
}

/** What happens while the account is given a shard of its own. */
export function splitText(lodging: Lodging): string {
  const way = `To be split, the shard moves to ${lodging.by} and back, which takes a minute and more`;
  return `${way}; on its way back, ${waitText(lodging)}.`;
}

/** Who waits, for how long, and what comes of it. */
export function waitText({ others, waitMs }: Lodging): string {
  const whose = others === 0 ? "this account" : `this account and ${counted(others, "other")}`;
  const howLong = `${Math.ceil(waitMs / 1_000)} s`;
  return `writes of ${whose} wait for about ${howLong} (after 10 s, changes by clients fail; mail is delivered late)`;
}

const steps = {
  moving: "moving",
  splitting: "splitting the shard, writes wait",
  settling: "waiting until every process knows the new places",
};

export function progressText({ step, job, copying }: Progress): string {
  const parts = job ? [`${job.done} of ${job.moves} moves done`] : [];
  for (const { from, to, bytes, copied } of copying)
    parts.push(`${from} to ${to}: ${showSize(copied)} of ${showSize(bytes)} copied`);
  if (copying.length === 0 && job?.trouble) parts.push(`trying again: ${job.trouble.split("\n")[0]}`);
  return parts.join("; ") || steps[step];
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
