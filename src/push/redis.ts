import { randomUUID } from "node:crypto";
import type { Log } from "../base/log.ts";
import type { RedisClient } from "../redis/connect.ts";
import type { RedisLink } from "../redis/link.ts";
import type { Batch, Carrier, Receiver, Topic } from "./carrier.ts";
import { type Message, parseMessage } from "./message.ts";

export interface RedisCarrierOptions {
  link: RedisLink;
  log: Log;
}

/** How long a first connection is waited for. */
const maxConnectMs = 1_000;
const maxPerSending = 100;
/** Channels that are followed within this time are asked for together. */
const gatherMs = 1;
const maxPerCommand = 200;
const retryMs = 250;
/** The channels of accounts lie in so many slots of a Cluster: a command may name channels of one slot only. */
const slots = 1_024;

type Subject = Topic | "revoked";

interface Channel {
  name: string;
  /** Channels with the same tag lie in the same slot. */
  tag: string;
  isAsked: boolean;
  /** Resolves when Redis has confirmed it for the first time. */
  heard: PromiseWithResolvers<void>;
}

/**
 * Sharded pub/sub (SPUBLISH, SSUBSCRIBE) with a channel for each account, so that a process is told of those that it
 * follows. Revocations have a channel that all follow.
 */
export class RedisCarrier implements Carrier {
  readonly #link: RedisLink;
  readonly #log: Log;
  readonly #id = randomUUID();
  readonly #channels = new Map<Subject, Channel>();
  #receiver: Receiver | undefined;
  /** For a Cluster the link's own client, which keeps further connections for subscribing. */
  #subscriber: RedisClient | undefined;
  #asking: NodeJS.Timeout | undefined;

  constructor({ link, log }: RedisCarrierOptions) {
    this.#link = link;
    this.#log = log;
  }

  async start(receiver: Receiver): Promise<void> {
    this.#receiver = receiver;
    const { client } = this.#link;
    const subscriber = client.isCluster ? client : this.#link.duplicate();
    this.#subscriber = subscriber;
    void this.follow("revoked");
    subscriber.on("smessage", (_name: string, text: string) => this.#receive(text));
    subscriber.on("ready", () => void this.#connected());
    subscriber.on("close", () => this.#disconnected());
    // Slots were moved to another node, or a node is back: messages may have been lost meanwhile.
    subscriber.on("subscribersReady", () => receiver.onUp());
    if (subscriber.status === "ready") await this.#connected();
    else await connected(subscriber);
  }

  follow(subject: Subject): Promise<void> {
    const known = this.#channels.get(subject);
    if (known) return known.heard.promise;
    const channel = this.#channelOf(subject);
    this.#channels.set(subject, channel);
    this.#asking ??= setTimeout(() => void this.#ask(), gatherMs);
    return channel.heard.promise;
  }

  unfollow(topic: Topic): void {
    const channel = this.#channels.get(topic);
    this.#channels.delete(topic);
    if (channel?.isAsked) this.#subscriber?.sunsubscribe(channel.name).catch(() => {});
  }

  async send({ changes, revoked, queued }: Batch): Promise<void> {
    const messages: [Subject, Omit<Message, "from">][] = changes.map((change) => [
      change.accountId,
      { changes: [change] },
    ]);
    if (revoked.length > 0) messages.push(["revoked", { revoked }]);
    if (queued) messages.push(["queued", { queued }]);
    await connected(this.#link.client);
    let isSent = false;
    for (let at = 0; at < messages.length; at += maxPerSending) {
      const some = messages.slice(at, at + maxPerSending);
      const outcomes = await Promise.all(some.map(([subject, message]) => this.#publish(subject, message)));
      isSent ||= outcomes.some((outcome) => outcome !== undefined);
    }
    // Where only a part of a Cluster is away, the rest must not wait for it: comparing finds what was lost.
    if (!isSent) throw new Error("Redis does not answer");
  }

  async close(): Promise<void> {
    clearTimeout(this.#asking);
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    subscriber?.removeAllListeners("smessage");
    if (subscriber && subscriber !== this.#link.client) subscriber.disconnect();
  }

  #publish(subject: Subject, message: Omit<Message, "from">): Promise<unknown> {
    const text = JSON.stringify({ from: this.#id, ...message } satisfies Message);
    return this.#link.ask("bus", (client) => client.spublish(this.#channelOf(subject).name, text));
  }

  #channelOf(subject: Subject): Channel {
    const isAccount = typeof subject === "number";
    const tag = isAccount ? String(subject % slots) : subject;
    const name = `${this.#link.prefix}{${tag}}${isAccount ? subject : ""}`;
    return { name, tag, isAsked: false, heard: Promise.withResolvers() };
  }

  async #connected(): Promise<void> {
    await this.#ask();
    this.#receiver?.onUp();
  }

  #disconnected(): void {
    // The client of a Cluster asks for its channels again itself.
    if (!this.#link.client.isCluster) for (const channel of this.#channels.values()) channel.isAsked = false;
    this.#receiver?.onDown();
  }

  /** Subscribes to the channels that were not asked for yet. */
  async #ask(): Promise<void> {
    clearTimeout(this.#asking);
    this.#asking = undefined;
    if (this.#subscriber?.status !== "ready") return;
    const byTag = new Map<string, Channel[]>();
    for (const channel of this.#channels.values()) {
      if (channel.isAsked) continue;
      const same = byTag.get(channel.tag);
      if (same) same.push(channel);
      else byTag.set(channel.tag, [channel]);
    }
    const commands = [...byTag.values()].flatMap((same) =>
      Array.from({ length: Math.ceil(same.length / maxPerCommand) }, (_, at) =>
        same.slice(at * maxPerCommand, (at + 1) * maxPerCommand),
      ),
    );
    await Promise.all(commands.map((channels) => this.#subscribe(channels)));
  }

  async #subscribe(channels: Channel[]): Promise<void> {
    for (const channel of channels) channel.isAsked = true;
    try {
      await this.#subscriber?.ssubscribe(...channels.map(({ name }) => name));
      for (const channel of channels) channel.heard.resolve();
    } catch (error) {
      this.#log.debug({ reason: (error as Error).message }, "not subscribed in Redis");
      for (const channel of channels) channel.isAsked = false;
      if (this.#subscriber) this.#asking ??= setTimeout(() => void this.#ask(), retryMs);
    }
  }

  #receive(text: string): void {
    const message = parseMessage(text);
    if (!message) {
      this.#log.warn({ bytes: text.length }, "message in Redis not understood");
      return;
    }
    if (message.from === this.#id) return;
    const { changes, revoked, queued } = message;
    this.#receiver?.onBatch({ changes, revoked, queued });
  }
}

/** Resolves when it is connected, or after a while nonetheless. */
async function connected(client: RedisClient): Promise<void> {
  if (client.status === "ready") return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, maxConnectMs);
  client.once("ready", resolve);
  await promise;
  clearTimeout(timer);
  client.off("ready", resolve);
}
