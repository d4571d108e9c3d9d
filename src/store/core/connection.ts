import { setImmediate as turn } from "node:timers/promises";
import pg from "pg";
import { traced } from "../../base/traces.ts";
import { CommitError } from "./errors.ts";
import { type Executor, type Given, inOrder, labelOf, type Statement } from "./sql.ts";

/** Resolves when all that has arrived is read: the first turn may come before the sockets have theirs. */
const turnOfSockets = async () => {
  await turn();
  await turn();
};

/** Runs statements in one transaction, in the order given. */
export interface TransactionExecutor extends Executor {
  /** Runs it without waiting. An error surfaces at the next awaited answer, at COMMIT at the latest. */
  send<Row, P>(statement: Statement<Row, P>, ...values: Given<P>): void;
  /** Rolls back only `work` when it throws. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
}

const inFailedTransaction = "25P02";
/** COMMIT waits for a standby, however long that is away: then its outcome stays unknown, and the connection is closed. */
const commitInTime = { text: "COMMIT", query_timeout: 10_000 } as pg.QueryConfig;
/** After so long without a word, the server may have ended the transaction. */
const longPauseMs = 1_000;
const hasEnded = "the transaction has ended";

/** A pooled connection. Statements sent in one tick go out in one write, and none waits for BEGIN. */
export class Connection implements TransactionExecutor {
  readonly #client: pg.PoolClient;
  readonly #observe: ((text: string, values: readonly unknown[]) => void) | undefined;
  /** The first error of the transaction; the statements after it fail with an error that gives no cause. */
  #failure: unknown;
  #loss: Error | undefined;
  #isBegun = true;
  /** The connection may serve somebody else: a call that was not awaited must not reach it. */
  #isEnded = false;
  #unanswered = 0;
  #answeredAt = performance.now();
  #isCorked = false;

  constructor(client: pg.PoolClient, observe: ((text: string, values: readonly unknown[]) => void) | undefined) {
    this.#client = client;
    this.#observe = observe;
    client.on("error", this.#lose);
  }

  async run<Row, P>(statement: Statement<Row, P>, ...given: Given<P>): Promise<Row[]> {
    return (await this.#statement(statement, given[0])).rows as Row[];
  }

  async count<Row, P>(statement: Statement<Row, P>, ...given: Given<P>): Promise<number> {
    return (await this.#statement(statement, given[0])).rowCount ?? 0;
  }

  send<Row, P>(statement: Statement<Row, P>, ...given: Given<P>): void {
    this.#statement(statement, given[0]).catch(() => {});
  }

  begin(text: string): void {
    this.#query({ text }).catch(() => {
      this.#isBegun = false;
    });
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isEnded) throw new Error(hasEnded);
    const set = this.#query({ text: "SAVEPOINT s" });
    set.catch(() => {});
    try {
      const result = await work();
      if (this.#isEnded) throw new Error(hasEnded);
      // A statement that was sent may have failed unnoticed.
      if (this.#failure !== undefined) throw this.#failure;
      const isCertain = this.#unanswered === 0;
      const released = this.#query({ text: "RELEASE SAVEPOINT s" });
      if (isCertain) released.catch(() => {});
      else await released;
      return result;
    } catch (error) {
      // Without this savepoint, ROLLBACK TO would go back to an enclosing one.
      await set;
      if (this.#isEnded) throw error;
      await this.#client.query("ROLLBACK TO SAVEPOINT s");
      this.#failure = undefined;
      this.#query({ text: "RELEASE SAVEPOINT s" }).catch(() => {});
      throw error;
    }
  }

  /** Sends COMMIT in the same write as the statements before it. */
  async commit(): Promise<void> {
    // What the server said while this process hung is heard first: sent after that, a COMMIT would have no known outcome.
    if (performance.now() - this.#answeredAt > longPauseMs) await turnOfSockets();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#loss) throw this.#loss;
    this.#isEnded = true;
    this.#cork();
    const committing = traced(
      "statement",
      () => ({ name: "COMMIT" }),
      () => this.#client.query(commitInTime),
    );
    const outcome = await committing.catch((error: unknown) => {
      // The server refused an earlier statement, so it cannot have committed.
      if (this.#failure instanceof pg.DatabaseError) throw this.#failure;
      throw new CommitError(this.#failure ?? error);
    });
    if (outcome.command !== "COMMIT") throw this.#failure ?? new Error("the transaction was rolled back");
    this.release();
  }

  /** Throws if BEGIN failed. Otherwise what was read is valid, however the transaction ends. */
  mustHaveBegun(): void {
    if (!this.#isBegun) throw this.#failure;
  }

  /** Ends the transaction without waiting for the answer. */
  end(text: "COMMIT" | "ROLLBACK"): void {
    this.#isEnded = true;
    void this.#client
      .query(text)
      .catch(this.#lose)
      .then(() => this.release());
  }

  release(): void {
    this.#isEnded = true;
    this.#client.off("error", this.#lose);
    this.#client.release(this.#loss ?? false);
  }

  /** A connection may break between two statements; the next statement then fails. */
  readonly #lose = (error: Error): void => {
    this.#loss = error;
  };

  #statement<P>(statement: Statement<unknown, P>, given: P | undefined): Promise<pg.QueryResult> {
    const { name, text, parameters } = statement;
    const values = inOrder(parameters, given);
    this.#observe?.(text, values);
    const query = name === "" ? { text, values } : { name, text, values };
    return traced(
      "statement",
      () => ({ name: labelOf(statement) }),
      () => this.#query(query),
    );
  }

  async #query(query: pg.QueryConfig): Promise<pg.QueryResult> {
    if (this.#isEnded) throw new Error(hasEnded);
    if (this.#failure !== undefined) throw this.#failure;
    this.#cork();
    this.#unanswered++;
    try {
      return await this.#client.query(query);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === inFailedTransaction) throw this.#failure ?? error;
      this.#failure ??= error;
      throw error;
    } finally {
      this.#unanswered--;
      this.#answeredAt = performance.now();
    }
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    const { stream } = this.#client.connection;
    stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }
}
