import type { Log } from "../../base/log.ts";
import { matchPrice, priceCommand } from "../cluster/price.ts";
import { askNode, findNodes, nameOf } from "../core/cluster.ts";
import type { Database } from "../core/database.ts";
import { unprepared } from "../core/sql.ts";

const find = "SELECT procost FROM pg_proc WHERE oid = 'pg_catalog.ts_match_vq(tsvector, tsquery)'::regprocedure";
const findHere = unprepared<{ procost: number }>(find);
const setHere = unprepared(priceCommand);

/**
 * Keeps the price of `@@` that the migrations set, on each server: on a node of Citus that was added since, or after
 * Postgres was upgraded or restored, it is the usual one, by which searches are planned badly. Each server is looked at
 * once by each process.
 */
export class MatchPrice {
  readonly #database: Database;
  readonly #log: Log;
  readonly #seen = new Set<string>();

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  async keep(): Promise<void> {
    const database = this.#database;
    const nodes = (await findNodes(database)).map((node) => ({
      name: nameOf(node),
      find: async () => Number(await askNode(database, node, find)),
      set: async (): Promise<unknown> => askNode(database, node, priceCommand),
    }));
    const here = {
      name: "here",
      find: async () => (await database.run(findHere))[0]!.procost,
      set: () => database.run(setHere),
    };
    for (const server of [here, ...nodes].filter(({ name }) => !this.#seen.has(name))) {
      const told = (event: string) => (error: Error) =>
        this.#log.warn({ node: server.name, reason: error.message }, event);
      const found = await server.find().catch(told("a node did not answer"));
      if (found === undefined) continue;
      // A role that may not set it is told once.
      this.#seen.add(server.name);
      if (found !== matchPrice)
        await server.set().catch(told(`searches are planned badly until a superuser runs there: ${priceCommand}`));
    }
  }
}
