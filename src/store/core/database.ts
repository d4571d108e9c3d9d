import pg from "pg";
import type { Log } from "../../base/log.ts";
import { type Patience, retry } from "../../base/retry.ts";
import { traced } from "../../base/traces.ts";
import { Connection, type TransactionExecutor } from "./connection.ts";
import { type Executor, type Given, inOrder, labelOf, type Statement } from "./sql.ts";

export type ConnectionOptions = { connectionString: string } | { host: string; user: string; database: string };

/** Ask for times in UTC, in the format that parses fastest, and for days as YYYY-MM-DD. */
export const sessionOptions = "-c TimeZone=UTC -c DateStyle=ISO";

/** Called with every statement that runs; tests record statements with it. */
export type StatementObserver = (text: string, values: readonly unknown[]) => void;

type Parser = (text: string) => unknown;
const usual = pg.types.getTypeParser as (oid: number, format?: "text" | "binary") => Parser;
const textArray = usual(1009);
const timestamp = usual(pg.types.builtins.TIMESTAMPTZ);
const utc = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/;

/**
 * pg's own parsers of arrays and times are slow for the values in our rows. Every bigint is below 2^53. A day has no
 * time zone, so it stays "YYYY-MM-DD".
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
  [pg.types.builtins.JSON, JSON.parse],
  [pg.types.builtins.JSONB, JSON.parse],
]);
const types = {
  getTypeParser: (oid: number, format?: "text" | "binary") => parsers.get(oid) ?? usual(oid, format),
} as pg.CustomTypesConfig;

/** SQLSTATEs after which nothing was committed, so the whole transaction may run again. */
const retryable = new Set(["40001", "40P01", "57P01", "57P02", "57P03", "08000", "08001", "08003", "08006", "53300"]);
const socketErrors = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOENT"]);

/** True when a lost connection or race ended the statement, rather than an error in it. */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: string }).code;
  if (code !== undefined) return retryable.has(code) || socketErrors.has(code);
  return /Connection terminated|connection timeout|not queryable/i.test(error.message);
}

/** For repeatable work that somebody is waiting for. A commit with an unknown outcome is not repeatable. */
export const databasePatience: Patience = {
  firstPauseMs: 20,
  maxPauseMs: 500,
  patienceMs: 10_000,
  isPassing: isRetryable,
};

const lossBurstMs = 1_000;

type Runnable = Pick<Statement<unknown>, "name" | "label" | "text" | "access">;

/** A pool of connections to one Postgres (or a Citus coordinator). All SQL goes through it. */
export class Database implements Executor {
  readonly pool: pg.Pool;
  readonly #observe: StatementObserver | undefined;

  constructor(options: ConnectionOptions & { max?: number }, log: Log, observe?: StatementObserver) {
    this.pool = new pg.Pool({
      max: 24,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: 10_000,
      application_name: "posthorn",
      options: sessionOptions,
      ...options,
      types,
      // Send each statement at once, however many are unanswered.
      pipeline: true,
    });
    // Log broken idle connections (Postgres restarted) once per burst; the pool reconnects by itself.
    let toldAt = Number.NEGATIVE_INFINITY;
    this.pool.on("error", (error) => {
      const isNews = performance.now() - toldAt > lossBurstMs;
      // While the pool closes, the server may stop before it reads that the connections end.
      if (this.pool.ending || !isNews) return;
      toldAt = performance.now();
      log.warn({ reason: error.message }, "database connections lost");
    });
    // When a connection in use breaks, its next statement fails; this listener only keeps the process alive.
    this.pool.on("connect", (client) => client.on("error", () => {}));
    this.#observe = observe;
  }

  async run<Row, P>(statement: Statement<Row, P>, ...given: Given<P>): Promise<Row[]> {
    return (await this.#single(statement, inOrder(statement.parameters, given[0]))).rows as Row[];
  }

  async count<Row, P>(statement: Statement<Row, P>, ...given: Given<P>): Promise<number> {
    return (await this.#single(statement, inOrder(statement.parameters, given[0]))).rowCount ?? 0;
  }

  /** Runs one statement outside a transaction. A read runs again when the connection is lost. */
  #single(statement: Runnable, values: unknown[]): Promise<pg.QueryResult> {
    const query = () => this.#query(this.pool, statement, values);
    return statement.access === "read" ? retry(query, databasePatience) : query();
  }

  /**
   * Runs `work` inside a transaction on one connection; rolls back when it throws. When it only `reads`, it is done
   * once `work` is: a COMMIT that fails does not matter.
   */
  async transaction<T>(
    begin: string,
    work: (executor: TransactionExecutor) => Promise<T>,
    { reads = false } = {},
  ): Promise<T> {
    const connection = await this.#connect();
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

  /** Runs `work` on one connection, without a transaction. */
  async connected<T>(work: (executor: Executor) => Promise<T>): Promise<T> {
    const connection = await this.#connect();
    try {
      return await work(connection);
    } finally {
      connection.release();
    }
  }

  /** Whether Postgres answers a statement now. */
  async isReachable(): Promise<boolean> {
    return this.pool.query("SELECT 1").then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  async #connect(): Promise<Connection> {
    const client = await traced(
      "statement",
      () => ({ name: "connect" }),
      () => this.pool.connect(),
    );
    return new Connection(client, this.#observe);
  }

  #query(client: pg.Pool | pg.PoolClient, statement: Runnable, values: unknown[]) {
    this.#observe?.(statement.text, values);
    const unnamed = { text: statement.text, values };
    const query = statement.name === "" ? unnamed : { ...unnamed, name: statement.name };
    return traced(
      "statement",
      () => ({ name: labelOf(statement) }),
      () => client.query(query),
    );
  }
}
