import { sql } from "kysely";
import { silentLog } from "../../base/log.ts";
import type { Node } from "../core/cluster.ts";
import { elsewhere } from "../core/connection-options.ts";
import { Database } from "../core/database.ts";
import { read, write } from "../core/declare.ts";
import { unprepared } from "../core/sql.ts";
import { priceCommand } from "./price.ts";

/** A server as Citus's catalogue has it. */
export interface Member extends Node {
  id: number;
  /** A primary and its standbys are a group; the coordinator's is 0. */
  group: number;
  isPrimary: boolean;
  isActive: boolean;
  /** Whether shards are placed on it. */
  takesShards: boolean;
}

const allMembers = read(
  "cluster.members",
  () => sql<Member>`
  SELECT nodeid AS id, groupid AS "group", nodename AS host, nodeport AS port, noderole = 'primary' AS "isPrimary",
    isactive AND (metadatasynced OR noderole <> 'primary') AS "isActive", shouldhaveshards AS "takesShards"
  FROM pg_dist_node ORDER BY groupid, noderole, nodeid`,
);
const hasTables = read(
  "cluster.hasTables",
  () => sql<{ isFilled: boolean }>`SELECT to_regclass('account') IS NOT NULL AS "isFilled"`,
);
const setCoordinator = write(
  "cluster.setCoordinator",
  (_, $: Node) => sql<object>`SELECT citus_set_coordinator_host(${$.host}::text, ${$.port}::integer)`,
);
const addMember = write(
  "cluster.addMember",
  (_, $: Node) => sql<object>`SELECT citus_add_node(${$.host}::text, ${$.port}::integer)`,
);
const setTakesShards = write(
  "cluster.setTakesShards",
  (_, $: Node & { takes: boolean }) => sql<object>`
  SELECT citus_set_node_property(${$.host}::text, ${$.port}::integer, 'shouldhaveshards', ${$.takes}::boolean)`,
);
const setPrice = unprepared(priceCommand);

/** The servers that Citus knows, the coordinator first. Only on Citus. */
export function readMembers(database: Database): Promise<Member[]> {
  return database.run(allMembers);
}

/** Whether Posthorn's migrations have been applied. */
export async function isMigrated(database: Database): Promise<boolean> {
  const [row] = await database.run(hasTables);
  return row!.isFilled;
}

/** Runs `work` on connections of its own to a server, with the login of the database. Throws Unreachable when it is away. */
export async function atServer<T>(
  database: Database,
  { host, port }: Node,
  work: (server: Database) => Promise<T>,
): Promise<T> {
  const options = elsewhere(await database.nodes.main.address(), host, port);
  const server = new Database({ ...options, max: 2 }, silentLog);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

/** The address under which this process reaches the coordinator; undefined for a socket. */
export async function ownAddress(database: Database): Promise<Node | undefined> {
  const options = await database.nodes.main.address();
  if (!("connectionString" in options)) return undefined;
  const { hostname = "", port } = URL.parse(options.connectionString) ?? {};
  return hostname === "" ? undefined : { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 5432) };
}

/** Tells Citus under which name the other servers reach the coordinator. */
export async function nameCoordinator(database: Database, node: Node): Promise<void> {
  await database.run(setCoordinator, node);
}

/** Makes a server a member, with a copy of each table that is on all of them. One that is a member already stays so. */
export async function admitMember(database: Database, node: Node): Promise<void> {
  await database.connected((executor) => executor.run(addMember, node));
}

/** Whether shards may be placed on a member. */
export async function letTakeShards(database: Database, node: Node, takes: boolean): Promise<void> {
  await database.run(setTakesShards, { ...node, takes });
}

/** Sets the price of searches on a server, which only a superuser may. */
export async function setMatchPrice(server: Database): Promise<void> {
  await server.run(setPrice);
}
