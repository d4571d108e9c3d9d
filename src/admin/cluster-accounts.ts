import { type Member, readMembers } from "../store/cluster/members.ts";
import { moveShard, readCopying, splitShard } from "../store/cluster/moves.ts";
import { countAccounts, loginsIn, type Range, rangeOf, readRanges } from "../store/cluster/shards.ts";
import { nameOf } from "../store/core/cluster.ts";
import { hashOf } from "../store/core/node-of.ts";
import { type Admin, recordBefore } from "./admin.ts";
import { sum } from "./cluster.ts";
import { pause, pauseMs, settle, sizesAt, type Watch } from "./cluster-moves.ts";
import { memberOf, mustBeStill, mustHaveShards } from "./cluster-nodes.ts";
import { loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

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
  /** The node to which the shard is taken to be split; null if it need not be. */
  by: string | null;
  /** For about how long writes to the shard would wait then. */
  waitMs: number;
}

/** What was done, in milliseconds. */
export interface Done {
  /** For how long the shard was being split, so that writes waited; 0 if that was not needed. */
  splitMs: number;
  /** Whether the account was moved to another node. */
  hasMoved: boolean;
}

interface Found {
  lodging: Lodging;
  userId: number;
  range: Range;
  home: Member;
  /** The node to which the shard is taken to be split. Defined unless the account is alone. */
  by: Member | undefined;
}

/** As many neighbours as are named. */
const maxNamed = 20;
const fixedWaitMs = 3_000;
const bytesPerMs = 5_000;

/** For about how long writes wait while a shard of so many bytes is split. */
export const waitMsFor = (bytes: number) => fixedWaitMs + bytes / bytesPerMs;

export async function previewIsolation(admin: Admin, text: string): Promise<Lodging> {
  return (await find(admin, text)).lodging;
}

/**
 * Gives an account a shard of its own on its node. The shard is moved to another node first, while it is used, and comes
 * back in parts; writes wait while it does. When the signal is aborted, the step under way is undone; called again, it goes on.
 */
export async function isolateAccount(admin: Admin, text: string, watch: Watch): Promise<Done> {
  const found = await find(admin, text);
  if (found.lodging.isAlone) return { splitMs: 0, hasMoved: false };
  await mustBeStill(admin);
  await recordBefore(admin, { act: "account.isolate", account: found.userId });
  const splitMs = await isolate(admin, found, found.home, watch);
  await settle(watch);
  return { splitMs, hasMoved: false };
}

/** What `moveAccount` would do. */
export async function previewMove(admin: Admin, text: string, to: string): Promise<Lodging & { to: string }> {
  const target = await targetOf(admin, to);
  return { ...(await find(admin, text, target)).lodging, to: nameOf(target) };
}

/** Moves an account to a node, in a shard of its own, which it is given first if it has none. Called again, it goes on. */
export async function moveAccount(admin: Admin, text: string, to: string, watch: Watch): Promise<Done> {
  const target = await targetOf(admin, to);
  const found = await find(admin, text, target);
  const { lodging, userId, home, by } = found;
  if (lodging.isAlone && home.group === target.group) return { splitMs: 0, hasMoved: false };
  await mustBeStill(admin);
  await recordBefore(admin, { act: "account.move", account: userId, node: nameOf(target) });
  let splitMs = 0;
  if (!lodging.isAlone) {
    // From a third node its part goes to the target at once.
    const accountTo = by?.group === target.group ? home : target;
    splitMs = await isolate(admin, found, accountTo, watch);
    await settle(watch);
    watch.signal.throwIfAborted();
  }
  const now = await find(admin, text);
  if (now.home.group !== target.group) {
    await moved(admin, { range: now.range, from: now.home, to: target }, watch);
    await settle(watch);
  }
  return { splitMs, hasMoved: home.group !== target.group };
}

/** Moves the shard away, and splits it back: its part to `accountTo`, the others to where they were. Returns how long writes waited. */
async function isolate(
  admin: Admin,
  { range, userId, home, by }: Found,
  accountTo: Member,
  watch: Watch,
): Promise<number> {
  await moved(admin, { range, from: home, to: by! }, watch);
  await settle(watch);
  watch.signal.throwIfAborted();
  const start = performance.now();
  watch.follow({ step: "splitting", copying: [] });
  const hash = hashOf(userId);
  await splitShard(admin.store.database, { range, hash, accountTo: accountTo.id, othersTo: home.id }, watch.signal);
  return Math.round(performance.now() - start);
}

async function moved(
  { store: { database } }: Admin,
  { range, from, to }: { range: Range; from: Member; to: Member },
  watch: Watch,
): Promise<void> {
  const done = new AbortController();
  const look = async () => {
    while (!done.signal.aborted) {
      watch.follow({ step: "moving", copying: await readCopying(database).catch(() => []) });
      await pause(pauseMs, done.signal);
    }
  };
  const looking = look();
  try {
    await moveShard(database, { shard: range.shard, from, to }, watch.signal);
  } finally {
    done.abort();
    await looking;
  }
}

async function targetOf(admin: Admin, text: string): Promise<Member> {
  await mustHaveShards(admin);
  const target = memberOf(await readMembers(admin.store.database), text);
  if (!takes(target)) throw new Refused({ type: "takesNoShards", node: nameOf(target) });
  return target;
}

const takes = ({ isPrimary, isActive, takesShards }: Member) => isPrimary && isActive && takesShards;

async function find(admin: Admin, text: string, target?: Member): Promise<Found> {
  await mustHaveShards(admin);
  const { database } = admin.store;
  const { login, userId } = await loginOf(admin, text);
  const ranges = await readRanges(database);
  const range = rangeOf(ranges, userId);
  const members = await readMembers(database);
  const home = members.find(({ group, isPrimary }) => isPrimary && group === range.group)!;
  const bytes = sum((await sizesAt(admin, home)).filter(({ min }) => min === range.min).map((size) => size.bytes));
  const others = (await countAccounts(database, ranges))[ranges.indexOf(range)]! - 1;
  const named = (await loginsIn(database, range, maxNamed + 1)).filter((name) => name !== login).slice(0, maxNamed);
  const isAlone = range.min === range.max;
  const away = members.filter((one) => takes(one) && one.group !== home.group);
  const by = away.find((one) => one.group !== target?.group) ?? away[0];
  if (!by && !isAlone) throw new Refused({ type: "lastNode", node: nameOf(home) });
  const place = { login, node: nameOf(home), bytes, isAlone, others, named };
  const way = isAlone ? { by: null, waitMs: 0 } : { by: by ? nameOf(by) : null, waitMs: waitMsFor(bytes) };
  return { lodging: { ...place, ...way }, userId, range, home, by };
}
