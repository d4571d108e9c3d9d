import type { TypeName } from "../store/core/change.ts";
import { AccountMissing, Unreachable } from "../store/core/errors.ts";
import type { Bus, Unsubscribe } from "./bus.ts";
import type { ChangeEvent } from "./carrier.ts";
import {
  type AccountStates,
  decodePushState,
  encodePushState,
  isNewer,
  mergeStates,
  newest,
  older,
  type StateChange,
  type States,
  stateChange,
} from "./states.ts";

export interface SubscriberOptions {
  bus: Pick<Bus, "subscribe" | "states">;
  accountIds: readonly number[];
  /** Only changes to these types are sent. */
  types: ReadonlySet<TypeName>;
  /** What the client says it was told before: changes since then are sent at once. Null: start from the current states. */
  pushState: string | null;
  /** Called once, when the push state is known and before the first send. */
  onReady?: () => void;
  /**
   * Returns a promise when the client is backed up; until it resolves, further changes are merged. `committedAt` is that of
   * the oldest change, if it is known.
   */
  send: (change: StateChange, committedAt: number | undefined) => Promise<void> | undefined;
  /** The shortest time between two messages. (Default: 10) */
  restMs?: number;
}

/**
 * Collects the changes that one connection is told. When it is idle, a change is sent at once; in a storm, the newest
 * state of each type is sent every few milliseconds, so memory and the client's work do not grow with the changes.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #restMs: number;
  #unsubscribe: Unsubscribe = () => {};
  /** The push state: the states read at the start, updated by what was sent. */
  readonly #known: AccountStates = new Map();
  /** States that the client certainly knows, which are not sent again. */
  readonly #told: AccountStates = new Map();
  #pending: AccountStates = new Map();
  /** When the oldest pending change was committed. */
  #committedAt: number | undefined;
  #ready = false;
  #busy = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#restMs = options.restMs ?? 10;
  }

  /** Rejects if the states of the accounts cannot be read. */
  async start(): Promise<void> {
    const { bus, accountIds, pushState } = this.#options;
    // Subscribe before reading the states, so that no change is missed in between.
    this.#unsubscribe = bus.subscribe(accountIds, (event, swept) => this.#take(event, swept));
    try {
      for (const accountId of new Set(accountIds)) await this.#readStates(accountId);
    } catch (error) {
      this.close();
      throw error;
    }
    if (pushState !== null) this.#catchUp(decodePushState(pushState) ?? new Map());
    if (this.#closed) return;
    this.#options.onReady?.();
    this.#ready = true;
    this.#flush();
  }

  /** A client that later presents this is told everything since. */
  get pushState(): string {
    return encodePushState(this.#known);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#unsubscribe();
  }

  async #readStates(accountId: number): Promise<void> {
    try {
      this.#known.set(accountId, await this.#options.bus.states(accountId));
    } catch (error) {
      // The sweep tells the states of an account that cannot be read now, when it can.
      if (!(error instanceof AccountMissing || error instanceof Unreachable)) throw error;
    }
  }

  #catchUp(before: AccountStates): void {
    for (const [accountId, states] of this.#known) {
      const old = before.get(accountId) ?? {};
      const told = entry(this.#told, accountId);
      for (const [type, state] of Object.entries(states) as [TypeName, string][]) {
        if (!this.#options.types.has(type)) continue;
        // Compare for equality, not order: after a restore from backup, the client may be ahead of us.
        if (old[type] === state) told[type] = state;
        else if (old[type] !== undefined || !state.endsWith("-0")) entry(this.#pending, accountId)[type] = state;
      }
    }
  }

  #take({ accountId, changed, committedAt }: ChangeEvent, swept: boolean): void {
    if (swept && !this.#ready) return;
    const told = this.#told.get(accountId);
    const known = swept ? this.#known.get(accountId) : undefined;
    for (const [type, state] of Object.entries(changed) as [TypeName, string][]) {
      if (!this.#options.types.has(type)) continue;
      if (!isNewer(state, newest(told?.[type], known?.[type]))) continue;
      mergeStates(entry(this.#pending, accountId), { [type]: state });
      this.#committedAt = older(this.#committedAt, committedAt);
    }
    this.#flush();
  }

  #flush(): void {
    if (!this.#ready || this.#busy || this.#closed || this.#pending.size === 0) return;
    const changed = this.#pending;
    const committedAt = this.#committedAt;
    this.#pending = new Map();
    this.#committedAt = undefined;
    for (const [accountId, states] of changed) {
      const known = entry(this.#known, accountId);
      // The states read at the start may be newer than an event that was under way then.
      mergeStates(known, states);
      for (const type of Object.keys(states) as TypeName[]) states[type] = known[type] as string;
      mergeStates(entry(this.#told, accountId), states);
    }
    this.#busy = true;
    const full = this.#options.send(stateChange(changed, this.pushState), committedAt);
    if (full) full.then(this.#pause, this.#pause);
    else this.#pause();
  }

  #pause = (): void => {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#busy = false;
      this.#flush();
    }, this.#restMs);
  };
}

function entry(accounts: AccountStates, accountId: number): States {
  let states = accounts.get(accountId);
  if (!states) {
    states = {};
    accounts.set(accountId, states);
  }
  return states;
}
