import { Cluster } from "ioredis";
import type { Log } from "../base/log.ts";
import type { RedisLink } from "./link.ts";
import { type Channel, NodeSubscriptions } from "./node-subscriptions.ts";
import { slotOf } from "./slot.ts";

export interface SubscriptionsListener {
  onMessage(text: string): void;
  /** All channels are followed. */
  onUp(): void;
  /** Some or all channels are not followed. */
  onDown(): void;
  /** Messages may have been lost. */
  onGap(): void;
}

export interface SubscriptionsOptions {
  link: RedisLink;
  listener: SubscriptionsListener;
  log: Log;
}

/** Slots move one after the other: so long after the first, the new places are looked up. */
const settleMs = 250;
/** Stands for the only server there is. */
const only = "";

/**
 * Follows channels of sharded pub/sub: in a Cluster, each at the node that has its slot, over one connection a node, and
 * after it when it moves. (The client's own way of doing that loses channels when a node dies and comes back.)
 */
export class Subscriptions {
  readonly #link: RedisLink;
  readonly #listener: SubscriptionsListener;
  readonly #log: Log;
  readonly #channels = new Map<string, Channel>();
  /** By channel, the node at which it is followed. */
  readonly #places = new Map<Channel, string>();
  readonly #nodes = new Map<string, NodeSubscriptions>();
  /** Nodes that have ended subscriptions. */
  readonly #moved = new Set<NodeSubscriptions>();
  #settling: NodeJS.Timeout | undefined;
  #isStarted = false;
  #isUp = false;

  constructor({ link, listener, log }: SubscriptionsOptions) {
    this.#link = link;
    this.#listener = listener;
    this.#log = log;
  }

  start(): void {
    this.#isStarted = true;
    this.#placeAll();
    if (this.#link.client instanceof Cluster) this.#link.client.on("refresh", this.#placeAll);
  }

  /** Resolves when Redis has confirmed the channel, which may take until it is back. */
  add(name: string): Promise<void> {
    let channel = this.#channels.get(name);
    if (!channel) {
      channel = { name, slot: slotOf(name), isHeard: false, heard: Promise.withResolvers() };
      this.#channels.set(name, channel);
      this.#place(channel);
    }
    return channel.heard.promise;
  }

  remove(name: string): void {
    const channel = this.#channels.get(name);
    if (!channel) return;
    this.#channels.delete(name);
    this.#leave(channel);
  }

  close(): void {
    clearTimeout(this.#settling);
    this.#isStarted = false;
    this.#link.client.off("refresh", this.#placeAll);
    for (const node of this.#nodes.values()) node.close();
    this.#nodes.clear();
  }

  #placeAll = (): void => {
    for (const channel of this.#channels.values()) this.#place(channel);
    for (const [name, node] of this.#nodes) {
      if (!node.isEmpty) continue;
      this.#nodes.delete(name);
      node.close();
    }
    for (const node of this.#moved) void node.again();
    this.#moved.clear();
    this.#tell();
  };

  #place(channel: Channel): void {
    const { client } = this.#link;
    const name = client instanceof Cluster ? client.slots[channel.slot]?.[0] : only;
    if (!this.#isStarted || name === undefined || name === this.#places.get(channel)) return;
    this.#leave(channel);
    this.#places.set(channel, name);
    this.#nodeOf(name).add(channel);
  }

  #leave(channel: Channel): void {
    const name = this.#places.get(channel);
    if (name === undefined) return;
    this.#places.delete(channel);
    this.#nodes.get(name)?.remove(channel);
  }

  #nodeOf(name: string): NodeSubscriptions {
    const known = this.#nodes.get(name);
    if (known) return known;
    const client = this.#link.subscriber(name === only ? undefined : name);
    const node: NodeSubscriptions = new NodeSubscriptions(
      client,
      {
        onMessage: this.#listener.onMessage,
        onUp: () => this.#tell(),
        onDown: () => this.#tell(),
        onGap: this.#listener.onGap,
        onMoved: () => this.#slotsMoved(node),
      },
      this.#log,
    );
    this.#nodes.set(name, node);
    return node;
  }

  #slotsMoved(node: NodeSubscriptions): void {
    this.#moved.add(node);
    const { client } = this.#link;
    if (!(client instanceof Cluster)) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      client.refreshSlotsCache();
    }, settleMs);
  }

  #tell(): void {
    const isUp = this.#nodes.size > 0 && [...this.#nodes.values()].every((node) => node.isUp);
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    if (isUp) this.#listener.onUp();
    else this.#listener.onDown();
  }
}
