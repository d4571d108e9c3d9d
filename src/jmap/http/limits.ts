import { Slots } from "../../base/slots.ts";
import { RequestError } from "../errors.ts";

/** How long a request waits for others of its login to end before it is refused. */
const maxWaitMs = 1_000;

interface Place {
  running: number;
  /** Waiting requests by connection; the connection that was served longest ago comes first. */
  waiting: Map<object, (() => void)[]>;
}

/** Limits the requests of each login under way. One too many waits a little; the connections take turns. */
export class Concurrency {
  readonly #limit: string;
  readonly #max: number;
  readonly #places = new Map<string, Place>();

  constructor(limit: string, max: number) {
    this.#limit = limit;
    this.#max = max;
  }

  /** Throws the RequestError of RFC 8620 §3.6.1 if the wait was in vain. */
  async run<T>(login: string, connection: object, work: () => Promise<T>): Promise<T> {
    let place = this.#places.get(login);
    if (!place) {
      place = { running: 0, waiting: new Map() };
      this.#places.set(login, place);
    }
    if (place.running < this.#max) place.running++;
    else await this.#wait(place, connection);
    try {
      return await work();
    } finally {
      this.#leave(login, place);
    }
  }

  /** Hands the place to a waiting request, if there is one. */
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
      reject(new RequestError("limit", 429, `At most ${this.#max} at a time.`, this.#limit));
    }, maxWaitMs);
    const entries = waiting.get(connection) ?? [];
    entries.push(enter);
    waiting.set(connection, entries);
    return promise;
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
