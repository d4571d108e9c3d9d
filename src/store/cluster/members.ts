import { silentLog } from "../../base/log.ts";
import type { Node } from "../core/cluster.ts";
import { elsewhere } from "../core/connection-options.ts";
import { Database } from "../core/database.ts";
import { type Executor, unprepared } from "../core/sql.ts";
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

const allMembers = unprepared<Member>(`
  SELECT nodeid AS id, groupid AS "group", nodename AS host, nodeport AS port, noderole = 'primary' AS "isPrimary",
    isactive AND (metadatasynced OR noderole <> 'primary') AS "isActive", shouldhaveshards AS "takesShards"
  FROM pg_dist_node ORDER BY groupid, noderole, nodeid`);
const hasTables = unprepared<{ isFilled: boolean }>(`SELECT to_regclass('account') IS NOT NULL AS "isFilled"`);
const setCoordinator = unprepared("SELECT citus_set_coordinator_host($1::text, $2::integer)");
const addMember = unprepared("SELECT citus_add_node($1::text, $2::integer)");
const setTakesShards = unprepared(
  "SELECT citus_set_node_property($1::text, $2::integer, 'shouldhaveshards', $3::boolean)",
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
  await database.run(setCoordinator, [node.host, node.port]);
}

/** Makes a server a member, with a copy of each table that is on all of them. One that is a member already stays so. */
export async function admitMember(database: Database, node: Node): Promise<void> {
  await database.connected((executor) => executor.run(addMember, [node.host, node.port]));
}

/** Whether shards may be placed on a member. */
export async function letTakeShards(executor: Executor, node: Node, takes: boolean): Promise<void> {
  await executor.run(setTakesShards, [node.host, node.port, takes]);
}

/** Sets the price of searches on a server, which only a superuser may. */
export async function setMatchPrice(server: Database): Promise<void> {
  await server.run(setPrice);
}
