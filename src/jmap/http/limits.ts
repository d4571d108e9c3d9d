import { Slots } from "../../base/slots.ts";
import { RequestError } from "../errors.ts";

/** How long, in ms, a request waits for others of its login to end before it is refused. */
const patience = 1_000;

interface Place {
  running: number;
  /** By connection, the one that was let in the longest ago first. */
  waiting: Map<object, (() => void)[]>;
}

/** How many requests of each login are under way. One too many waits a little; connections get in by turns. */
export class Concurrency {
  readonly #limit: string;
  readonly #most: number;
  readonly #places = new Map<string, Place>();

  constructor(limit: string, most: number) {
    this.#limit = limit;
    this.#most = most;
  }

  /** Throws the RequestError of RFC 8620 §3.6.1 when the login has too many. */
  async run<T>(login: string, connection: object, work: () => Promise<T>): Promise<T> {
    let place = this.#places.get(login);
    if (!place) {
      place = { running: 0, waiting: new Map() };
      this.#places.set(login, place);
    }
    if (place.running < this.#most) place.running++;
    else await this.#wait(place, connection);
    try {
      return await work();
    } finally {
      this.#leave(login, place);
    }
  }

  /** Whoever leaves makes room for one that waits. */
  #leave(login: string, place: Place): void {
    const [first] = place.waiting;
    if (first) {
      const [connection, entries] = first;
      const enter = entries.shift()!;
      place.waiting.delete(connection);
      if (entries.length > 0) place.waiting.set(connection, entries);
      enter();
    } else if (--place.running === 0) this.#places.delete(login);
  }

  #wait({ waiting }: Place, connection: object): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const enter = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      const left = waiting.get(connection)!.filter((entry) => entry !== enter);
      if (left.length > 0) waiting.set(connection, left);
      else waiting.delete(connection);
      reject(new RequestError("limit", 429, `At most ${this.#most} at a time.`, this.#limit));
    }, patience);
    const entries = waiting.get(connection) ?? [];
    entries.push(enter);
    waiting.set(connection, entries);
    return promise;
  }
}

/** A bounded number of pieces of work of each login run at a time; the others wait in order. */
export class Turns {
  readonly #most: number;
  readonly #slots = new Map<string, Slots>();

  constructor(most: number) {
    this.#most = most;
  }

  async run<T>(login: string, work: () => Promise<T>): Promise<T> {
    const slots = this.#slots.get(login) ?? new Slots(this.#most);
    this.#slots.set(login, slots);
    try {
      return await slots.run(work);
    } finally {
      if (slots.isIdle) this.#slots.delete(login);
    }
  }
}
