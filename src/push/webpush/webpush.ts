import type { Resolver } from "node:dns/promises";
import type { Clock, Random } from "../../base/clock.ts";
import type { Events } from "../../base/events.ts";
import type { Holder } from "../../base/holder.ts";
import type { Log } from "../../base/log.ts";
import { lru } from "../../base/lru.ts";
import { Slots } from "../../base/slots.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import type { Store } from "../../store/core/store.ts";
import type { LoginName } from "../../store/directory/login-name.ts";
import { claimPushes, forgetPushHolder, pushHolders, stayPushHolder } from "../../store/upkeep/push-sweeps.ts";
import type { Bus, Unsubscribe } from "../bus.ts";
import { type AccountStates, encodePushState } from "../states.ts";
import { Courier, type CourierDeps, type Pace } from "./courier.ts";
import { Poster } from "./post.ts";
import { openVapid } from "./vapid.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const usualPace: Pace = {
  restMs: 1_000,
  maxRestMs: hourMs,
  retriesMs: [10_000, minuteMs, 5 * minuteMs, 15 * minuteMs, hourMs, 2 * hourMs, 4 * hourMs],
  giveUpAfterMs: 72 * hourMs,
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
  /** How push services reach the operator: a mailto: or https: URL (RFC 8292 §2.1). */
  contact: string;
  pace?: Partial<Pace>;
  /** How often a process renews its presence and looks for subscriptions that nobody holds. (Default: 20 000) */
  intervalMs?: number;
}

/** A process that has not renewed its presence for so many intervals is gone. */
const maxMissedIntervals = 3;
/** RFC 8620 §8.6: how many subscriptions a login may create at once, and the time until it may create one more. */
const burst = 100;
const refillMs = 30_000;

/** RFC 8620 §7.2: pushes to the URLs of subscriptions. The row of each says which process holds it. */
export class WebPush {
  readonly holder: string;
  /** RFC 9749 §3 */
  readonly applicationServerKey: string;
  readonly #options: WebPushOptions;
  readonly #deps: CourierDeps;
  readonly #couriers = new Map<string, Courier>();
  readonly #slots = new Slots(4);
  /** Login → when its whole allowance is available again. */
  readonly #made = lru<string, { until: number }>({ max: 10_000 });
  readonly #unsubscribe: Unsubscribe;
  /** When the subscriptions are looked through even if no process is gone; on Citus that asks every node. */
  #lookAt = 0;
  /** Processes that are gone and from which not everything could be taken over, as when a node does not answer. */
  #unfinished: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #passing: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: WebPushOptions, deps: CourierDeps) {
    this.#options = options;
    this.#deps = deps;
    this.holder = deps.holder;
    this.applicationServerKey = deps.vapid.publicKey;
    // A revoked credential ends its subscriptions; the login may also have gained or lost accounts.
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

  /** Takes over the subscriptions that no living process holds, now and at each interval. */
  start(): void {
    this.#pass();
    this.#timer = setInterval(() => this.#pass(), this.#intervalMs).unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    clearInterval(this.#timer);
    await this.#passing;
    const ended = [...this.#couriers.values()].map((courier) => courier.close());
    this.#deps.poster.close();
    await Promise.all(ended);
    if (!this.#timer) return;
    // The row stays, so that another process sees that there is something to take over.
    await stayPushHolder(this.#deps.store.database, this.holder, this.#deps.clock.now());
  }

  /** The reason why a URL must not be pushed to; undefined if it may be. */
  refusal(url: string): string | undefined {
    return this.#deps.poster.refusal(url);
  }

  /** Whether a login may create one more subscription now; if so, counts it. */
  admit(login: string): boolean {
    const now = this.#deps.clock.now().getTime();
    const until = Math.max(now, this.#made.get(login)?.until ?? 0) + refillMs;
    if (until > now + burst * refillMs) return false;
    this.#made.set(login, { until });
    return true;
  }

  /** The current states of accounts: a subscription that begins now is told only what changes after them. */
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

  /** Called when rows that this process holds were created, changed or removed. */
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
    // The new courier's messages depend on how the previous one's last push ends.
    void Promise.resolve(before?.close()).then(() => this.#slots.run(() => courier.start()));
  }

  get #intervalMs(): number {
    return this.#options.intervalMs ?? 20_000;
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
    await stayPushHolder(database, this.holder, new Date(now + maxMissedIntervals * this.#intervalMs));
    const [living, gone]: [string[], string[]] = [[this.holder], []];
    for (const { name, aliveUntil } of await pushHolders(database)) {
      if (name === this.holder) continue;
      const isAlive = aliveUntil.getTime() > now && !this.#options.holder.isGone(name);
      (isAlive ? living : gone).push(name);
    }
    if (now < this.#lookAt && gone.every((name) => this.#unfinished.has(name))) return;
    const names = { holder: this.holder, living };
    const isDone = await claimPushes(database, this.#deps.log, names, (push) => this.#begin(push, push.id));
    this.#lookAt = now + (isDone ? hourMs : minuteMs);
    this.#unfinished = new Set(isDone ? [] : gone);
    if (isDone) for (const name of gone) await forgetPushHolder(database, name);
  }
}
