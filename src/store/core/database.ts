import pg from "pg";
import type { Log } from "../../base/log.ts";
import { type Patience, retry } from "../../base/retry.ts";
import { Connection, type TransactionExecutor } from "./connection.ts";
import { type Executor, type Given, inOrder, type Statement } from "./sql.ts";

export type ConnectionOptions = { connectionString: string } | { host: string; user: string; database: string };

/** Told of every statement that runs; tests record them with it. */
export type StatementObserver = (text: string, values: readonly unknown[]) => void;

type Parser = (text: string) => unknown;
const usual = pg.types.getTypeParser as (oid: number, format?: "text" | "binary") => Parser;
const textArray = usual(1009);
const timestamp = usual(pg.types.builtins.TIMESTAMPTZ);
const utc = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/;

/**
 * The usual parsers of arrays and times are slow on what our rows mostly hold. bigints are all below 2^53; days are of
 * no time zone, so they stay "YYYY-MM-DD".
 */
const parsers = new Map<number, Parser>([
  [pg.types.builtins.INT8, Number],
  [1016, (text) => (text === "{}" ? [] : text.slice(1, -1).split(",").map(Number))],
  [pg.types.builtins.DATE, String],
  [1182, textArray],
  [1009, (text) => (text === "{}" ? [] : /["\\]|NULL/.test(text) ? textArray(text) : text.slice(1, -1).split(","))],
  [
    pg.types.builtins.TIMESTAMPTZ,
    (text) => (utc.test(text) ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`) : timestamp(text)),
  ],
  // A day is a name, as in the keys of objects: no moment in some time zone.
  [pg.types.builtins.DATE, String],
  [pg.types.builtins.JSON, JSON.parse],
  [pg.types.builtins.JSONB, JSON.parse],
]);
const types = {
  getTypeParser: (oid: number, format?: "text" | "binary") => parsers.get(oid) ?? usual(oid, format),
} as pg.CustomTypesConfig;

/** SQLSTATEs after which nothing was committed and the whole transaction may simply run again. */
const retryable = new Set(["40001", "40P01", "57P01", "57P02", "57P03", "08000", "08001", "08003", "08006", "53300"]);
const socketErrors = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOENT"]);

/** True when the connection or a lost race ended the statement, rather than its content. */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: string }).code;
  if (code !== undefined) return retryable.has(code) || socketErrors.has(code);
  return /Connection terminated|connection timeout|not queryable/i.test(error.message);
}

/** For work that is safe to repeat, while somebody waits for it. A commit of unknown outcome is none. */
export const databasePatience: Patience = {
  firstPause: 20,
  longestPause: 500,
  patience: 10_000,
  isPassing: isRetryable,
};

const lossesTogether = 1_000;

type Runnable = Pick<Statement<unknown>, "name" | "text" | "access">;

/** A pool of connections to one Postgres (or a Citus coordinator). The only door to SQL. */
export class Database implements Executor {
  readonly pool: pg.Pool;
  readonly #observe: StatementObserver | undefined;

  constructor(options: ConnectionOptions & { max?: number }, log: Log, observe?: StatementObserver) {
    this.pool = new pg.Pool({
      max: 24,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: 10_000,
      application_name: "posthorn",
      // Times come as UTC, in the form that is parsed fastest, and days as YYYY-MM-DD.
      options: "-c TimeZone=UTC -c DateStyle=ISO",
      ...options,
      types,
      // A statement goes out at once, however many are unanswered.
      pipeline: true,
    });
    // An idle connection that breaks (Postgres restarted) is only worth a line, and all at a time one: the pool opens others.
    let toldAt = Number.NEGATIVE_INFINITY;
    this.pool.on("error", (error) => {
      const isNews = performance.now() - toldAt > lossesTogether;
      // Once we are through with it, the server may end before our goodbyes reach it.
      if (this.pool.ending || !isNews) return;
      toldAt = performance.now();
      log.warn({ reason: error.message }, "database connections lost");
    });
    // One that breaks while somebody holds it fails their next statement: this only keeps it from ending the process.
    this.pool.on("connect", (client) => client.on("error", () => {}));
    this.#observe = observe;
  }

  async run<Row, P>(statement: Statement<Row, P>, ...given: Given<P>): Promise<Row[]> {
    return (await this.#single(statement, inOrder(statement.parameters, given[0]))).rows as Row[];
  }

  async count<Row, P>(statement: Statement<Row, P>, ...given: Given<P>): Promise<number> {
    return (await this.#single(statement, inOrder(statement.parameters, given[0]))).rowCount ?? 0;
  }

  /** A statement of its own. One that only reads runs again when the connection is lost. */
  #single(statement: Runnable, values: unknown[]): Promise<pg.QueryResult> {
    const query = () => this.#query(this.pool, statement, values);
    return statement.access === "read" ? retry(query, databasePatience) : query();
  }

  /**
   * Runs `work` inside a transaction on one connection; rolls back when it throws. One that only `reads` has read all when
   * its work is done: a COMMIT that fails takes nothing from it.
   */
  async transaction<T>(
    begin: string,
    work: (executor: TransactionExecutor) => Promise<T>,
    { reads = false } = {},
  ): Promise<T> {
    const connection = new Connection(await this.pool.connect(), this.#observe);
    try {
      connection.begin(begin);
      const result = await work(connection);
      if (!reads) await connection.commit();
      else {
        connection.mustHaveBegun();
        connection.end("COMMIT");
      }
      return result;
    } catch (error) {
      connection.end("ROLLBACK");
      throw error;
    }
  }

  /** Runs `work` on one connection, each statement for itself. */
  async connected<T>(work: (executor: Executor) => Promise<T>): Promise<T> {
    const connection = new Connection(await this.pool.connect(), this.#observe);
    try {
      return await work(connection);
    } finally {
      connection.release();
    }
  }

  /** Whether a statement gets an answer now. */
  async isReachable(): Promise<boolean> {
    return this.pool.query("SELECT 1").then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  #query(client: pg.Pool | pg.PoolClient, statement: Runnable, values: unknown[]) {
    this.#observe?.(statement.text, values);
    const query = { text: statement.text, values };
    return client.query(statement.name === "" ? query : { ...query, name: statement.name });
  }
}
