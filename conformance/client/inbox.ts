/** A queue of events for a reader who waits with a time limit. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: { resolve: (item: T) => void; reject: (error: Error) => void }[] = [];
  #ended: Error | undefined;

  put(item: T): void {
    const first = this.#waiting.shift();
    if (first) first.resolve(item);
    else this.#items.push(item);
  }

  /** Ends the queue: queued events can still be taken, further waiting fails. */
  end(reason: Error): void {
    this.#ended ??= reason;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  next(timeoutMs: number, what = "event"): Promise<T> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift() as T);
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const entry = {
        resolve: (item: T) => {
          clearTimeout(timer);
          resolve(item);
        },
        reject: (error: Error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        reject(new Error(`no ${what} in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.push(entry);
    });
  }

  /** Takes all that is queued. */
  drain(): T[] {
    return this.#items.splice(0);
  }

  get ended(): boolean {
    return this.#ended !== undefined && this.#items.length === 0;
  }
}
