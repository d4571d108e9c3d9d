import { setTimeout as sleep } from "node:timers/promises";
import { atServer, letTakeShards, type Member, readMembers } from "../store/cluster/members.ts";
import {
  type Copying,
  isUnderWay,
  type Job,
  latestJob,
  type PlannedMove,
  planDrain,
  planMoves,
  readCopying,
  startMoves,
  settleMs as usualSettleMs,
} from "../store/cluster/moves.ts";
import { countAccounts, readRanges, readSizes, type Size } from "../store/cluster/shards.ts";
import { nameOf } from "../store/core/cluster.ts";
import { type Admin, recordBefore } from "./admin.ts";
import { sum } from "./cluster.ts";
import { isMoving, memberOf, mustBeStill, mustHaveShards } from "./cluster-nodes.ts";
import { Refused } from "./refused.ts";

/** What moves from one server to another. */
export interface MoveSum {
  from: string;
  to: string;
  /** Ranges of accounts. Shards that hold no accounts are small, and not counted. */
  shards: number;
  accounts: number;
  bytes: number;
}

/** What is being done: shards are moved or split, or processes learn where they lie now. */
export interface Progress {
  step: "moving" | "splitting" | "settling";
  /** Of moves in the background. */
  job?: Job;
  copying: Copying[];
}

/** How long work is followed. */
export interface Watch {
  /** Called again and again meanwhile. */
  follow: (progress: Progress) => void;
  /** Ends the work as soon as that is safe. */
  signal: AbortSignal;
  /** How long processes are given to learn of new places. (Default: as long as they need.) */
  settleMs?: number;
}

/** How a run of moves ended. Null: there was nothing to move. "left": this command stopped looking, the moves go on. */
export type MovesEnd = Job | "left" | null;

export const pauseMs = 1_000;

/** What `rebalance` would move. Empty while the bytes are even. */
export async function previewRebalance(admin: Admin): Promise<MoveSum[]> {
  await mustHaveShards(admin);
  return summed(admin, await planMoves(admin.store.database));
}

/** Evens out the bytes of the servers. Citus does it in the background; called again meanwhile, it follows the same run. */
export async function rebalance(admin: Admin, watch: Watch): Promise<MovesEnd> {
  await mustHaveShards(admin);
  const { database } = admin.store;
  if (!(await isMoving(admin))) {
    if ((await planMoves(database)).length === 0) return null;
    await recordBefore(admin, { act: "nodes.rebalance" });
    if (!(await startMoves(database, false))) return null;
  }
  return followed(admin, watch);
}

/** What `drainNode` would move. */
export async function previewDrain(admin: Admin, text: string): Promise<MoveSum[]> {
  const { member } = await drainable(admin, text);
  return summed(admin, await planDrain(admin.store.database, member));
}

/** Moves all shards away from a server, and places none on it from now on. Called again, it goes on. */
export async function drainNode(admin: Admin, text: string, watch: Watch): Promise<MovesEnd> {
  const { member, isDrained } = await drainable(admin, text);
  const { database } = admin.store;
  if (!isDrained || !(await isMoving(admin))) {
    await mustBeStill(admin);
    if (!isDrained) {
      await recordBefore(admin, { act: "node.drain", node: nameOf(member) });
      await letTakeShards(database, member, false);
    }
    if (!(await startMoves(database, true))) return null;
  }
  return followed(admin, watch);
}

async function drainable(admin: Admin, text: string): Promise<{ member: Member; isDrained: boolean }> {
  await mustHaveShards(admin);
  const members = await readMembers(admin.store.database);
  const member = memberOf(members, text);
  const node = nameOf(member);
  if (member.group === 0) throw new Refused({ type: "takesNoShards", node });
  const others = members.filter((one) => one !== member && one.isPrimary && one.isActive && one.takesShards);
  if (others.length === 0) throw new Refused({ type: "lastNode", node });
  return { member, isDrained: !member.takesShards };
}

/** Looks once a second until the run ends or the signal is aborted. */
async function followed({ store: { database } }: Admin, watch: Watch): Promise<MovesEnd> {
  for (;;) {
    const job = await latestJob(database);
    if (!job) return null;
    if (!isUnderWay(job)) {
      await settle(watch);
      return job;
    }
    if (watch.signal.aborted) return "left";
    watch.follow({ step: "moving", job, copying: await readCopying(database).catch(() => []) });
    await pause(pauseMs, watch.signal);
  }
}

/** Resolves when every process knows where the shards lie. No signal ends it: the next command may move them back at once. */
export async function settle({ follow, settleMs = usualSettleMs }: Omit<Watch, "signal">): Promise<void> {
  follow({ step: "settling", copying: [] });
  await sleep(settleMs);
}

export const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => {});

async function summed(admin: Admin, planned: readonly PlannedMove[]): Promise<MoveSum[]> {
  const { database } = admin.store;
  const ranges = await readRanges(database);
  const accounts = await countAccounts(database, ranges);
  const from = new Set(planned.map((move) => move.from));
  const sources = (await readMembers(database)).filter((member) => member.isPrimary && from.has(nameOf(member)));
  const sizes = (await Promise.all(sources.map((member) => sizesAt(admin, member)))).flat();
  const bytes = new Map(sizes.map((size) => [size.min, size.bytes]));
  const held = ranges.map(({ min }, at) => [min, { accounts: accounts[at]!, bytes: bytes.get(min) ?? 0 }] as const);
  return sumMoves(planned, new Map(held));
}

/** `held`: what a range holds, by where it begins. */
export function sumMoves(
  planned: readonly PlannedMove[],
  held: ReadonlyMap<number, { accounts: number; bytes: number }>,
): MoveSum[] {
  const ways = Map.groupBy(planned, ({ from, to }) => `${from} ${to}`);
  return [...ways.values()].map((moves) => {
    const { from, to } = moves[0]!;
    const found = moves.flatMap(({ min }) => (min === null ? [] : [held.get(min) ?? { accounts: 0, bytes: 0 }]));
    const [accounts, bytes] = [found.map((one) => one.accounts), found.map((one) => one.bytes)];
    return { from, to, shards: found.length, accounts: sum(accounts), bytes: sum(bytes) };
  });
}

/** What the shards on a member take. */
export function sizesAt({ store: { database } }: Admin, member: Member): Promise<Size[]> {
  return member.group === 0 ? readSizes(database) : atServer(database, member, readSizes);
}
