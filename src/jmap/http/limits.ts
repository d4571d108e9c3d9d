import { pauseFor } from "../../base/retry.ts";
import type { PlaceLimit } from "../../base/shared-counts.ts";
import { Slots } from "../../base/slots.ts";
import { RequestError } from "../errors.ts";

/** How long a request waits for others of its login to end before it is refused. */
const maxWaitMs = 1_000;

/** How often a place is sought that another process may have given back. */
const seekEveryMs = 50;

/** Waiting requests by connection; the connection that was served longest ago comes first. */
type Waiting = Map<object, (() => void)[]>;

/** Limits the requests of each login under way. One too many waits a little; the connections take turns. */
export class Concurrency {
  readonly #limit: string;
  readonly #places: PlaceLimit;
  readonly #waiting = new Map<string, Waiting>();

  constructor(limit: string, places: PlaceLimit) {
    this.#limit = limit;
    this.#places = places;
  }

  /** Throws the RequestError of RFC 8620 §3.6.1 if the wait was in vain. */
  async run<T>(login: string, connection: object, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.has(login) || !(await this.#places.take(login))) await this.#wait(login, connection);
    try {
      return await work();
    } finally {
      if (!this.#handOver(login)) this.#places.leave(login);
    }
  }

  /** Gives a place to a waiting request, if there is one. */
  #handOver(login: string): boolean {
    const waiting = this.#waiting.get(login);
    if (!waiting) return false;
    const [connection, entries] = waiting.entries().next().value!;
    const enter = entries.shift()!;
    waiting.delete(connection);
    if (entries.length > 0) waiting.set(connection, entries);
    if (waiting.size === 0) this.#waiting.delete(login);
    enter();
    return true;
  }

  #wait(login: string, connection: object): Promise<void> {
    const waiting = this.#waitingOf(login);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const enter = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      const left = waiting.get(connection)!.filter((entry) => entry !== enter);
      if (left.length > 0) waiting.set(connection, left);
      else waiting.delete(connection);
      if (waiting.size === 0) this.#waiting.delete(login);
      reject(new RequestError("limit", 429, `At most ${this.#places.max} at a time.`, this.#limit));
    }, maxWaitMs);
    const entries = waiting.get(connection) ?? [];
    entries.push(enter);
    waiting.set(connection, entries);
    return promise;
  }

  #waitingOf(login: string): Waiting {
    const known = this.#waiting.get(login);
    if (known) return known;
    const waiting: Waiting = new Map();
    this.#waiting.set(login, waiting);
    void this.#seek(login, waiting);
    return waiting;
  }

  /** Takes places that come free elsewhere, as long as requests of the login wait. */
  async #seek(login: string, waiting: Waiting): Promise<void> {
    for (;;) {
      await pauseFor(seekEveryMs);
      if (this.#waiting.get(login) !== waiting) return;
      if ((await this.#places.take(login)) && !this.#handOver(login)) this.#places.leave(login);
    }
  }
}

/** Runs a limited number of jobs of each login at a time; the others wait in order. */
export class Turns {
  readonly #max: number;
  readonly #slots = new Map<string, Slots>();

  constructor(max: number) {
    this.#max = max;
  }

  async run<T>(login: string, work: () => Promise<T>): Promise<T> {
    const slots = this.#slots.get(login) ?? new Slots(this.#max);
    this.#slots.set(login, slots);
    try {
      return await slots.run(work);
    } finally {
      if (slots.isIdle) this.#slots.delete(login);
    }
  }
}
