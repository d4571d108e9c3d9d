import { Cluster, type Redis } from "ioredis";
import type { RedisAnswered } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import { pauseFor } from "../base/retry.ts";
import { createClient, createServerClient, nodeOf, type RedisClient, type RedisPlace } from "./connect.ts";
import { slotOf } from "./slot.ts";

export interface RedisLinkOptions {
  place: RedisPlace;
  /** Of the connection. */
  name: string;
  /** Of all keys and channels. */
  prefix: string;
  log: Log;
  events: { redisAnswered(event: RedisAnswered): void };
  /** Nobody waits longer for Redis. (Default: 20) */
  maxWaitMs?: number;
}

/** After so many missing answers in a row, nobody waits until Redis answers again. */
const maxMissed = 3;
const tryEveryMs = 500;
/** How often each connection is tried; one that does not answer until the next time is replaced. */
const watchEveryMs = 5_000;
const tellEveryMs = 60_000;
const lookEveryMs = 5;
/** Stands for the only server there is. */
const only = "";

/**
 * A connection to Redis that may be lost, or hang, at any time: who asks gets an answer in 20 ms or none. While a server does
 * not answer, it is not asked, but for a trial now and then.
 */
export class RedisLink {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly #options: RedisLinkOptions;
  readonly #maxWaitMs: number;
  readonly #subscribers = new Set<Redis>();
  readonly #watch: NodeJS.Timeout;
  /** Missing answers in a row, by server. */
  readonly #missed = new Map<string, number>();
  /** Servers that do not answer, with the timer that tries them. */
  readonly #silent = new Map<string, NodeJS.Timeout>();
  readonly #toldAt = new Map<string, number>();

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#maxWaitMs = options.maxWaitMs ?? 20;
    this.prefix = options.prefix;
    this.client = createClient(options.place, `posthorn ${options.name}`);
    this.#watch = setInterval(() => this.#replaceHanging(), watchEveryMs).unref();
    this.client.on("error", (error: Error) => this.#tell(error.message));
    this.client.on("close", () => this.#tell("the connection is closed"));
    this.client.on("ready", () => {
      for (const server of this.#silent.keys()) this.#answered(server);
      this.#tellUp();
    });
  }

  /** Whether Redis, or each node of the Cluster that has slots, is connected and answers. */
  get isUp(): boolean {
    return this.client.status === "ready" && this.#silent.size === 0 && this.#isWhole;
  }

  get #isWhole(): boolean {
    if (!(this.client instanceof Cluster)) return true;
    const ready = new Set(
      this.client
        .nodes()
        .filter(({ status }) => status === "ready")
        .map(nameOf),
    );
    return this.client.slots.every(([master = only] = []) => ready.has(master));
  }

  /** Whether the server that has this key is asked at all. */
  answers(key: string): boolean {
    return this.client.status === "ready" && (this.#silent.size === 0 || !this.#silent.has(this.#serverOf(key)));
  }

  /** A further connection, for subscribing: to a node of a Cluster, host:port, or else to the server. */
  subscriber(node?: string): Redis {
    const { place, name } = this.#options;
    const client = createServerClient(node === undefined ? place : nodeOf(place, node), `posthorn ${name} subscriber`);
    client.on("error", (error: Error) => this.#tell(error.message));
    this.#subscribers.add(client);
    client.once("end", () => this.#subscribers.delete(client));
    return client;
  }

  /** Resolves when it is connected, or after a while nonetheless. */
  async connected(maxMs: number): Promise<void> {
    const until = performance.now() + maxMs;
    while (!this.isUp && performance.now() < until) await pauseFor(lookEveryMs);
  }

  /** The answer of Redis to a command about a key or channel; undefined if there is none in time, or an error. */
  ask<T>(
    use: RedisAnswered["use"],
    key: string,
    command: (client: RedisClient, key: string) => Promise<T>,
  ): Promise<T | undefined> {
    if (!this.answers(key)) return Promise.resolve(undefined);
    const { events } = this.#options;
    const server = this.#serverOf(key);
    const { promise, resolve } = Promise.withResolvers<T | undefined>();
    const begin = performance.now();
    let isSettled = false;
    const settle = (outcome: RedisAnswered["outcome"], value?: T) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      events.redisAnswered({ use, outcome, seconds: (performance.now() - begin) / 1_000 });
      resolve(value);
    };
    const late = () => {
      if (isSettled) return;
      settle("late");
      this.#missedOne(server);
    };
    // If this process was busy, the answer may be here already, unread: so the sockets are read once more.
    const timer = setTimeout(() => setImmediate(late), this.#maxWaitMs);
    const answered = (value: T) => {
      this.#missed.delete(server);
      settle("answered", value);
    };
    const failed = (error: Error) => {
      this.#tell(error.message);
      settle("failed");
    };
    (async () => command(this.client, key))().then(answered, failed);
    return promise;
  }

  close(): void {
    clearInterval(this.#watch);
    for (const timer of this.#silent.values()) clearInterval(timer);
    this.client.removeAllListeners("close");
    this.client.disconnect();
    for (const subscriber of this.#subscribers) subscriber.disconnect();
  }

  #serverOf(key: string): string {
    return this.client instanceof Cluster ? (this.client.slots[slotOf(key)]?.[0] ?? only) : only;
  }

  get #servers(): Redis[] {
    return this.client instanceof Cluster ? this.client.nodes() : [this.client];
  }

  /** A host that vanishes does not close its connections. */
  #replaceHanging(): void {
    for (const server of [...this.#servers, ...this.#subscribers]) {
      if (server.status !== "ready") continue;
      const timer = setTimeout(() => setImmediate(() => isAnswered || server.disconnect(true)), watchEveryMs);
      timer.unref();
      let isAnswered = false;
      const answered = () => {
        isAnswered = true;
        clearTimeout(timer);
      };
      server.ping().then(answered, answered);
    }
  }

  #missedOne(server: string): void {
    const missed = (this.#missed.get(server) ?? 0) + 1;
    this.#missed.set(server, missed);
    if (missed < maxMissed || this.#silent.has(server)) return;
    this.#silent.set(server, setInterval(() => this.#try(server), tryEveryMs).unref());
    this.#tell("no answer");
  }

  #try(server: string): void {
    const node = this.#servers.find((one) => server === only || nameOf(one) === server);
    // A node that has left the Cluster is asked for nothing any more.
    if (!node) this.#answered(server);
    if (node?.status !== "ready") return;
    const begin = performance.now();
    const answered = () => {
      if (performance.now() - begin <= this.#maxWaitMs) this.#answered(server);
    };
    node.ping().then(answered, () => {});
  }

  #answered(server: string): void {
    clearInterval(this.#silent.get(server));
    this.#silent.delete(server);
    this.#missed.delete(server);
    this.#tellUp();
  }

  #tellUp(): void {
    if (!this.isUp || this.#toldAt.size === 0) return;
    this.#toldAt.clear();
    this.#options.log.info({ connection: this.#options.name }, "Redis answers again");
  }

  /** Each reason once a minute, however many commands fail. */
  #tell(reason: string): void {
    const now = performance.now();
    const kind = reason.replace(/\d+/g, "");
    if (now - (this.#toldAt.get(kind) ?? Number.NEGATIVE_INFINITY) < tellEveryMs) return;
    if (this.#toldAt.size > 100) this.#toldAt.clear();
    this.#toldAt.set(kind, now);
    this.#options.log.warn(
      { connection: this.#options.name, reason },
      "Redis is away, or refuses: going on without it",
    );
  }
}

/** As a Cluster names its nodes. */
function nameOf({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}
