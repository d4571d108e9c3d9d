import { randomBytes } from "node:crypto";
import { silentLog } from "../../src/base/log.ts";
import { Database } from "../../src/store/core/database.ts";
import { migrate } from "../../src/store/core/migrate.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import type { Template } from "./postgres-setup.ts";

/** A Citus cluster with databases to copy. `nodes` are URLs of an existing database on each, the coordinator's first. */
interface Cluster {
  nodes: string[];
  templates: Record<Template, string>;
}

/** With CITUS_URL, which names a database on the coordinator, the tests run on that cluster. */
export const isOnCitus = process.env.CITUS_URL !== undefined;
/** With CITUS_ROLE, which names a role that exists on all nodes, it owns the databases, and the servers sign in as it. */
const role = process.env.CITUS_ROLE;

export interface Clone {
  /** Of the database on the coordinator. */
  url: string;
  drop: () => Promise<void>;
}

/** One group of shards on each of two workers and one more: enough to be told apart, and quick to copy. */
const shards = 4;

/** Makes the templates on every node of the cluster, and tells the test processes of them; returns what removes them. */
export async function openCitus(url: string): Promise<() => Promise<void>> {
  const nodes = await nodesOf(url);
  const run = randomBytes(4).toString("hex");
  const templates = { empty: `empty_${run}`, migrated: `migrated_${run}` };
  const close = async () => {
    for (const name of Object.values(templates)) await dropOnAll(nodes, name);
  };
  try {
    await onAll(nodes, `CREATE DATABASE ${templates.empty}`);
    await joinNodes(nodes, templates.empty);
    await cloneOnAll(nodes, templates.migrated, templates.empty);
    const database = new Database({ connectionString: owned(nodes[0]!, templates.migrated) }, silentLog);
    await migrate(database, silentLog);
    await database.close();
    await closeToAll(nodes, templates.migrated);
  } catch (error) {
    await close();
    throw error;
  }
  process.env.CITUS_CLUSTER = JSON.stringify({ nodes, templates } satisfies Cluster);
  return close;
}

/** A copy of a template, as quick as on plain Postgres: Citus's catalogue names shards and nodes, but not the database. */
export async function cloneOnCitus(template: Template): Promise<Clone> {
  const { nodes, templates } = JSON.parse(process.env.CITUS_CLUSTER as string) as Cluster;
  const name = `test_${randomBytes(8).toString("hex")}`;
  await cloneOnAll(nodes, name, templates[template]);
  return { url: owned(nodes[0]!, name), drop: () => dropOnAll(nodes, name) };
}

/** Runs a statement about a database, which is given its name, on each node by itself. `url` is of its coordinator's. */
export async function onAllNodes(url: string, statement: (name: string) => string): Promise<void> {
  await onAll(await nodesOf(url), statement(new URL(url).pathname.slice(1)));
}

/** The URLs of a database on each node, the coordinator's first; `url` is any of them. */
export async function nodesOf(url: string): Promise<string[]> {
  const [rows] = await onAll<{ host: string; port: number }>(
    [url],
    `SELECT nodename AS host, nodeport AS port FROM pg_dist_node WHERE noderole = 'primary' ORDER BY groupid`,
  );
  return rows!.map(({ host, port }) => Object.assign(new URL(url), { hostname: host, port }).href);
}

async function joinNodes(nodes: string[], name: string): Promise<void> {
  const own = nodes.map((node) => named(node, name));
  await onAll(own, "CREATE EXTENSION citus");
  const [coordinator] = own;
  for (const [index, node] of nodes.entries()) {
    const { hostname, port } = new URL(node);
    const join = index === 0 ? "citus_set_coordinator_host" : "citus_add_node";
    await onAll([coordinator!], `SELECT ${join}('${hostname}', ${port})`);
  }
  await onAll([coordinator!], `ALTER DATABASE ${name} SET citus.shard_count = ${shards}`);
  await closeToAll(nodes, name);
}

/** CREATE DATABASE copies no settings of the template. */
async function cloneOnAll(nodes: string[], name: string, template: string): Promise<void> {
  await onAll(nodes, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY wal_log${owner}`);
  await onAll([nodes[0]!], `ALTER DATABASE ${name} SET citus.shard_count = ${shards}`);
}

/** A template that anybody is connected to, such as Citus's own daemon, cannot be copied. */
async function closeToAll(nodes: string[], name: string): Promise<void> {
  await onAll(nodes, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await onAll(nodes, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${name}'`);
}

async function dropOnAll(nodes: string[], name: string): Promise<void> {
  // The daemons of other nodes would connect again meanwhile.
  await closeToAll(nodes, name);
  await onAll(nodes, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

/** Runs a statement on each of these databases by itself, all at once. */
function onAll<Row>(urls: string[], text: string): Promise<Row[][]> {
  return Promise.all(
    urls.map(async (connectionString) => {
      const database = new Database({ connectionString, max: 1 }, silentLog);
      try {
        // Not as a write of its own, which may not take long.
        return await database.connected((executor) => executor.run(unprepared<Row>(`/* test */ ${text}`)));
      } finally {
        await database.close();
      }
    }),
  );
}

const owner = role === undefined ? "" : ` OWNER ${role}`;
const named = (url: string, database: string) => Object.assign(new URL(url), { pathname: `/${database}` }).href;
const owned = (url: string, database: string) =>
  Object.assign(new URL(named(url, database)), role !== undefined && { username: role, password: "" }).href;
