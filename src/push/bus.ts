import type { Log } from "../base/log.ts";
import { pauseFor } from "../base/retry.ts";
import type { Store } from "../store/core/store.ts";
import type { BusEvent, Carrier, ChangeEvent, Watched } from "./carrier.ts";
import { Outbox } from "./outbox.ts";
import { type States, statesOf } from "./states.ts";
import { Sweeper } from "./sweeper.ts";

export type Unsubscribe = () => void;
/** `swept`: found by comparing states, so the subscriber may have seen it already. */
export type ChangeListener = (event: ChangeEvent, swept: boolean) => void;

/** Tells all processes what changed. Messages may be lost, and nobody waits for their delivery. */
export interface Bus {
  /** Calls this process's listeners before it returns; other processes hear of the event soon after. */
  publish(event: BusEvent): void;
  subscribe(accountIds: Iterable<number>, listener: ChangeListener): Unsubscribe;
  /** Called when credentials of a login were revoked, or the accounts they open changed. */
  onRevoked(listener: (login: string) => void): Unsubscribe;
  /** Called when mail was queued, by this process or another. */
  onQueued(listener: () => void): Unsubscribe;
  /** Called when what operators look at may be otherwise, by the doing of this process or another. */
  onWatched(listener: (what: Watched) => void): Unsubscribe;
  /** Revocations may have been missed, since no carrier was connected: drop what is cached about credentials. */
  onReconnect(listener: () => void): Unsubscribe;
  /** The current state of each type of an account. If the account is subscribed to, later changes will be heard. */
  states(accountId: number): Promise<States>;
  /** Begins to receive events from other processes. */
  start(): Promise<void>;
  /** Sends the events that still wait, then ends. */
  close(): Promise<void>;
}

export interface BusOptions {
  store: Store;
  log: Log;
  /** Carry events between processes; needed only when there are several. */
  carriers?: Carrier[];
  /** How often the states of subscribed accounts are compared, in ms. (Default: 30 000) */
  sweepIntervalMs?: number;
}

/** How long the states of an account wait until its changes are heard; later ones are then found by comparing. */
const maxFollowMs = 100;
/** Other processes learn within this time after a connect that we listen; comparing then finds what they sent before. */
const settleMs = 250;

export class ProcessBus implements Bus {
  readonly #store: Store;
  readonly #log: Log;
  readonly #outboxes: Map<Carrier, Outbox>;
  readonly #sweeper: Sweeper;
  readonly #listeners = new Map<number, Set<ChangeListener>>();
  /** Subscribed accounts whose changes do not arrive yet. */
  readonly #unheard = new Map<number, Promise<unknown>>();
  readonly #up = new Set<Carrier>();
  readonly #queued = new Set<() => void>();
  readonly #watched = new Set<(what: Watched) => void>();
  readonly #revoked = new Set<(login: string) => void>();
  readonly #reconnected = new Set<() => void>();
  #settling: NodeJS.Timeout | undefined;

  constructor(options: BusOptions) {
    const { store, log, carriers = [], sweepIntervalMs = 30_000 } = options;
    this.#store = store;
    this.#log = log;
    this.#outboxes = new Map(carriers.map((carrier) => [carrier, new Outbox(carrier, log)]));
    this.#sweeper = new Sweeper({
      store,
      log,
      intervalMs: sweepIntervalMs,
      accounts: () => [...this.#listeners.keys()],
      found: (event) => this.#deliver(event, true),
    });
  }

  publish(event: BusEvent): void {
    const isRevocation = "credential" in event;
    const told = "accountId" in event ? { ...event, committedAt: Date.now() } : event;
    if ("credential" in told) this.#revoke(told.credential);
    else if ("queued" in told) this.#wake();
    else if ("watched" in told) this.#tell(told.watched);
    else this.#deliver(told, false);
    for (const [carrier, outbox] of this.#outboxes) if (isRevocation || !carrier.isForRevocations) outbox.add(told);
  }

  subscribe(accountIds: Iterable<number>, listener: ChangeListener): Unsubscribe {
    const ids = new Set(accountIds);
    for (const id of ids) {
      let listeners = this.#listeners.get(id);
      if (!listeners) {
        listeners = new Set();
        this.#listeners.set(id, listeners);
        this.#follow(id);
      }
      listeners.add(listener);
    }
    return () => {
      for (const id of ids) this.#unsubscribe(id, listener);
    };
  }

  onRevoked(listener: (login: string) => void): Unsubscribe {
    this.#revoked.add(listener);
    return () => this.#revoked.delete(listener);
  }

  onQueued(listener: () => void): Unsubscribe {
    if (this.#queued.size === 0) for (const carrier of this.#outboxes.keys()) void carrier.follow?.("queued");
    this.#queued.add(listener);
    return () => this.#queued.delete(listener);
  }

  onWatched(listener: (what: Watched) => void): Unsubscribe {
    if (this.#watched.size === 0) for (const carrier of this.#outboxes.keys()) void carrier.follow?.("watched");
    this.#watched.add(listener);
    return () => {
      this.#watched.delete(listener);
      if (this.#watched.size === 0) for (const carrier of this.#outboxes.keys()) carrier.unfollow?.("watched");
    };
  }

  onReconnect(listener: () => void): Unsubscribe {
    this.#reconnected.add(listener);
    return () => this.#reconnected.delete(listener);
  }

  async states(accountId: number): Promise<States> {
    await this.#heard(accountId);
    return statesOf(await this.#store.reader(accountId, "server").standing());
  }

  async start(): Promise<void> {
    this.#sweeper.start();
    await Promise.all(
      [...this.#outboxes.keys()].map((carrier) =>
        carrier.start({
          onUp: () => this.#connected(carrier),
          onDown: () => this.#up.delete(carrier),
          onGap: () => this.#compareAll(),
          onBatch: ({ changes, revoked, queued, watched }) => {
            for (const event of changes) this.#deliver(event, false);
            for (const login of revoked) this.#revoke(login);
            if (queued) this.#wake();
            for (const one of watched) this.#tell(one);
          },
        }),
      ),
    );
  }

  async close(): Promise<void> {
    clearTimeout(this.#settling);
    this.#sweeper.stop();
    await Promise.all(
      [...this.#outboxes].map(async ([carrier, outbox]) => {
        await outbox.close();
        await carrier.close();
      }),
    );
  }

  #unsubscribe(accountId: number, listener: ChangeListener): void {
    const listeners = this.#listeners.get(accountId);
    if (!listeners?.delete(listener) || listeners.size > 0) return;
    this.#listeners.delete(accountId);
    this.#unheard.delete(accountId);
    for (const carrier of this.#outboxes.keys()) carrier.unfollow?.(accountId);
  }

  #follow(accountId: number): void {
    const follow = [...this.#outboxes.keys()].map((carrier) => carrier.follow?.(accountId)).filter(Boolean);
    if (follow.length === 0) return;
    const heard = Promise.all(follow).then(() => {
      if (this.#unheard.get(accountId) === heard) this.#unheard.delete(accountId);
    });
    this.#unheard.set(accountId, heard);
  }

  async #heard(accountId: number): Promise<void> {
    const heard = this.#unheard.get(accountId);
    if (!heard) return;
    await Promise.race([heard, pauseFor(maxFollowMs)]);
    // A change may come between the states that are read now and the first that is heard.
    if (this.#unheard.has(accountId)) void heard.then(() => this.#sweeper.compare(accountId));
  }

  #connected(carrier: Carrier): void {
    // Another one has brought the revocations meanwhile.
    const isCovered = [...this.#up].some((other) => other !== carrier);
    this.#up.add(carrier);
    if (!isCovered) for (const listener of this.#reconnected) this.#guard(listener);
    this.#compareAll();
  }

  #compareAll(): void {
    this.#sweeper.run();
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#sweeper.run(), settleMs).unref();
  }

  #deliver(event: ChangeEvent, swept: boolean): void {
    for (const listener of this.#listeners.get(event.accountId) ?? []) this.#guard(() => listener(event, swept));
  }

  #wake(): void {
    for (const listener of this.#queued) this.#guard(listener);
  }

  #tell(what: Watched): void {
    for (const listener of this.#watched) this.#guard(() => listener(what));
  }

  #revoke(login: string): void {
    for (const listener of this.#revoked) this.#guard(() => listener(login));
  }

  /** Events are published right after a commit: no listener may make that commit look failed. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#log.error({ reason: (error as Error).message }, "listener of the bus failed");
    }
  }
}
