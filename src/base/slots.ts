/** Runs at most `count` pieces of work at a time; the others wait in order. */
export class Slots {
  readonly #count: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #heldBack = new Set<() => void>();

  constructor(count: number) {
    this.#count = count;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get isIdle(): boolean {
    return this.#taken === 0;
  }

  /**
   * Resolves at once while fewer than `count` wait. Beyond, those who call this go on one for each that is done, at the latest
   * after `maxMs`: whoever brings new work is slowed to the pace of the work.
   */
  async room(count: number, maxMs: number): Promise<void> {
    if (this.#waiting.length < count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, maxMs);
    this.#heldBack.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#heldBack.delete(resolve);
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#taken >= this.#count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#taken++;
    try {
      return await work();
    } finally {
      const [first] = this.#heldBack;
      if (first) {
        this.#heldBack.delete(first);
        first();
      }
      const next = this.#waiting.shift();
      if (next) next();
      else this.#taken--;
    }
  }
}
