import { Cluster } from "ioredis";
import type { RedisAnswered } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import { createClient, type RedisClient, type RedisPlace } from "./connect.ts";

export interface RedisLinkOptions {
  place: RedisPlace;
  /** Of the connection. */
  name: string;
  /** Of all keys and channels. */
  prefix: string;
  log: Log;
  events: { redisAnswered(event: RedisAnswered): void };
}

/** Nobody waits longer for Redis. */
export const maxWaitMs = 20;
/** After so many missing answers in a row, nobody waits until Redis answers again. */
const maxMissed = 3;
const tryEveryMs = 500;
/** How often each connection is tried; one that does not answer until the next time is replaced. */
const watchEveryMs = 5_000;
const tellEveryMs = 60_000;

/**
 * A connection to Redis that may be lost, or hang, at any time: who asks gets an answer in 20 ms or none. While Redis does not
 * answer, it is not asked, but for a trial now and then.
 */
export class RedisLink {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly #options: RedisLinkOptions;
  readonly #clients: RedisClient[] = [];
  readonly #watch: NodeJS.Timeout;
  #missed = 0;
  #isSilent = false;
  #trial: NodeJS.Timeout | undefined;
  #isTold = false;
  readonly #toldAt = new Map<string, number>();

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.prefix = options.prefix;
    this.client = createClient(options.place, `posthorn ${options.name}`);
    this.#clients.push(this.client);
    this.#watch = setInterval(() => this.#replaceHanging(), watchEveryMs).unref();
    this.client.on("error", (error: Error) => this.#tell(error.message));
    this.client.on("close", () => this.#tell("the connection is closed"));
    this.client.on("ready", () => this.#answered());
  }

  /** Whether Redis is connected and answers. */
  get isUp(): boolean {
    return this.client.status === "ready" && !this.#isSilent;
  }

  /** A further connection, such as for subscribing. */
  duplicate(): RedisClient {
    const client = createClient(this.#options.place, `posthorn ${this.#options.name} subscriber`);
    client.on("error", (error: Error) => this.#tell(error.message));
    this.#clients.push(client);
    return client;
  }

  /** The answer of Redis; undefined if there is none in time, or an error. */
  ask<T>(use: RedisAnswered["use"], command: (client: RedisClient) => Promise<T>): Promise<T | undefined> {
    if (!this.isUp) return Promise.resolve(undefined);
    const { events } = this.#options;
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
      this.#missedOne();
    };
    // If this process was busy, the answer may be here already, unread: so the sockets are read once more.
    const timer = setTimeout(() => setImmediate(late), maxWaitMs);
    const answered = (value: T) => {
      this.#missed = 0;
      settle("answered", value);
    };
    const failed = (error: Error) => {
      this.#tell(error.message);
      settle("failed");
    };
    (async () => command(this.client))().then(answered, failed);
    return promise;
  }

  close(): void {
    clearInterval(this.#watch);
    clearInterval(this.#trial);
    this.client.removeAllListeners("close");
    for (const client of this.#clients) client.disconnect();
  }

  /** A host that vanishes does not close its connections. */
  #replaceHanging(): void {
    const nodes = this.#clients.flatMap((client) => (client instanceof Cluster ? client.nodes() : client));
    for (const node of nodes) {
      if (node.status !== "ready") continue;
      const timer = setTimeout(() => setImmediate(() => isAnswered || node.disconnect(true)), watchEveryMs);
      timer.unref();
      let isAnswered = false;
      const answered = () => {
        isAnswered = true;
        clearTimeout(timer);
      };
      node.ping().then(answered, answered);
    }
  }

  #missedOne(): void {
    if (++this.#missed < maxMissed || this.#isSilent) return;
    this.#isSilent = true;
    this.#tell("no answer");
    this.#trial = setInterval(() => this.#try(), tryEveryMs).unref();
  }

  #try(): void {
    if (this.client.status !== "ready") return;
    const begin = performance.now();
    this.client.ping().then(
      () => {
        if (performance.now() - begin <= maxWaitMs) this.#answered();
      },
      () => {},
    );
  }

  #answered(): void {
    clearInterval(this.#trial);
    this.#missed = 0;
    this.#isSilent = false;
    if (this.#isTold) this.#options.log.info({ connection: this.#options.name }, "Redis answers again");
    this.#isTold = false;
    this.#toldAt.clear();
  }

  /** Each reason once a minute, however many commands fail. */
  #tell(reason: string): void {
    const now = performance.now();
    if (now - (this.#toldAt.get(reason) ?? Number.NEGATIVE_INFINITY) < tellEveryMs) return;
    if (this.#toldAt.size > 100) this.#toldAt.clear();
    this.#toldAt.set(reason, now);
    this.#isTold = true;
    this.#options.log.warn(
      { connection: this.#options.name, reason },
      "Redis is away, or refuses: going on without it",
    );
  }
}
