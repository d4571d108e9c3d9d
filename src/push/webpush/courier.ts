import type { Clock, Random } from "../../base/clock.ts";
import type { Events } from "../../base/events.ts";
import { decodeId, idPrefix } from "../../base/ids.ts";
import type { Log } from "../../base/log.ts";
import type { Store } from "../../store/core/store.ts";
import type { LoginName } from "../../store/directory/login-name.ts";
import { findAppPassword, findLogin, openAccounts } from "../../store/directory/logins.ts";
import {
  findHeldPush,
  type HeldPush,
  notePushed,
  notePushFailed,
  noteVerificationSent,
  type PushName,
  removePushSubscriptions,
} from "../../store/directory/push-subscriptions.ts";
import { listCredentials } from "../../store/directory/tokens.ts";
import type { Bus } from "../bus.ts";
import {
  type AccountStates,
  chooseTypes,
  decodePushState,
  encodePushState,
  lagSeconds,
  mergeStates,
  older,
  type StateChange,
  type States,
} from "../states.ts";
import { Subscriber } from "../subscriber.ts";
import { encrypt } from "./encrypt.ts";
import { type PushMessage, takeChange, verification } from "./messages.ts";
import type { Posted, Poster } from "./post.ts";
import type { Vapid } from "./vapid.ts";

export interface Pace {
  /** The shortest time between two pushes; changes in between are merged. */
  restMs: number;
  /** The longest such time, reached when a push service keeps answering 429. */
  maxRestMs: number;
  /** Pauses after successive failures; the last one repeats. */
  retriesMs: readonly number[];
  /** A subscription whose pushes have failed for this long is destroyed. */
  giveUpAfterMs: number;
}

export interface CourierDeps {
  store: Store;
  bus: Pick<Bus, "subscribe" | "states">;
  poster: Poster;
  vapid: Vapid;
  clock: Clock;
  random: Random;
  log: Log;
  events: Events;
  pace: Pace;
  /** The name of this process. */
  holder: string;
}

/** RFC 8620 §7.2 asks for one request before the client answers; it is repeated only if it certainly failed. */
const maxVerificationAttempts = 3;
/** How long a push service keeps a push for a device that is offline; after that the device asks by itself. */
const timeToLiveSeconds = 86_400;
const troublePauseMs = 30_000;
const maxTimerMs = 2 ** 31 - 1;

/**
 * Sends the pushes of one subscription. It reads the row anew before each push, so a subscription that was destroyed or
 * taken over by another process gets none, and neither URL nor keys stay in memory (RFC 8620 §7.2).
 */
export class Courier {
  readonly owner: LoginName;
  readonly id: number;
  readonly #deps: CourierDeps;
  readonly #onClose: () => void;
  #subscriber: Subscriber | undefined;
  #pending: AccountStates = new Map();
  /** When the oldest pending change was committed. */
  #committedAt: number | undefined;
  #told: AccountStates = new Map();
  #restMs: number;
  #notBefore = 0;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(deps: CourierDeps, owner: LoginName, id: number, onClose: () => void) {
    this.#deps = deps;
    this.owner = owner;
    this.id = id;
    this.#onClose = onClose;
    this.#restMs = deps.pace.restMs;
  }

  /** Never rejects: it retries after a failure. */
  async start(): Promise<void> {
    this.#timer = undefined;
    try {
      const row = await this.#read();
      if (!row || this.#closed) return;
      this.#notBefore = row.nextAttemptAt?.getTime() ?? 0;
      if (row.verified) await this.#subscribe(row);
      else if (!row.verificationSent && row.attempts < maxVerificationAttempts) this.#schedule();
    } catch (error) {
      this.#deps.log.warn({ id: this.id, reason: (error as Error).message }, "push subscription not started");
      this.#subscriber?.close();
      if (!this.#closed) this.#timer = setTimeout(() => void this.start(), troublePauseMs).unref();
    }
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#subscriber?.close();
    this.#onClose();
    await this.#working;
  }

  #name(): PushName {
    return { ...this.owner, id: this.id, holder: this.#deps.holder };
  }

  async #read(): Promise<HeldPush | undefined> {
    const { store, clock } = this.#deps;
    const row = await findHeldPush(store.database, this.#name());
    const now = clock.now();
    if (row && ![row.expiresAt, row.credentialExpiresAt].some((end) => end && end <= now)) return row;
    if (row) await this.#destroy("expired");
    else this.#end();
    return undefined;
  }

  /** Like `close`, for use from work that is under way, which it does not wait for. */
  #end(): void {
    void this.close();
  }

  async #destroy(reason: string): Promise<void> {
    this.#deps.log.info({ login: this.owner.login, id: this.id, reason }, "push subscription removed");
    await removePushSubscriptions(this.#deps.store.database, this.owner, [this.id]);
    this.#end();
  }

  async #subscribe(row: HeldPush): Promise<void> {
    const accountIds = await this.#accounts(row);
    if (!accountIds) return this.#destroy("revoked");
    if (this.#closed) return;
    this.#told = decodePushState(row.pushState ?? "") ?? new Map();
    this.#subscriber = new Subscriber({
      bus: this.#deps.bus,
      accountIds,
      types: chooseTypes(row.types),
      pushState: row.pushState,
      send: (change, committedAt) => this.#take(change, committedAt),
    });
    await this.#subscriber.start();
  }

  /** Undefined if the credential that created the subscription is gone. */
  async #accounts({ credential }: HeldPush): Promise<number[] | undefined> {
    const { database } = this.#deps.store;
    const { login, userId } = this.owner;
    const known = await findLogin(database, login);
    if (known?.userId !== userId) return undefined;
    const [kind, id] = credential.split(":");
    if (kind === "app" && (await findAppPassword(database, this.owner, id!)) === undefined) return undefined;
    if (kind === "token" && !(await listCredentials(database, this.owner)).some((token) => token.id === id))
      return undefined;
    return (await openAccounts(database, login, userId)).map((account) => account.id);
  }

  #take({ changed }: StateChange, committedAt: number | undefined): undefined {
    this.#committedAt = older(this.#committedAt, committedAt);
    for (const [account, states] of Object.entries(changed)) this.#note(decodeId(idPrefix.account, account)!, states);
    this.#schedule();
  }

  #note(accountId: number, states: States): void {
    const known = this.#pending.get(accountId);
    if (known) mergeStates(known, states);
    else this.#pending.set(accountId, { ...states });
  }

  #schedule(): void {
    if (this.#closed || this.#timer || this.#working) return;
    const wait = Math.max(0, this.#notBefore - this.#deps.clock.now().getTime());
    this.#timer = setTimeout(() => this.#work(), Math.min(wait, maxTimerMs)).unref();
  }

  #work(): void {
    this.#timer = undefined;
    if (this.#notBefore > this.#deps.clock.now().getTime()) {
      this.#schedule();
      return;
    }
    this.#working = this.#attempt()
      .catch((error: Error) => {
        this.#deps.log.warn({ id: this.id, reason: error.message }, "push not attempted");
        this.#notBefore = this.#deps.clock.now().getTime() + troublePauseMs;
        return true;
      })
      .then((again) => {
        this.#working = undefined;
        if (again || this.#pending.size > 0) this.#schedule();
      });
  }

  /** Returns true if another attempt is needed. */
  async #attempt(): Promise<boolean> {
    const row = await this.#read();
    if (!row) return false;
    const message = row.verified ? takeChange(this.#pending) : verification(row);
    if (message.changed?.size === 0) return false;
    const committedAt = message.changed && this.#committedAt;
    if (this.#pending.size === 0) this.#committedAt = undefined;
    const outcome = await this.#post(row, message);
    const { events } = this.#deps;
    if (typeof outcome === "object" && outcome.status >= 200 && outcome.status < 300) {
      events.pushSent({ channel: "webpush", lagSeconds: lagSeconds(committedAt) });
      await this.#succeeded(message);
      return false;
    }
    events.pushFailed({ status: typeof outcome === "object" ? outcome.status : undefined });
    for (const [accountId, states] of message.changed ?? []) this.#note(accountId, states);
    this.#committedAt = older(committedAt, this.#committedAt);
    if (typeof outcome === "object" && (outcome.status === 404 || outcome.status === 410)) {
      await this.#destroy(`status ${outcome.status}`);
      return false;
    }
    return this.#failed(row, outcome);
  }

  /** The answer, or the reason why there was none. */
  async #post({ url, keys }: HeldPush, { body, urgency }: PushMessage): Promise<Posted | string> {
    const { poster, vapid, random } = this.#deps;
    // No Topic (RFC 8030 §5.4): a push that replaces another one would have to repeat all its changes.
    const headers = {
      "Content-Type": "application/json",
      TTL: timeToLiveSeconds,
      Urgency: urgency,
      ...(keys && { "Content-Encoding": "aes128gcm" }),
    };
    try {
      const authorization = vapid.authorization(new URL(url).origin);
      return await poster.post(
        url,
        { ...headers, Authorization: authorization },
        keys ? encrypt(body, keys, random) : body,
      );
    } catch (error) {
      return (error as Error).message;
    }
  }

  async #succeeded({ changed }: PushMessage): Promise<void> {
    const { store, pace, clock } = this.#deps;
    const name = this.#name();
    if (!changed) return noteVerificationSent(store.database, name);
    for (const [accountId, states] of changed) {
      const told = this.#told.get(accountId) ?? {};
      this.#told.set(accountId, { ...told, ...states });
    }
    this.#notBefore = clock.now().getTime() + this.#restMs;
    this.#restMs = Math.max(pace.restMs, this.#restMs / 2);
    await notePushed(store.database, name, encodePushState(this.#told));
  }

  async #failed(row: HeldPush, outcome: Posted | string): Promise<boolean> {
    const { store, pace, clock, log } = this.#deps;
    const now = clock.now();
    const since = row.failingSince ?? now;
    const reason = typeof outcome === "string" ? outcome : `status ${outcome.status}`;
    if (row.verified && now.getTime() - since.getTime() >= pace.giveUpAfterMs) {
      await this.#destroy(`given up: ${reason}`);
      return false;
    }
    const isRefused = typeof outcome === "object" && outcome.status < 500 && outcome.status !== 429;
    const attempts = !row.verified && isRefused ? maxVerificationAttempts : row.attempts + 1;
    this.#notBefore = now.getTime() + this.#pauseAfter(row.attempts, outcome);
    const nextAttemptAt = new Date(this.#notBefore);
    log.info({ login: this.owner.login, id: this.id, reason, attempts, nextAttemptAt }, "push failed");
    await notePushFailed(store.database, this.#name(), { attempts, since, nextAttemptAt });
    return row.verified || attempts < maxVerificationAttempts;
  }

  #pauseAfter(attempts: number, outcome: Posted | string): number {
    const { retriesMs, maxRestMs } = this.#deps.pace;
    // Random, so that pushes that failed together are not retried together.
    const pause = retriesMs[Math.min(attempts, retriesMs.length - 1)]! * (1 + Math.random() / 5);
    if (typeof outcome === "string") return pause;
    // RFC 8620 §7.2: too many requests slow down all later pushes, not just this one.
    if (outcome.status === 429) this.#restMs = Math.min(this.#restMs * 4, maxRestMs);
    return Math.max(pause, outcome.retryAfterMs ?? 0, outcome.status === 429 ? this.#restMs : 0);
  }
}
