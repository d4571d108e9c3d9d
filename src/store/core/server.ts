import type pg from "pg";
import type { Log } from "../../base/log.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { Unreachable } from "./errors.ts";
import { Finder, type Guard } from "./finder.ts";
import { isRetryable } from "./loss.ts";
import { Pool } from "./pool.ts";

export interface ServerOptions {
  /** For the log and for /readyz, so it holds no address. */
  name: string;
  /** Where it may be. */
  addresses: readonly ConnectionOptions[];
  /** Needed to write to one of several addresses. */
  guard: Guard | undefined;
  isReadOnly: boolean;
  /** The most connections. */
  max: number;
  log: Log;
  /** Called when the server is found to be away. */
  onAway?: () => void;
}

/** A server that is asked something and says nothing for so long is asked whether it is there. */
const maxSilenceMs = 800;
/** For how long after its last word calls wait for a server that is away. */
const maxAwayMs = 2_000;
/** The pauses between questions to a server that is away: while calls wait for it, and later. */
const awaitedPauseMs = 200;
const pauseMs = 1_000;
const lossBurstMs = 1_000;

/**
 * A Postgres server: its connections, and whether it answers. One that is dead or hangs keeps nobody waiting for longer
 * than two seconds: then all that waits for it fails, and further calls fail at once until it answers again.
 */
export class Server {
  readonly name: string;
  readonly #options: ServerOptions;
  readonly #finder: Finder;
  /** Undefined until its address is found. */
  #pool: Pool | undefined;
  #poolAddress: ConnectionOptions | undefined;
  /** When it last said anything, and when the first of the calls under way began, by performance.now(). */
  #heardAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Its last word before it went away; undefined while it answers. */
  #awaySince: number | undefined;
  readonly #awaiting = new Set<() => void>();
  #watch: NodeJS.Timeout | undefined;
  #probing: Promise<boolean> | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #closed: Error | undefined;
  #lossToldAt = Number.NEGATIVE_INFINITY;

  constructor(options: ServerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#finder = new Finder(options.addresses, options.guard);
  }

  /** Whether calls fail, or wait for it to return. */
  get isAway(): boolean {
    return this.#awaySince !== undefined;
  }

  /** Whether calls fail at once, since it has been away for longer than anybody waits. */
  get isGivenUp(): boolean {
    return this.#awaySince !== undefined && performance.now() - this.#awaySince >= maxAwayMs;
  }

  get counts(): Pool["counts"] {
    return this.#pool?.counts ?? { total: 0, idle: 0, waiting: 0 };
  }

  /** A connection, to be released by its user. Throws Unreachable while the server is away. */
  async connect(): Promise<pg.PoolClient> {
    const pool = await this.#ready();
    if (pool.calls === 0) this.#askedAt = performance.now();
    this.#watch ??= setTimeout(this.#look, maxSilenceMs).unref();
    try {
      const client = await pool.connect();
      if (!this.#closed) return client;
      client.release();
      throw this.#closed;
    } catch (error) {
      // If it is away, whoever tries again waits for its return.
      if (isRetryable(error)) await this.isThere();
      throw error;
    }
  }

  /** One statement outside a transaction. */
  async query(query: pg.QueryConfig): Promise<pg.QueryResult> {
    const client = await this.connect();
    try {
      const result = await client.query(query);
      client.release();
      return result;
    } catch (error) {
      client.release(error as Error);
      const isLate = (error as Error).message === "Query read timeout";
      throw isLate ? new Unreachable(`${this.name} does not finish a statement`, error) : error;
    }
  }

  /** Where the server is, for a connection outside the pool. Throws Unreachable while it is away. */
  async address(): Promise<ConnectionOptions> {
    await this.#ready();
    return this.#finder.address!;
  }

  /** Asks it now. */
  isThere(): Promise<boolean> {
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  /** Resolves when the connections in use have been released. Further calls fail with `reason`. */
  async close(reason = new Error("the database is closed")): Promise<void> {
    this.#closed = reason;
    clearTimeout(this.#watch);
    clearTimeout(this.#probeTimer);
    this.#finder.drop();
    for (const proceed of this.#awaiting) proceed();
    await this.#pool?.close();
  }

  async #ready(): Promise<Pool> {
    if (this.#finder.address === undefined && !this.isAway) await this.isThere();
    if (this.#awaySince !== undefined) await this.#returned(this.#awaySince);
    if (this.#closed) throw this.#closed;
    const address = this.#finder.address!;
    if (this.#poolAddress !== address) {
      this.#pool?.abandon(lost(`${this.name} has moved`));
      this.#pool = undefined;
      this.#poolAddress = address;
    }
    this.#pool ??= this.#open(address);
    return this.#pool;
  }

  #open(connection: ConnectionOptions): Pool {
    const { max, guard, isReadOnly } = this.#options;
    return new Pool({
      connection,
      max,
      isReadOnly,
      ...(guard && { verify: (client) => this.#finder.verify(client) }),
      heard: this.#hear,
      // The primary has become a standby.
      onReadOnly: () => void this.isThere(),
      onLoss: (error) => this.#tellLoss(error),
    });
  }

  readonly #hear = (): void => {
    this.#heardAt = performance.now();
  };

  /** Runs now and then while calls are under way. */
  readonly #look = (): void => {
    this.#watch = undefined;
    if (this.#closed || this.isAway || this.#calls === 0) return;
    const silentMs = performance.now() - this.#silentSince();
    if (silentMs >= maxSilenceMs) void this.isThere();
    const restMs = silentMs < maxSilenceMs ? maxSilenceMs - silentMs : maxSilenceMs;
    this.#watch = setTimeout(this.#look, Math.max(restMs, 50)).unref();
  };

  get #calls(): number {
    return this.#pool?.calls ?? 0;
  }

  #silentSince(): number {
    return Math.max(this.#heardAt, this.#askedAt);
  }

  async #probe(): Promise<boolean> {
    const since = this.#calls > 0 ? this.#silentSince() : performance.now();
    try {
      await this.#finder.ask();
      this.#welcome();
    } catch (error) {
      this.#miss(error as Error, since);
    }
    return !this.isAway;
  }

  #welcome(): void {
    this.#hear();
    if (this.#awaySince === undefined) return;
    this.#awaySince = undefined;
    this.#options.log.info({ server: this.name }, "database server answers again");
    for (const proceed of this.#awaiting) proceed();
  }

  #miss(error: Error, since: number): void {
    if (this.#closed) return;
    if (this.#awaySince === undefined) {
      this.#awaySince = since;
      this.#options.log.warn({ server: this.name, reason: error.message }, "database server gives no answer");
      this.#pool?.abandon(lost(`${this.name} gives no answer`, error));
      this.#pool = undefined;
      this.#options.onAway?.();
    }
    const isAwaited = performance.now() - this.#awaySince < maxAwayMs;
    this.#probeTimer = setTimeout(() => void this.isThere(), isAwaited ? awaitedPauseMs : pauseMs).unref();
  }

  /** Resolves when it is back. */
  #returned(since: number): Promise<void> {
    const restMs = since + maxAwayMs - performance.now();
    const gone = () => new Unreachable(`${this.name} gives no answer`);
    if (restMs <= 0) return Promise.reject(gone());
    return new Promise((resolve, reject) => {
      const proceed = () => {
        clearTimeout(timer);
        this.#awaiting.delete(proceed);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#awaiting.delete(proceed);
        reject(gone());
      }, restMs);
      this.#awaiting.add(proceed);
    });
  }

  /** Logs broken idle connections once per burst; the pool reconnects by itself. */
  #tellLoss(error: Error): void {
    const isNews = performance.now() - this.#lossToldAt > lossBurstMs;
    if (this.#closed || !isNews) return;
    this.#lossToldAt = performance.now();
    this.#options.log.warn({ server: this.name, reason: error.message }, "database connections lost");
  }
}

/** Nothing was committed, unless COMMIT was sent: the work may run again. */
export function lost(what: string, cause?: Error): Error {
  return Object.assign(new Error(what, { cause }), { code: "08006" });
}
