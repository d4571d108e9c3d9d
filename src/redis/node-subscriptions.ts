import type { Redis } from "ioredis";
import type { Log } from "../base/log.ts";

/** A channel that is followed. */
export interface Channel {
  name: string;
  /** Where it lies in a Cluster. */
  slot: number;
  /** Whether Redis has ever confirmed it. */
  isHeard: boolean;
  /** Resolves then. */
  heard: PromiseWithResolvers<void>;
}

export interface NodeListener {
  onMessage(text: string): void;
  /** All its channels are followed. */
  onUp(): void;
  onDown(): void;
  /** Channels are followed again: messages may have been lost before. */
  onGap(): void;
  /** Some of the channels lie elsewhere now. */
  onMoved(): void;
}

/** Channels that are added within this time are asked for together. */
const gatherMs = 1;
const maxPerCommand = 200;
const retryMs = 250;

/** Follows channels at one server, over one connection. */
export class NodeSubscriptions {
  readonly #client: Redis;
  readonly #listener: NodeListener;
  readonly #log: Log;
  readonly #channels = new Set<Channel>();
  /** Those that Redis was asked for on this connection. */
  readonly #asked = new Set<Channel>();
  #timer: NodeJS.Timeout | undefined;
  #isUp = false;

  constructor(client: Redis, listener: NodeListener, log: Log) {
    this.#client = client;
    this.#listener = listener;
    this.#log = log;
    client.on("smessage", (_name: string, text: string) => listener.onMessage(text));
    client.on("ready", () => void this.#connected());
    client.on("close", () => this.#lost());
    client.on("moved", () => listener.onMoved());
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get isEmpty(): boolean {
    return this.#channels.size === 0;
  }

  add(channel: Channel): void {
    this.#channels.add(channel);
    this.#askSoon(gatherMs);
  }

  remove(channel: Channel): void {
    this.#channels.delete(channel);
    if (this.#asked.delete(channel)) this.#client.sunsubscribe(channel.name).catch(() => {});
  }

  /** Redis ends subscriptions to a slot that moves, even if it comes back: asks for all again. */
  async again(): Promise<void> {
    this.#asked.clear();
    await this.#connected();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#client.removeAllListeners();
    this.#client.on("error", () => {});
    this.#client.disconnect();
  }

  async #connected(): Promise<void> {
    await this.#ask();
    if (this.#client.status !== "ready") return;
    this.#isUp = true;
    this.#listener.onUp();
  }

  #lost(): void {
    this.#asked.clear();
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#listener.onDown();
  }

  #askSoon(pauseMs: number): void {
    this.#timer ??= setTimeout(() => void this.#ask(), pauseMs);
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#client.status !== "ready") return;
    const bySlot = Map.groupBy(
      [...this.#channels].filter((channel) => !this.#asked.has(channel)),
      ({ slot }) => slot,
    );
    const commands = [...bySlot.values()].flatMap(inParts);
    await Promise.all(commands.map((channels) => this.#subscribe(channels)));
  }

  /** One command may name channels of one slot only. */
  async #subscribe(channels: Channel[]): Promise<void> {
    for (const channel of channels) this.#asked.add(channel);
    try {
      await this.#client.ssubscribe(...channels.map(({ name }) => name));
      const isAgain = channels.some(({ isHeard }) => isHeard);
      for (const channel of channels) {
        channel.isHeard = true;
        channel.heard.resolve();
      }
      if (isAgain) this.#listener.onGap();
    } catch (error) {
      this.#log.debug({ reason: (error as Error).message }, "not subscribed in Redis");
      for (const channel of channels) this.#asked.delete(channel);
      this.#askSoon(retryMs);
    }
  }
}

function inParts(channels: Channel[]): Channel[][] {
  const count = Math.ceil(channels.length / maxPerCommand);
  return Array.from({ length: count }, (_, at) => channels.slice(at * maxPerCommand, (at + 1) * maxPerCommand));
}
