import { citusFindings, durabilityFaults, generalFindings } from "../store/cluster/check.ts";
import { readFacts } from "../store/cluster/facts.ts";
import {
  admitMember,
  atServer,
  isMigrated,
  letTakeShards,
  type Member,
  nameCoordinator,
  ownAddress,
  readMembers,
  setMatchPrice,
} from "../store/cluster/members.ts";
import { isUnderWay, latestJob } from "../store/cluster/moves.ts";
import { matchPrice, priceCommand } from "../store/cluster/price.ts";
import { readSizes } from "../store/cluster/shards.ts";
import { type Node, nameOf } from "../store/core/cluster.ts";
import { type Admin, recordBefore } from "./admin.ts";
import { sum, whyAway } from "./cluster.ts";
import { Refused } from "./refused.ts";

/** host or host:port, with IPv6 in brackets. */
export function nodeOf(text: string): Node {
  const [, bracketed, plain, port = "5432"] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/@,]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) throw new Refused({ type: "notANode", text });
  return { host, port: Number(port) };
}

export async function mustBeCitus({ store }: Pick<Admin, "store">): Promise<void> {
  if (!(await store.database.nodes.isCitus())) throw new Refused({ type: "noCitus" });
}

/** What moves accounts needs them: refuses a database without Posthorn's tables. */
export async function mustHaveShards(admin: Pick<Admin, "store">): Promise<void> {
  await mustBeCitus(admin);
  if (!(await isMigrated(admin.store.database))) throw new Refused({ type: "notMigrated" });
}

export async function isMoving({ store }: Pick<Admin, "store">): Promise<boolean> {
  const job = await latestJob(store.database);
  return job !== undefined && isUnderWay(job);
}

/** Refuses while Citus moves shards. */
export async function mustBeStill(admin: Pick<Admin, "store">): Promise<void> {
  if (await isMoving(admin)) throw new Refused({ type: "movesUnderWay" });
}

/** The primary of this name. */
export function memberOf(members: readonly Member[], text: string): Member {
  const node = nameOf(nodeOf(text));
  const found = members.find((member) => member.isPrimary && nameOf(member) === node);
  if (found) return found;
  throw new Refused({ type: "noNode", node, nodes: members.filter(({ isPrimary }) => isPrimary).map(nameOf) });
}

/** What adding a node would do. */
export interface NewNode {
  node: string;
  /** Whether it was a member before, and whether it was drained since. */
  isMember: boolean;
  wasDrained: boolean;
  warnings: string[];
  /** Servers that take accounts now, and the bytes of all accounts. */
  servers: number;
  bytes: number;
}

interface Found extends NewNode {
  address: Node;
  /** How the coordinator is to be named first. */
  coordinator: Node | undefined;
  needsPrice: boolean;
}

/** Checks the server as `posthorn cluster check` does, and refuses one that has a fault. Changes nothing. */
export async function previewNode(admin: Admin, text: string): Promise<NewNode> {
  const { address: _, coordinator: __, needsPrice: ___, ...shown } = await findNode(admin, text);
  return shown;
}

/**
 * Adds a server that has no fault, or takes back one that was drained. It has a copy of each table that is on all
 * servers then, and no accounts before `rebalance`.
 */
export async function addNode(admin: Admin, text: string): Promise<NewNode> {
  const { database } = admin.store;
  const { address, coordinator, needsPrice, ...found } = await findNode(admin, text);
  if (found.isMember && !found.wasDrained) return found;
  if (found.wasDrained) await mustBeStill(admin);
  if (needsPrice) await givePrice(admin, address);
  if (await isMigrated(database)) await recordBefore(admin, { act: "node.add", node: found.node });
  if (coordinator) await nameCoordinator(database, coordinator);
  if (found.isMember) await letTakeShards(database, address, true);
  else await admitMember(database, address);
  return found;
}

async function findNode(admin: Admin, text: string): Promise<Found> {
  await mustBeCitus(admin);
  const { database } = admin.store;
  const address = nodeOf(text);
  const node = nameOf(address);
  const members = await readMembers(database);
  const known = members.find((member) => nameOf(member) === node);
  if (known && !known.isPrimary) throw new Refused({ type: "takesNoShards", node });
  const isFilled = await isMigrated(database);
  const { needsPrice, warnings } = await checkServer(admin, address, { isMember: known !== undefined, isFilled });
  const takers = members.filter(({ isPrimary, takesShards, group }) => isPrimary && takesShards && group !== 0);
  const sizes = isFilled ? await Promise.all(takers.map((one) => atServer(database, one, readSizes))) : [];
  return {
    node,
    address,
    isMember: known !== undefined,
    wasDrained: known?.takesShards === false && known.group !== 0,
    warnings,
    servers: takers.length,
    bytes: sum(
      sizes
        .flat()
        .filter(({ min }) => min !== null)
        .map(({ bytes }) => bytes),
    ),
    coordinator: await coordinatorToName(admin, members, address),
    needsPrice,
  };
}

async function checkServer(
  admin: Admin,
  address: Node,
  { isMember, isFilled }: { isMember: boolean; isFilled: boolean },
) {
  const { database } = admin.store;
  const own = await readFacts(database);
  const node = nameOf(address);
  const unfit = (problems: string[]) => new Refused({ type: "nodeUnfit", node, problems });
  const { facts, hasTables } = await atServer(database, address, async (server) => ({
    facts: await readFacts(server),
    hasTables: await isMigrated(server),
  })).catch((error: Error) => {
    throw unfit([`it can't be asked: ${whyAway(error)}`]);
  });
  const found = [...generalFindings(facts, { isMigrated: false }), ...citusFindings(facts, own)];
  // It must be as safe as the coordinator is.
  if (durabilityFaults(own).length === 0) found.push(...durabilityFaults(facts));
  const problems = found.filter(({ isFault }) => isFault).map(({ problem }) => problem);
  if (hasTables && !isMember) problems.push("its database has tables of Posthorn: make it anew, empty but for citus");
  if (problems.length > 0) throw unfit(problems);
  return {
    warnings: found.map(({ problem }) => problem),
    needsPrice: isFilled && facts.matchPrice !== matchPrice,
  };
}

/** Citus names the coordinator "localhost" until told otherwise, by which no other server reaches it. */
async function coordinatorToName(admin: Admin, members: readonly Member[], added: Node): Promise<Node | undefined> {
  const named = members.find(({ group, isPrimary }) => group === 0 && isPrimary);
  if (named && named.host !== "localhost") return undefined;
  const own = await ownAddress(admin.store.database);
  if (own === undefined || (isLoopback(own.host) && !isLoopback(added.host)))
    throw new Refused({ type: "coordinatorUnnamed" });
  return own;
}

const isLoopback = (host: string) => /^(localhost|127\.[\d.]+|::1)$/i.test(host);

async function givePrice(admin: Admin, address: Node): Promise<void> {
  await atServer(admin.store.database, address, setMatchPrice).catch(({ message }: Error) => {
    const problem = `a superuser must run there: ${priceCommand} (${message})`;
    throw new Refused({ type: "nodeUnfit", node: nameOf(address), problems: [problem] });
  });
}
