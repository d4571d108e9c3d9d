import pg from "pg";
import type { ConnectionOptions } from "./connection-options.ts";
import { Unreachable } from "./errors.ts";
import { types } from "./parsers.ts";

/** How long a call waits for a free connection, or for a new one. */
const maxConnectMs = 10_000;

const readOnly = "25006";

/** Ask for times in UTC, in the format that parses fastest, and for days as YYYY-MM-DD. */
export const clientOptions = {
  application_name: "posthorn",
  options: "-c TimeZone=UTC -c DateStyle=ISO",
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};

/**
 * Settings of each session, by which the server releases the locks of a client that has vanished. They are set once the
 * connection is open, since poolers refuse them as startup parameters. Plain Postgres ignores those of Citus.
 */
const session = {
  lock_timeout: "10s",
  idle_in_transaction_session_timeout: "60s",
  tcp_keepalives_idle: "30s",
  tcp_keepalives_interval: "10s",
  tcp_keepalives_count: "3",
  "citus.node_connection_timeout": "2s",
};

function settle(isReadOnly: boolean): string {
  const settings = { ...session, ...(isReadOnly && { default_transaction_read_only: "on" }) };
  const calls = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', false)`);
  return `SELECT ${calls.join(", ")}`;
}

export interface PoolOptions {
  connection: ConnectionOptions;
  max: number;
  isReadOnly: boolean;
  /** Throws if a new connection may not be used. */
  verify?: (client: pg.ClientBase) => Promise<void>;
  /** Called whenever the server says anything. */
  heard: () => void;
  /** Called when the server refuses to write anything. */
  onReadOnly: () => void;
  /** Called when idle connections were lost. */
  onLoss: (error: Error) => void;
}

/** The connections to a server. Unlike pg's pool it can be given up at once, with all that waits for the server. */
export class Pool {
  readonly #pool: pg.Pool;
  readonly #clients = new Set<pg.Client>();
  readonly #waiting = new Set<(error: Error) => void>();
  #inUse = 0;
  #abandoned: Error | undefined;

  constructor({ connection, max, isReadOnly, verify, heard, onReadOnly, onLoss }: PoolOptions) {
    const clients = this.#clients;
    const settings = settle(isReadOnly);
    this.#pool = new pg.Pool({
      max,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: maxConnectMs,
      ...clientOptions,
      ...connection,
      types,
      // Send each statement at once, however many are unanswered.
      pipeline: true,
      onConnect: (client) => Promise.all([client.query(settings), verify?.(client)]),
      Client: class extends pg.Client {
        constructor(options?: pg.ClientConfig) {
          super(options);
          clients.add(this);
          this.once("end", () => clients.delete(this));
          // When a connection in use breaks, its next statement fails; this listener only keeps the process alive.
          this.on("error", () => {});
        }
      },
    });
    this.#pool.on("connect", ({ connection }) => {
      connection.stream.on("data", heard);
      connection.on("errorMessage", ({ code }: { code?: string }) => {
        if (code === readOnly) onReadOnly();
      });
    });
    this.#pool.on("release", () => {
      this.#inUse--;
    });
    this.#pool.on("error", (error) => {
      // While the pool closes, the server may stop before it reads that the connections end.
      if (!this.#pool.ending) onLoss(error);
    });
  }

  /** How many calls use a connection or wait for one. */
  get calls(): number {
    return this.#inUse + this.#waiting.size;
  }

  get counts(): { total: number; idle: number; waiting: number } {
    const { totalCount: total, idleCount: idle, waitingCount: waiting } = this.#pool;
    return { total, idle, waiting };
  }

  /** A connection to be released by its user. Throws Unreachable when none becomes free in time. */
  connect(): Promise<pg.PoolClient> {
    if (this.#abandoned) return Promise.reject(this.#abandoned);
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      this.#pool.connect((error, client) => {
        this.#waiting.delete(reject);
        if (client) {
          this.#inUse++;
          if (this.#abandoned) client.release(this.#abandoned);
          else resolve(client);
        } else
          reject(/timeout exceeded/.test(error!.message) ? new Unreachable("no connection is free", error) : error);
      });
    });
  }

  /** Ends at once: whoever waits for a connection or an answer gets the error. */
  abandon(error: Error): void {
    if (this.#abandoned) return;
    this.#abandoned = error;
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#pool.end().catch(() => {});
    for (const client of this.#clients) client.connection.stream.destroy(error);
  }

  /** Ends when the connections in use have been released. */
  async close(): Promise<void> {
    if (!this.#abandoned) await this.#pool.end();
  }
}
