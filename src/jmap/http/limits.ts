import { Slots } from "../../base/slots.ts";
import { RequestError } from "../errors.ts";

/** How many requests of each login are under way. */
export class Concurrency {
  readonly #limit: string;
  readonly #most: number;
  readonly #running = new Map<string, number>();

  constructor(limit: string, most: number) {
    this.#limit = limit;
    this.#most = most;
  }

  /** Throws the RequestError of RFC 8620 §3.6.1 when the login has too many. */
  async run<T>(login: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(login) ?? 0;
    if (running >= this.#most) {
      throw new RequestError("limit", 429, `At most ${this.#most} at a time.`, this.#limit);
    }
    this.#running.set(login, running + 1);
    try {
      return await work();
    } finally {
      const left = this.#running.get(login)! - 1;
      if (left > 0) this.#running.set(login, left);
      else this.#running.delete(login);
    }
  }
}

/** Of each login, so many pieces of work run at a time; the others wait in order. */
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
