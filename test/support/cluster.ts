import { hashOf } from "../../src/store/core/node-of.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import { DatabaseProxy } from "./database-proxy.ts";
import { createPlainDatabase, type TestDatabase } from "./postgres.ts";

/**
 * A coordinator and two nodes that look like those of Citus. Behind them is one Postgres, which says that accounts with a
 * negative hash lie on node 1: what fails is what was asked at that address.
 */
export interface Cluster {
  database: TestDatabase["database"];
  coordinator: DatabaseProxy;
  /** By the sign of an account's hash. */
  nodes: { negative: DatabaseProxy; positive: DatabaseProxy };
  nodeOf(accountId: number): DatabaseProxy;
  close(): Promise<void>;
}

const halves = [
  { group: 1, min: -(2 ** 31), max: -1 },
  { group: 2, min: 0, max: 2 ** 31 - 1 },
];

export async function createCluster(): Promise<Cluster> {
  const { database, connection } = await createPlainDatabase();
  const start = () => DatabaseProxy.start(connection);
  const [coordinator, negative, positive] = await Promise.all([start(), start(), start()]);
  await database.transaction("BEGIN", async (executor) => {
    const run = (text: string) => executor.run(unprepared(`/* test */ ${text}`));
    await run("SET LOCAL allow_system_table_mods = on");
    await run(`INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
      VALUES (99999, 'citus', 10, 'pg_catalog'::regnamespace, false, '13.2')`);
    await run(
      "CREATE TABLE pg_dist_shard (logicalrelid regclass, shardid bigint, shardminvalue text, shardmaxvalue text)",
    );
    await run("CREATE TABLE pg_dist_placement (shardid bigint, groupid integer)");
    await run(`CREATE TABLE pg_dist_node
      (groupid integer, nodename text, nodeport integer, noderole text, isactive boolean, nodecluster text)`);
    for (const { group, min, max } of halves) {
      await run(`INSERT INTO pg_dist_shard VALUES ('account', ${group}, '${min}', '${max}')`);
      await run(`INSERT INTO pg_dist_placement VALUES (${group}, ${group})`);
    }
    for (const [group, { port }] of [coordinator, negative, positive].entries()) {
      await run(`INSERT INTO pg_dist_node VALUES (${group}, '127.0.0.1', ${port}, 'primary', true, 'default')`);
    }
  });
  return {
    database,
    coordinator,
    nodes: { negative, positive },
    nodeOf: (accountId) => (hashOf(accountId) < 0 ? negative : positive),
    close: async () => {
      await Promise.all([coordinator, negative, positive].map((proxy) => proxy.close()));
    },
  };
}
