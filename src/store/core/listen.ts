import { sql } from "kysely";
import pg from "pg";
import type { Log } from "../../base/log.ts";
import { pauseFor, retry } from "../../base/retry.ts";
import { read, write } from "./declare.ts";
import type { Server } from "./server.ts";
import type { Executor } from "./sql.ts";

/** Postgres refuses a payload of 8000 bytes or more. */
export const maxPayload = 7999;

const notifyAll = write(
  "listen.notify",
  (_, $: { channel: string; payloads: readonly string[] }) =>
    sql<{ sent: number }>`
  SELECT count(pg_notify(${$.channel}, payload)) AS sent FROM unnest(${$.payloads}::text[]) AS payload`,
);

/** Notifies every listener of the channel, this process included. */
export async function notify(executor: Executor, channel: string, payloads: readonly string[]): Promise<void> {
  await executor.run(notifyAll, { channel, payloads });
}

const mark = read("listen.accountMark", (db, $: { accountId: number }) =>
  db.selectFrom("account").select(["epoch", "modseq"]).where("userId", "=", $.accountId),
);

/** Changes with each write to the account; undefined when there is no such account. */
export async function readAccountMark(executor: Executor, accountId: number): Promise<string | undefined> {
  const [row] = await executor.run(mark, { accountId });
  return row && `${row.epoch}-${row.modseq}`;
}

export interface ListenerOptions {
  server: Pick<Server, "address">;
  channel: string;
  log: Log;
  onPayload: (payload: string) => void;
  /** Called each time the connection starts to listen, the first time included: earlier payloads are lost. */
  onUp: () => void;
  onDown: () => void;
  /** How often the connection is checked. (Default: 30 000) */
  checkIntervalMs?: number;
}

const firstPauseMs = 50;
const maxPauseMs = 5_000;
const timeoutMs = 10_000;

interface Opened {
  client: pg.Client;
  /** Resolves with the reason when the connection ends. */
  lost: Promise<Error>;
}

/** A dedicated connection that listens. It reconnects whenever the connection is lost, until `close`. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #closing = new AbortController();
  #client: pg.Client | undefined;
  /** False after the first warning: failed attempts to reconnect are logged at debug level. */
  #isNews = true;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Resolves when it listens, or when the first attempt failed; retries then continue in the background. */
  start(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    void this.#listen(resolve);
    return promise;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const client = this.#client;
    this.#client = undefined;
    // If the peer vanished, `end` never resolves.
    const patience = new Promise((resolve) => setTimeout(resolve, 1_000).unref());
    await Promise.race([client?.end().catch(() => {}), patience]);
  }

  async #listen(tried: () => void): Promise<void> {
    const { signal } = this.#closing;
    const onFailure = (error: unknown) => {
      this.#down(error as Error);
      tried();
    };
    while (!signal.aborted) {
      const pauses = { firstPauseMs, maxPauseMs };
      const opened = await retry(() => this.#open(), { ...pauses, signal, onFailure }).catch(() => {});
      if (!opened || signal.aborted) break;
      this.#isNews = true;
      this.#options.onUp();
      tried();
      const error = await this.#untilLost(opened);
      if (signal.aborted) break;
      this.#down(error);
      await pauseFor(firstPauseMs, signal);
    }
    tried();
  }

  async #open(): Promise<Opened> {
    const address = await this.#options.server.address();
    this.#closing.signal.throwIfAborted();
    const client = new pg.Client({
      ...address,
      application_name: "posthorn listen",
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      keepAlive: true,
    });
    this.#client = client;
    const { promise: lost, resolve: lose } = Promise.withResolvers<Error>();
    client.on("notification", ({ payload }) => this.#options.onPayload(payload ?? ""));
    client.on("error", lose);
    client.on("end", () => lose(new Error("connection ended")));
    try {
      await client.connect();
      await client.query(`LISTEN ${client.escapeIdentifier(this.#options.channel)}`);
    } catch (error) {
      client.end().catch(() => {});
      throw error;
    }
    return { client, lost };
  }

  async #untilLost({ client, lost }: Opened): Promise<Error> {
    // A peer that vanishes does not close the socket.
    const { promise: silent, resolve } = Promise.withResolvers<Error>();
    const check = () => client.query("SELECT 1").catch(resolve);
    const timer = setInterval(check, this.#options.checkIntervalMs ?? 30_000).unref();
    const error = await Promise.race([lost, silent]);
    clearInterval(timer);
    client.end().catch(() => {});
    return error;
  }

  #down(error: Error): void {
    this.#options.onDown();
    if (this.#closing.signal.aborted) return;
    this.#options.log[this.#isNews ? "warn" : "debug"]({ reason: error.message }, "listening connection lost");
    this.#isNews = false;
  }
}
