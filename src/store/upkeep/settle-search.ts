import { sql } from "kysely";
import type { Log } from "../../base/log.ts";
import type { Database } from "../core/database.ts";
import { write } from "../core/declare.ts";
import { unprepared } from "../core/sql.ts";
import type { StateChange } from "../core/store.ts";

// The row tells which table has it: on Citus the shard, whose index is named like it.
const settle = write(
  "search.settle",
  (_, $: { accountId: number }) => sql<{ pages: number }>`
  SELECT gin_clean_pending_list(replace(tableoid::regclass::text, 'search', 'search_terms')::regclass) AS pages
  FROM search WHERE user_id = ${$.accountId} LIMIT 1`,
);
const byShard = unprepared<{ ids: number[] }>(`
  SELECT array_agg(id) AS ids FROM unnest($1::bigint[]) AS id
  GROUP BY get_shard_id_for_distribution_column('search', id)`);

/**
 * Moves new search terms into the index proper from its pending list, which every search must scan. Each process sees to
 * the accounts that it has written to, so that nothing is asked while nothing arrives.
 */
export class SearchSettler {
  readonly #database: Database;
  readonly #log: Log;
  #written = new Set<number>();

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** To be called after each commit. */
  noticed({ accountId, changed }: StateChange): void {
    if (changed.Email !== undefined) this.#written.add(accountId);
  }

  async settle(): Promise<void> {
    if (this.#written.size === 0) return;
    const written = [...this.#written];
    this.#written = new Set();
    for (const accounts of await this.#byIndex(written)) {
      await this.#settleOne(accounts).catch((error: Error) =>
        this.#log.warn({ accounts: accounts.length, reason: error.message }, "search not settled"),
      );
    }
  }

  /** The accounts share an index: one that still has mail in it is enough. */
  async #settleOne(accounts: number[]): Promise<void> {
    for (const accountId of accounts) if ((await this.#database.run(settle, { accountId })).length > 0) return;
  }

  async #byIndex(accounts: number[]): Promise<number[][]> {
    if (!(await this.#database.nodes.isCitus())) return [accounts];
    return (await this.#database.run(byShard, [accounts])).map(({ ids }) => ids);
  }
}
