import pg from "pg";
import type { Log } from "../../base/log.ts";
import type { ConnectionOptions } from "./database.ts";
import type { Executor } from "./sql.ts";
import { statement } from "./sql.ts";

/** Postgres refuses a payload of 8000 bytes or more. */
export const maxPayload = 7999;

const notifyAll = statement("SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload");

/** Tells every listener of the channel, this process included. */
export async function notify(executor: Executor, channel: string, payloads: readonly string[]): Promise<void> {
  await executor.run(notifyAll, [channel, payloads]);
}

const selectModseq = statement<{ epoch: number; modseq: number }>(
  "SELECT epoch, modseq FROM account WHERE user_id = $1",
);

/** Moves with each write of the account; undefined when there is no such account. */
export async function readAccountMark(executor: Executor, accountId: number): Promise<string | undefined> {
  const [row] = await executor.run(selectModseq, [accountId]);
  return row && `${row.epoch}-${row.modseq}`;
}

export interface ListenerOptions {
  connection: ConnectionOptions;
  channel: string;
  log: Log;
  onPayload: (payload: string) => void;
  /** Called each time the connection listens, the first time included: what was told before is lost. */
  onUp: () => void;
  onDown: () => void;
  /** How often the connection is tried, in ms. (Default: 30 000) */
  checkInterval?: number;
}

const firstPause = 50;
const longestPause = 5_000;
const timeout = 10_000;

/** One dedicated connection that listens; when it is lost, another is opened until `close`. */
export class Listener {
  readonly #options: ListenerOptions;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pause = firstPause;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Resolves when it listens, or when the first attempt failed and the next ones go on behind. */
  async start(): Promise<void> {
    if (this.#closed) return;
    const client = new pg.Client({
      ...this.#options.connection,
      application_name: "posthorn listen",
      connectionTimeoutMillis: timeout,
      query_timeout: timeout,
      keepAlive: true,
    });
    this.#client = client;
    client.on("notification", ({ payload }) => this.#options.onPayload(payload ?? ""));
    client.on("error", (error) => this.#lost(client, error));
    client.on("end", () => this.#lost(client, new Error("connection ended")));
    try {
      await client.connect();
      await client.query(`LISTEN ${client.escapeIdentifier(this.#options.channel)}`);
    } catch (error) {
      this.#lost(client, error as Error);
      return;
    }
    if (this.#client !== client) return;
    this.#pause = firstPause;
    this.#timer = setInterval(() => this.#check(client), this.#options.checkInterval ?? 30_000).unref();
    this.#options.onUp();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    // A connection whose peer vanished never ends.
    const patience = new Promise((resolve) => setTimeout(resolve, 1_000).unref());
    await Promise.race([client?.end().catch(() => {}), patience]);
  }

  /** A peer that vanished without a word closes no socket. */
  #check(client: pg.Client): void {
    client.query("SELECT 1").catch((error: Error) => this.#lost(client, error));
  }

  #lost(client: pg.Client, error: Error): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    clearTimeout(this.#timer);
    client.end().catch(() => {});
    this.#options.onDown();
    if (this.#closed) return;
    // Attempts to get it back that fail are no news.
    const level = this.#pause === firstPause ? "warn" : "debug";
    this.#options.log[level]({ reason: error.message }, "listening connection lost");
    this.#timer = setTimeout(() => void this.start(), this.#pause);
    this.#timer.unref();
    this.#pause = Math.min(this.#pause * 2, longestPause);
  }
}
