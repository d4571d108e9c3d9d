import type pg from "pg";
import type { Log } from "../../base/log.ts";
import { retry } from "../../base/retry.ts";
import { traced } from "../../base/traces.ts";
import { Connection, type TransactionExecutor } from "./connection.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { databasePatience } from "./loss.ts";
import { Nodes } from "./nodes.ts";
import { placeOf } from "./place.ts";
import type { Server } from "./server.ts";
import { type Executor, type Given, inOrder, labelOf, type Statement } from "./sql.ts";
import { crossing } from "./unbound-tables.ts";

/** Called with every statement that runs; tests record statements with it. */
export type StatementObserver = (text: string, values: readonly unknown[]) => void;

export type DatabaseOptions = ConnectionOptions & {
  /** The most connections to a server. (Default: 24) */
  max?: number;
  /** (Default: false) */
  isReadOnly?: boolean;
};

export interface TransactionOptions {
  /** The only account whose rows it touches. (Default: it touches no account's.) */
  account?: number;
  /** It changes nothing. */
  reads?: boolean;
}

/** A statement that crosses accounts may be stuck at a node of Citus that hangs, while the coordinator is well. */
const maxCrossingMs = 60_000;
/** A write outside a transaction is also its COMMIT, which waits for a standby, however long that is away. */
const maxWriteMs = 10_000;

function maxMsOf({ text, access }: Runnable): number | undefined {
  if (text.startsWith(crossing)) return maxCrossingMs;
  return access === "write" ? maxWriteMs : undefined;
}

type Runnable = Pick<Statement<unknown, never>, "name" | "label" | "text" | "access">;

/** A Postgres, or the nodes of a Citus cluster. All SQL goes through it. */
export class Database implements Executor {
  readonly nodes: Nodes;
  /** Nothing may be written: standbys will do. */
  readonly isReadOnly: boolean;
  readonly #observe: StatementObserver | undefined;

  constructor(options: DatabaseOptions, log: Log, observe?: StatementObserver) {
    const { max = 24, isReadOnly = false, ...connection } = options;
    this.isReadOnly = isReadOnly;
    this.nodes = new Nodes({ connection, max, isReadOnly, log });
    this.#observe = observe;
  }

  async run<Row, P>(statement: Statement<Row, P>, ...given: Given<P>): Promise<Row[]> {
    return (await this.#routed(statement, given[0])).rows as Row[];
  }

  async count<Row, P>(statement: Statement<Row, P>, ...given: Given<P>): Promise<number> {
    return (await this.#routed(statement, given[0])).rowCount ?? 0;
  }

  /** Runs single statements about one account. */
  of(accountId: number): Executor {
    const server = () => this.nodes.of(accountId);
    return {
      run: async (statement, ...given) => {
        const values = inOrder(statement.parameters, given[0]);
        return (await this.#single(server, statement, values)).rows as never;
      },
      count: async (statement, ...given) => {
        const values = inOrder(statement.parameters, given[0]);
        return (await this.#single(server, statement, values)).rowCount ?? 0;
      },
    };
  }

  /** Runs at the statement's own place. */
  #routed<P>(statement: Statement<unknown, P>, given: P | undefined): Promise<pg.QueryResult> {
    const values = inOrder(statement.parameters, given);
    const place = placeOf(statement);
    const server = () => {
      if (place === "main") return this.nodes.main;
      return place === "anywhere" ? this.nodes.anywhere() : this.nodes.of(values[place] as number);
    };
    return this.#single(server, statement, values);
  }

  /** Runs one statement outside a transaction. A read runs again when the connection is lost. */
  #single(server: () => Server, statement: Runnable, values: unknown[]): Promise<pg.QueryResult> {
    const query = () => this.#query(server(), statement, values);
    return statement.access === "read" ? retry(query, databasePatience) : query();
  }

  /**
   * Runs `work` inside a transaction on one connection; rolls back when it throws. When it only `reads`, it is done
   * once `work` is: a COMMIT that fails does not matter.
   */
  async transaction<T>(
    begin: string,
    work: (executor: TransactionExecutor) => Promise<T>,
    { account, reads = false }: TransactionOptions = {},
  ): Promise<T> {
    const connection = await this.#connect(account);
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
  async connected<T>(work: (executor: Executor) => Promise<T>, account?: number): Promise<T> {
    const connection = await this.#connect(account);
    try {
      return await work(connection);
    } finally {
      connection.release();
    }
  }

  async close(): Promise<void> {
    await this.nodes.close();
  }

  async #connect(account: number | undefined): Promise<Connection> {
    const { nodes } = this;
    const server = account === undefined ? nodes.main : nodes.of(account);
    const client = await traced(
      "statement",
      () => ({ name: "connect" }),
      () => server.connect(),
    );
    return new Connection(client, this.#observe);
  }

  #query(server: Server, statement: Runnable, values: unknown[]): Promise<pg.QueryResult> {
    this.#observe?.(statement.text, values);
    const unnamed = { text: statement.text, values, query_timeout: maxMsOf(statement) };
    const query = statement.name === "" ? unnamed : { ...unnamed, name: statement.name };
    return traced(
      "statement",
      () => ({ name: labelOf(statement) }),
      () => server.query(query),
    );
  }
}
