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
