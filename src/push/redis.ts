import { randomUUID } from "node:crypto";
import type { Log } from "../base/log.ts";
import type { RedisLink } from "../redis/link.ts";
import { Subscriptions } from "../redis/subscriptions.ts";
import type { Batch, Carrier, Receiver, Topic } from "./carrier.ts";
import { type Message, parseMessage } from "./message.ts";

export interface RedisCarrierOptions {
  link: RedisLink;
  log: Log;
}

/** How long a first connection is waited for. */
const maxConnectMs = 1_000;
const maxPerSending = 100;
/** The channels of accounts lie in so many slots of a Cluster, so that one command can follow many of them. */
const slots = 1_024;

/**
 * Sharded pub/sub (SPUBLISH, SSUBSCRIBE) with a channel for each account, so that a process is told of those that it
 * follows. Revocations have a channel that all follow.
 */
export class RedisCarrier implements Carrier {
  readonly #link: RedisLink;
  readonly #log: Log;
  readonly #id = randomUUID();
  readonly #subscriptions: Subscriptions;
  #receiver: Receiver | undefined;
  #wasConnected = false;

  constructor({ link, log }: RedisCarrierOptions) {
    this.#link = link;
    this.#log = log;
    const listener = {
      onMessage: (text: string) => this.#receive(text),
      onUp: () => this.#receiver?.onUp(),
      onDown: () => this.#receiver?.onDown(),
      onGap: () => this.#receiver?.onGap?.(),
    };
    this.#subscriptions = new Subscriptions({ link, log, listener });
  }

  async start(receiver: Receiver): Promise<void> {
    this.#receiver = receiver;
    this.#subscriptions.start();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, maxConnectMs);
    await Promise.race([this.#subscriptions.add(this.#channelOf("revoked")), late]);
    clearTimeout(timer);
  }

  follow(topic: Topic): Promise<void> {
    return this.#subscriptions.add(this.#channelOf(topic));
  }

  unfollow(topic: Topic): void {
    this.#subscriptions.remove(this.#channelOf(topic));
  }

  async send({ changes, revoked, queued, watched }: Batch): Promise<void> {
    const messages = changes.map((change): [string, Partial<Message>] => [
      this.#channelOf(change.accountId),
      { changes: [change] },
    ]);
    if (revoked.length > 0) messages.push([this.#channelOf("revoked"), { revoked }]);
    if (queued) messages.push([this.#channelOf("queued"), { queued }]);
    if (watched.length > 0) messages.push([this.#channelOf("watched"), { watched }]);
    if (!this.#wasConnected) await this.#link.connected(maxConnectMs);
    this.#wasConnected = true;
    let isSent = false;
    for (let at = 0; at < messages.length; at += maxPerSending) {
      const some = messages.slice(at, at + maxPerSending);
      const outcomes = await Promise.all(some.map(([channel, message]) => this.#publish(channel, message)));
      isSent ||= outcomes.some((outcome) => outcome !== undefined);
    }
    // Where only a part of a Cluster is away, the rest must not wait for it: comparing finds what was lost.
    if (!isSent) throw new Error("Redis does not answer");
  }

  async close(): Promise<void> {
    this.#receiver = undefined;
    this.#subscriptions.close();
  }

  #publish(channel: string, message: Partial<Message>): Promise<unknown> {
    const text = JSON.stringify({ from: this.#id, ...message } satisfies Message);
    return this.#link.ask("bus", channel, (client) => client.spublish(channel, text));
  }

  #channelOf(subject: Topic | "revoked"): string {
    const { prefix } = this.#link;
    return typeof subject === "number" ? `${prefix}{${subject % slots}}${subject}` : `${prefix}{${subject}}`;
  }

  #receive(text: string): void {
    const message = parseMessage(text);
    if (!message) {
      this.#log.warn({ bytes: text.length }, "message in Redis not understood");
      return;
    }
    if (message.from === this.#id) return;
    const { changes, revoked, queued, watched } = message;
    this.#receiver?.onBatch({ changes, revoked, queued, watched });
  }
}
