import { type Facts, readFacts, type Standby } from "../store/cluster/facts.ts";
import { atServer, isMigrated, type Member, readMembers } from "../store/cluster/members.ts";
import { isUnderWay, type Job, latestJob } from "../store/cluster/moves.ts";
import { countAccounts, readRanges, readSizes, readTablePlaces, type Size } from "../store/cluster/shards.ts";
import { nameOf } from "../store/core/cluster.ts";
import type { Database } from "../store/core/database.ts";
import { Unreachable } from "../store/core/errors.ts";
import type { Admin } from "./admin.ts";
import { Refused } from "./refused.ts";

/** A server of the database, and what it says of itself. */
export interface Surveyed {
  /** As the catalogue names it; "database" for plain Postgres. */
  name: string;
  /** Undefined for plain Postgres, and for a coordinator that knows no others yet. */
  member: Member | undefined;
  isMain: boolean;
  facts: Facts | undefined;
  /** Of its shards; empty on plain Postgres. */
  sizes: Size[];
  /** Why it could not be asked. */
  trouble: string | undefined;
}

export interface Survey {
  isCitus: boolean;
  isMigrated: boolean;
  /** The main one first. */
  servers: Surveyed[];
}

/** Asks every server of the database, each by itself: one that is away is named, and the others are told of. */
export async function survey({ store: { database } }: Pick<Admin, "store">): Promise<Survey> {
  const isCitus = await database.nodes.isCitus();
  const isFilled = await isMigrated(database);
  const ask = async (server: Database) => ({
    facts: await readFacts(server),
    sizes: isCitus && isFilled ? await readSizes(server) : [],
    trouble: undefined,
  });
  const surveyed = async (name: string, member: Member | undefined): Promise<Surveyed> => {
    const isMain = member === undefined || (member.group === 0 && member.isPrimary);
    const asked = isMain ? ask(database) : atServer(database, member, ask);
    const found = await asked.catch((error: Error) => ({ facts: undefined, sizes: [], trouble: whyAway(error) }));
    return { name, member, isMain, ...found };
  };
  const members = isCitus ? await readMembers(database) : [];
  const servers = await Promise.all(members.map((member) => surveyed(nameOf(member), member)));
  if (!servers.some(({ isMain }) => isMain))
    servers.unshift(await surveyed(isCitus ? "coordinator" : "database", undefined));
  return { isCitus, isMigrated: isFilled, servers };
}

/** A server that is away is known here by another name than its own. */
export const whyAway = (error: Error) => (error instanceof Unreachable ? "no answer in time" : error.message);

export interface ServerStatus {
  name: string;
  role: "alone" | "coordinator" | "worker" | "standby";
  /** Whether new shards are placed on it. */
  takesShards: boolean;
  isActive: boolean;
  /** Why it could not be asked; the numbers that it alone knows are null then. */
  trouble: string | null;
  /** Ranges of accounts, each a shard of every account table. */
  shards: number;
  accounts: number;
  /** Of the accounts; on plain Postgres of the whole database. */
  bytes: number | null;
  standbys: Standby[];
  longestMs: number | null;
}

export interface ClusterStatus {
  isCitus: boolean;
  servers: ServerStatus[];
  /** Shards that are being moved. */
  job: Job | null;
  /** Tables that are on every server, and on the coordinator alone. */
  everywhere: string[];
  coordinatorOnly: string[];
}

/** Every value is from its own server; it changes nothing. */
export async function clusterStatus(admin: Pick<Admin, "store">): Promise<ClusterStatus> {
  const { database } = admin.store;
  const found = await survey(admin);
  if (!found.isMigrated) throw new Refused({ type: "notMigrated" });
  const all = { shard: 0, min: -(2 ** 31), max: 2 ** 31 - 1, group: 0 };
  const ranges = found.isCitus ? await readRanges(database) : [all];
  const accounts = await countAccounts(database, ranges);
  const places = found.isCitus ? await readTablePlaces(database) : [];
  const tablesIn = (wanted: string) => places.filter(({ place }) => place === wanted).map(({ table }) => table);
  const job = found.isCitus ? await latestJob(database) : undefined;
  const servers = found.servers.map((server): ServerStatus => {
    const { name, member, facts, trouble, sizes } = server;
    const own = ranges
      .map((range, at) => ({ range, accounts: accounts[at]! }))
      .filter((one) => holds(server, one.range));
    const bytes = found.isCitus
      ? sum(sizes.filter(({ min }) => min !== null).map((size) => size.bytes))
      : facts?.databaseBytes;
    return {
      name,
      role: roleOf(found, server),
      takesShards: member?.takesShards ?? !found.isCitus,
      isActive: member?.isActive ?? true,
      trouble: trouble ?? null,
      shards: found.isCitus ? own.length : 0,
      accounts: sum(own.map((one) => one.accounts)),
      bytes: facts ? (bytes ?? null) : null,
      standbys: facts?.standbys ?? [],
      longestMs: facts?.longestMs ?? null,
    };
  });
  return {
    isCitus: found.isCitus,
    servers,
    job: job && isUnderWay(job) ? job : null,
    everywhere: tablesIn("everywhere"),
    coordinatorOnly: tablesIn("coordinator"),
  };
}

function holds({ member, isMain }: Surveyed, { group }: { group: number }): boolean {
  return member ? member.group === group && member.isPrimary : isMain && group === 0;
}

function roleOf({ isCitus }: Survey, { member, isMain }: Surveyed): ServerStatus["role"] {
  if (!isCitus) return "alone";
  if (isMain) return "coordinator";
  return member?.isPrimary ? "worker" : "standby";
}

export const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
