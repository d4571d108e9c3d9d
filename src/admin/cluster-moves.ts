import { setTimeout as sleep } from "node:timers/promises";
import { atServer, letTakeShards, type Member, readMembers } from "../store/cluster/members.ts";
import {
  type Copying,
  isolateAccount as isolate,
  isUnderWay,
  type Job,
  latestJob,
  moveShard,
  type PlannedMove,
  planDrain,
  planMoves,
  readCopying,
  startMoves,
} from "../store/cluster/moves.ts";
import { countAccounts, loginsIn, type Range, rangeOf, readRanges, readSizes } from "../store/cluster/shards.ts";
import { type Node, nameOf } from "../store/core/cluster.ts";
import { type Admin, recordBefore } from "./admin.ts";
import { sum } from "./cluster.ts";
import { memberOf, mustHaveShards } from "./cluster-nodes.ts";
import { loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** What moves from one server to another. */
export interface MoveSum {
  from: string;
  to: string;
  /** Ranges of accounts; shards that hold no accounts are counted by their bytes alone. */
  shards: number;
  accounts: number;
  bytes: number;
}

/** Called again and again while shards are moved. */
export type Follow = (progress: { job: Job | undefined; copying: Copying[] }) => void;

/** How a run of moves ended. Null: there was nothing to move. "left": this command stopped looking, the moves go on. */
export type MovesEnd = Job | "left" | null;

const pauseMs = 1_000;

/** What `rebalance` would move. Empty while the bytes are even. */
export async function previewRebalance(admin: Admin): Promise<MoveSum[]> {
  await mustHaveShards(admin);
  return summed(admin, await planMoves(admin.store.database));
}

/** Evens out the bytes of the servers. Citus does it in the background; called again meanwhile, it follows the same run. */
export async function rebalance(admin: Admin, follow: Follow, signal: AbortSignal): Promise<MovesEnd> {
  await mustHaveShards(admin);
  const { database } = admin.store;
  if (!(await isMoving(admin))) {
    if ((await planMoves(database)).length === 0) return null;
    await recordBefore(admin, { act: "nodes.rebalance" });
    if (!(await startMoves(database, false))) return null;
  }
  return followed(admin, follow, signal);
}

/** What `drainNode` would move. */
export async function previewDrain(admin: Admin, text: string): Promise<MoveSum[]> {
  const { member } = await drainable(admin, text);
  return summed(admin, await planDrain(admin.store.database, member));
}

/** Moves all shards away from a server, and places none on it from now on. Called again, it goes on. */
export async function drainNode(admin: Admin, text: string, follow: Follow, signal: AbortSignal): Promise<MovesEnd> {
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
  return followed(admin, follow, signal);
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

async function isMoving({ store }: Admin): Promise<boolean> {
  const job = await latestJob(store.database);
  return job !== undefined && isUnderWay(job);
}

async function mustBeStill(admin: Admin): Promise<void> {
  if (await isMoving(admin)) throw new Refused({ type: "movesUnderWay" });
}

/** Looks once a second until the run ends or `signal` is aborted. */
async function followed({ store: { database } }: Admin, follow: Follow, signal: AbortSignal): Promise<MovesEnd> {
  for (;;) {
    const job = await latestJob(database);
    if (!job || !isUnderWay(job)) return job ?? null;
    if (signal.aborted) return "left";
    follow({ job, copying: await readCopying(database) });
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

async function summed({ store: { database } }: Admin, planned: readonly PlannedMove[]): Promise<MoveSum[]> {
  const ranges = await readRanges(database);
  const accounts = await countAccounts(database, ranges);
  const counts = new Map(ranges.map(({ min }, at) => [min, accounts[at]!]));
  return sumMoves(planned, counts);
}

/** `accounts`: how many lie in a range, by where it begins. */
export function sumMoves(planned: readonly PlannedMove[], accounts: ReadonlyMap<number, number>): MoveSum[] {
  const ways = Map.groupBy(planned, ({ from, to }) => `${from} ${to}`);
  return [...ways.values()].map((moves) => {
    const { from, to } = moves[0]!;
    const starts = moves.flatMap(({ min }) => (min === null ? [] : [min]));
    return {
      from,
      to,
      shards: starts.length,
      accounts: sum(starts.map((min) => accounts.get(min) ?? 0)),
      bytes: sum(moves.map(({ bytes }) => bytes)),
    };
  });
}

/** Where an account lies, and with whom. */
export interface Lodging {
  login: string;
  node: string;
  /** Of all accounts in its shard, its own included. */
  bytes: number;
  /** Whether it has its shard to itself. */
  isAlone: boolean;
  /** Other accounts in its shard: how many, and the first of them. */
  others: number;
  named: string[];
  /** For how long writes to the shard would wait while the account is given one of its own, by what was measured. */
  waitMs: number;
}

interface Found extends Lodging {
  userId: number;
  range: Range;
  member: Member;
}

/** As many neighbours as are named. */
const maxNamed = 20;
const fixedWaitMs = 3_000;
const bytesPerMs = 5_000;

/** For how long writes wait while a shard of so many bytes is split. */
export const waitMsFor = (bytes: number) => fixedWaitMs + bytes / bytesPerMs;

export async function previewIsolation(admin: Admin, text: string): Promise<Lodging> {
  return shown(await find(admin, text));
}

/**
 * Gives an account a shard of its own, on the same server. Writes to its old shard wait meanwhile; if `signal` is aborted,
 * nothing has changed. False if it had one.
 */
export async function isolateAccount(admin: Admin, text: string, signal: AbortSignal): Promise<boolean> {
  const { isAlone, userId } = await find(admin, text);
  if (isAlone) return false;
  await mustBeStill(admin);
  await recordBefore(admin, { act: "account.isolate", account: userId });
  await isolate(admin.store.database, userId, signal);
  return true;
}

/** What `moveAccount` would do, and where to. */
export async function previewMove(admin: Admin, text: string, to: string): Promise<Lodging & { to: string }> {
  const target = await targetOf(admin, to);
  return { ...shown(await find(admin, text)), to: nameOf(target) };
}

/** Moves an account to a server, in a shard of its own, which it is given if it has none. False if it was there. */
export async function moveAccount(
  admin: Admin,
  text: string,
  to: string,
  follow: Follow,
  signal: AbortSignal,
): Promise<boolean> {
  const target = await targetOf(admin, to);
  const { database } = admin.store;
  await isolateAccount(admin, text, signal);
  const { member, range, userId } = await find(admin, text);
  if (member.group === target.group) return false;
  await mustBeStill(admin);
  await recordBefore(admin, { act: "account.move", account: userId, node: nameOf(target) });
  const done = new AbortController();
  const looking = look(admin, follow, done.signal);
  try {
    await moveShard(database, { shard: range.shard, from: member, to: target }, signal);
  } finally {
    done.abort();
    await looking;
  }
  return true;
}

/** Tells how far moves are until `signal` is aborted. */
async function look({ store: { database } }: Admin, follow: Follow, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const copying = await readCopying(database).catch(() => []);
    follow({ job: undefined, copying });
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

async function targetOf(admin: Admin, text: string): Promise<Member> {
  await mustHaveShards(admin);
  const target = memberOf(await readMembers(admin.store.database), text);
  if (!target.isActive || !target.takesShards) throw new Refused({ type: "takesNoShards", node: nameOf(target) });
  return target;
}

async function find(admin: Admin, text: string): Promise<Found> {
  await mustHaveShards(admin);
  const { database } = admin.store;
  const { login, userId } = await loginOf(admin, text);
  const ranges = await readRanges(database);
  const range = rangeOf(ranges, userId);
  const member = (await readMembers(database)).find(({ group, isPrimary }) => isPrimary && group === range.group)!;
  const bytes = sum((await sizesAt(admin, member)).filter(({ min }) => min === range.min).map((size) => size.bytes));
  const neighbours = (await countAccounts(database, ranges))[ranges.indexOf(range)]! - 1;
  const named = (await loginsIn(database, range, maxNamed + 1)).filter((name) => name !== login).slice(0, maxNamed);
  const isAlone = range.min === range.max;
  const place = { login, userId, range, member, node: nameOf(member), bytes };
  return { ...place, isAlone, others: neighbours, named, waitMs: isAlone ? 0 : waitMsFor(bytes) };
}

function sizesAt({ store: { database } }: Admin, member: Node & { group: number }) {
  return member.group === 0 ? readSizes(database) : atServer(database, member, readSizes);
}

function shown({ userId: _, range: __, member: ___, ...lodging }: Found): Lodging {
  return lodging;
}
