import { randomUUID } from "node:crypto";
import type { Log } from "../base/log.ts";
import type { Database } from "../store/core/database.ts";
import { Listener, maxPayload, notify } from "../store/core/listen.ts";
import type { Batch, Carrier, Receiver } from "./carrier.ts";
import { type Message, parseMessage } from "./message.ts";

export interface PostgresCarrierOptions {
  /** It must be reached straight, not through a transaction pooler. */
  database: Database;
  log: Log;
  channel?: string;
  /** How often a process announces its presence. (Default: 30 000) */
  presenceIntervalMs?: number;
  /** Another carrier brings the rest. (Default: false) */
  isForRevocations?: boolean;
}

/**
 * LISTEN/NOTIFY between the processes of one database. Each listening process knows of the others, so a process that is
 * alone, the common case, sends nothing.
 */
export class PostgresCarrier implements Carrier {
  readonly isForRevocations: boolean;
  readonly #options: PostgresCarrierOptions;
  readonly #channel: string;
  readonly #presenceIntervalMs: number;
  readonly #id = randomUUID();
  readonly #peers = new Map<string, number>();
  #listener: Listener | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Until this time others may not have answered yet; undefined while we do not listen. */
  #aloneFrom: number | undefined;

  constructor(options: PostgresCarrierOptions) {
    this.#options = options;
    this.isForRevocations = options.isForRevocations ?? false;
    this.#channel = options.channel ?? "posthorn";
    this.#presenceIntervalMs = options.presenceIntervalMs ?? 30_000;
  }

  async start(receiver: Receiver): Promise<void> {
    const { database, log } = this.#options;
    this.#listener = new Listener({
      server: database.nodes.main,
      channel: this.#channel,
      log,
      onPayload: (payload) => this.#receive(payload, receiver),
      onUp: () => {
        this.#peers.clear();
        this.#aloneFrom = performance.now() + 2_000;
        this.#announce("hello");
        receiver.onUp();
      },
      onDown: () => {
        this.#aloneFrom = undefined;
        receiver.onDown();
      },
    });
    this.#timer = setInterval(() => this.#announce("here"), this.#presenceIntervalMs).unref();
    await this.#listener.start();
  }

  async send({ changes, revoked, queued, watched }: Batch): Promise<void> {
    if (this.#isAlone()) return;
    await this.#notify([
      ...pack(changes, (part) => ({ from: this.#id, changes: part })),
      ...pack(revoked, (part) => ({ from: this.#id, revoked: part })),
      ...(queued ? [JSON.stringify({ from: this.#id, queued } satisfies Message)] : []),
      ...(watched.length > 0 ? [JSON.stringify({ from: this.#id, watched } satisfies Message)] : []),
    ]);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#listener && !this.isForRevocations) await this.#notify([this.#presence("bye")]).catch(() => {});
    await this.#listener?.close();
  }

  #isAlone(): boolean {
    // Revocations are so rare that it is not worth knowing who is there.
    if (this.isForRevocations) return false;
    const now = performance.now();
    if (this.#aloneFrom === undefined || now < this.#aloneFrom) return false;
    for (const [peer, seen] of this.#peers) if (now - seen > this.#presenceIntervalMs * 3.5) this.#peers.delete(peer);
    return this.#peers.size === 0;
  }

  #receive(payload: string, receiver: Receiver): void {
    const message = parseMessage(payload);
    if (!message) {
      this.#options.log.warn({ bytes: payload.length }, "notification not understood");
      return;
    }
    const { from, presence, changes, revoked, queued, watched } = message;
    if (from === this.#id) return;
    if (presence === "bye") this.#peers.delete(from);
    else if (presence) this.#peers.set(from, performance.now());
    if (presence === "hello") this.#announce("here");
    const isEmpty = changes.length === 0 && revoked.length === 0 && !queued && watched.length === 0;
    if (!isEmpty) receiver.onBatch({ changes, revoked, queued, watched });
  }

  #presence(presence: "hello" | "here" | "bye"): string {
    return JSON.stringify({ from: this.#id, presence } satisfies Message);
  }

  #announce(presence: "hello" | "here"): void {
    if (this.isForRevocations) return;
    this.#notify([this.#presence(presence)]).catch((error: Error) =>
      this.#options.log.warn({ reason: error.message }, "presence not announced"),
    );
  }

  #notify(payloads: string[]): Promise<void> {
    return notify(this.#options.database, this.#channel, payloads);
  }
}

/** Packs `items` into as few messages as possible, each within the limit of a NOTIFY payload. */
function pack<T>(items: readonly T[], message: (part: T[]) => Message): string[] {
  if (items.length === 0) return [];
  const text = JSON.stringify(message([...items]));
  if (Buffer.byteLength(text) <= maxPayload) return [text];
  // A single item beyond the limit cannot be one of our events; dropping it costs a push, not data.
  if (items.length === 1) return [];
  const half = Math.ceil(items.length / 2);
  return [...pack(items.slice(0, half), message), ...pack(items.slice(half), message)];
}
