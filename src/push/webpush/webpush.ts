import type { Resolver } from "node:dns/promises";
import { LRUCache } from "lru-cache";
import type { Clock, Random } from "../../base/clock.ts";
import type { Events } from "../../base/events.ts";
import type { Holder } from "../../base/holder.ts";
import type { Log } from "../../base/log.ts";
import { Slots } from "../../base/slots.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import type { Store } from "../../store/core/store.ts";
import type { LoginName } from "../../store/directory/login-name.ts";
import { claimPushes, leavePushHolder, pushHolders, stayPushHolder } from "../../store/upkeep/push-sweeps.ts";
import type { Bus, Unsubscribe } from "../bus.ts";
import { type AccountStates, encodePushState } from "../states.ts";
import { Courier, type CourierDeps, type Pace } from "./courier.ts";
import { Poster } from "./post.ts";
import { openVapid } from "./vapid.ts";

const minute = 60_000;
const hour = 60 * minute;

const usualPace: Pace = {
  rest: 1_000,
  longestRest: hour,
  retries: [10_000, minute, 5 * minute, 15 * minute, hour, 2 * hour, 4 * hour],
  giveUpAfter: 72 * hour,
};

export interface WebPushOptions {
  store: Store;
  bus: Bus;
  resolver: Pick<Resolver, "resolve4" | "resolve6">;
  clock: Clock;
  random: Random;
  log: Log;
  events: Events;
  holder: Holder;
  allowPrivateTargets: boolean;
  /** Where push services reach whoever runs the server, mailto: or https: (RFC 8292 §2.1). */
  contact: string;
  pace?: Partial<Pace>;
  /** How often a process says that it lives and looks for what nobody holds, in ms. (Default: 20 000) */
  interval?: number;
}

/** A process that says nothing for so many intervals is gone. */
const believed = 3;
/** RFC 8620 §8.6: subscriptions that a login may make at once, and how long until it may make one more. */
const burst = 100;
const refill = 30_000;

/** RFC 8620 §7.2: pushes to the URLs of subscriptions. Each is in the hands of one process, by its row. */
export class WebPush {
  readonly holder: string;
  /** RFC 9749 §3 */
  readonly applicationServerKey: string;
  readonly #options: WebPushOptions;
  readonly #deps: CourierDeps;
  readonly #couriers = new Map<string, Courier>();
  readonly #slots = new Slots(4);
  /** Login → when it will have made none. */
  readonly #made = new LRUCache<string, { until: number }>({ max: 10_000 });
  readonly #unsubscribe: Unsubscribe;
  #timer: NodeJS.Timeout | undefined;
  #passing: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: WebPushOptions, deps: CourierDeps) {
    this.#options = options;
    this.#deps = deps;
    this.holder = deps.holder;
    this.applicationServerKey = deps.vapid.publicKey;
    // Credentials that are gone end their subscriptions; accounts may have been opened or closed.
    this.#unsubscribe = options.bus.onRevoked((login) => {
      const own = [...this.#couriers.values()].filter(({ owner }) => owner.login === login);
      for (const { owner, id } of own) this.#begin(owner, id);
    });
  }

  static async open(options: WebPushOptions): Promise<WebPush> {
    const { store, bus, clock, random, log, events, holder, resolver, allowPrivateTargets, contact } = options;
    const vapid = await openVapid(store.database, contact, clock);
    const poster = new Poster({ resolver, allowPrivateTargets });
    const pace = { ...usualPace, ...options.pace };
    return new WebPush(options, { store, bus, poster, vapid, clock, random, log, events, pace, holder: holder.name });
  }

  /** Takes over what no living process holds, now and from time to time. */
  start(): void {
    this.#pass();
    this.#timer = setInterval(() => this.#pass(), this.#interval).unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    clearInterval(this.#timer);
    await this.#passing;
    const ended = [...this.#couriers.values()].map((courier) => courier.close());
    this.#deps.poster.close();
    await Promise.all(ended);
    await leavePushHolder(this.#deps.store.database, this.holder);
  }

  /** Why nothing can be pushed to a URL; undefined when it may do. */
  refusal(url: string): string | undefined {
    return this.#deps.poster.refusal(url);
  }

  /** Whether a login may make one more now; counts it. */
  admit(login: string): boolean {
    const now = this.#deps.clock.now().getTime();
    const until = Math.max(now, this.#made.get(login)?.until ?? 0) + refill;
    if (until > now + burst * refill) return false;
    this.#made.set(login, { until });
    return true;
  }

  /** Where accounts stand: what the client of a subscription that begins now is taken to know. */
  async standing(accountIds: readonly number[]): Promise<string> {
    const states: AccountStates = new Map();
    for (const accountId of accountIds) {
      const known = await this.#deps.bus.states(accountId).catch((error: unknown) => {
        if (!(error instanceof AccountMissing)) throw error;
      });
      if (known) states.set(accountId, known);
    }
    return encodePushState(states);
  }

  /** Rows that this process holds were made, changed or removed. */
  changed(owner: LoginName, ids: readonly number[]): void {
    for (const id of ids) this.#begin(owner, id);
  }

  #begin({ login, userId }: LoginName, id: number): void {
    if (this.#closed) return;
    const key = `${id} ${userId} ${login}`;
    const before = this.#couriers.get(key);
    const courier = new Courier(this.#deps, { login, userId }, id, () => {
      if (this.#couriers.get(key) === courier) this.#couriers.delete(key);
    });
    this.#couriers.set(key, courier);
    // What the one before has under way decides what this one has to tell.
    void Promise.resolve(before?.close()).then(() => this.#slots.run(() => courier.start()));
  }

  get #interval(): number {
    return this.#options.interval ?? 20_000;
  }

  #pass(): void {
    this.#passing = this.#passing
      .then(() => this.#claim())
      .catch((error: Error) => this.#deps.log.warn({ reason: error.message }, "push subscriptions not claimed"));
  }

  async #claim(): Promise<void> {
    if (this.#closed) return;
    const { database } = this.#deps.store;
    const now = this.#deps.clock.now().getTime();
    await stayPushHolder(database, this.holder, new Date(now + believed * this.#interval));
    const living = [this.holder];
    for (const { name, aliveUntil } of await pushHolders(database)) {
      if (name === this.holder) continue;
      if (aliveUntil.getTime() > now && !this.#options.holder.isGone(name)) living.push(name);
      else await leavePushHolder(database, name);
    }
    for (const push of await claimPushes(database, this.holder, living)) this.#begin(push, push.id);
  }
}
