import { randomUUID } from "node:crypto";
import type { Log } from "../base/log.ts";
import { type TypeName, typeCodes } from "../store/core/change.ts";
import type { Database } from "../store/core/database.ts";
import { Listener, maxPayload, notify } from "../store/core/listen.ts";
import { decodeState } from "../store/core/state.ts";
import type { Batch, Carrier, ChangeEvent, Receiver } from "./carrier.ts";
import type { States } from "./states.ts";

/** One NOTIFY; `from` lets a process ignore its own echo. */
interface Message {
  from: string;
  /** The sender listens; `hello` asks the others to say that they do too. */
  presence?: "hello" | "here" | "bye";
  changes?: ChangeEvent[];
  revoked?: string[];
}

export interface PostgresCarrierOptions {
  /** It must be reached straight, not through a transaction pooler. */
  database: Database;
  log: Log;
  channel?: string;
  /** How often a process announces its presence, in ms. (Default: 30 000) */
  presenceIntervalMs?: number;
}

/**
 * LISTEN/NOTIFY between the processes of one database. Each listening process knows of the others, so a process that is
 * alone, the common case, sends nothing.
 */
export class PostgresCarrier implements Carrier {
  readonly #options: PostgresCarrierOptions;
  readonly #channel: string;
  readonly #interval: number;
  readonly #id = randomUUID();
  readonly #peers = new Map<string, number>();
  #listener: Listener | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Until this time others may not have answered yet; undefined while we do not listen. */
  #aloneFrom: number | undefined;

  constructor(options: PostgresCarrierOptions) {
    this.#options = options;
    this.#channel = options.channel ?? "posthorn";
    this.#interval = options.presenceIntervalMs ?? 30_000;
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
        this.#say("hello");
        receiver.onUp();
      },
      onDown: () => {
        this.#aloneFrom = undefined;
      },
    });
    this.#timer = setInterval(() => this.#say("here"), this.#interval).unref();
    await this.#listener.start();
  }

  async send({ changes, revoked }: Batch): Promise<void> {
    if (this.#isAlone()) return;
    await this.#notify([
      ...pack(changes, (part) => ({ from: this.#id, changes: part })),
      ...pack(revoked, (part) => ({ from: this.#id, revoked: part })),
    ]);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#listener) await this.#notify([this.#presence("bye")]).catch(() => {});
    await this.#listener?.close();
  }

  #isAlone(): boolean {
    const now = performance.now();
    if (this.#aloneFrom === undefined || now < this.#aloneFrom) return false;
    for (const [peer, seen] of this.#peers) if (now - seen > this.#interval * 3.5) this.#peers.delete(peer);
    return this.#peers.size === 0;
  }

  #receive(payload: string, receiver: Receiver): void {
    const message = parse(payload);
    if (!message) {
      this.#options.log.warn({ bytes: payload.length }, "notification not understood");
      return;
    }
    const { from, presence, changes = [], revoked = [] } = message;
    if (from === this.#id) return;
    if (presence === "bye") this.#peers.delete(from);
    else if (presence) this.#peers.set(from, performance.now());
    if (presence === "hello") this.#say("here");
    if (changes.length > 0 || revoked.length > 0) receiver.onBatch({ changes, revoked });
  }

  #presence(presence: "hello" | "here" | "bye"): string {
    return JSON.stringify({ from: this.#id, presence } satisfies Message);
  }

  #say(presence: "hello" | "here"): void {
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

/** Undefined for a message that this program would not send: anyone with access to the database can notify. */
function parse(payload: string): Message | undefined {
  try {
    const message = JSON.parse(payload) as Partial<Record<keyof Message, unknown>> | null;
    if (typeof message !== "object" || message === null || typeof message.from !== "string") return undefined;
    const { from, presence, changes = [], revoked = [] } = message;
    if (presence !== undefined && presence !== "hello" && presence !== "here" && presence !== "bye") return undefined;
    if (!Array.isArray(changes) || !changes.every(isChange)) return undefined;
    if (!Array.isArray(revoked) || !revoked.every((name) => typeof name === "string")) return undefined;
    return { from, ...(presence && { presence }), changes, revoked };
  } catch {
    return undefined;
  }
}

function isChange(value: unknown): value is ChangeEvent {
  const { accountId, changed } = (value ?? {}) as Partial<ChangeEvent>;
  return Number.isSafeInteger(accountId) && typeof changed === "object" && changed !== null && isStates(changed);
}

function isStates(changed: object): changed is States {
  return Object.entries(changed).every(
    ([type, state]) => typeCodes[type as TypeName] !== undefined && typeof state === "string" && decodeState(state),
  );
}
