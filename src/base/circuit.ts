/** The service has failed for too long, so it was not asked. */
export class CircuitOpen extends Error {
  constructor(reason: string) {
    super(`not asked, since it failed: ${reason}`);
  }
}

export interface CircuitOptions {
  /** It opens when everything has failed for this long. */
  failingForMs: number;
  /** How long it is open; each failed trial doubles it, up to `maxPauseMs`. */
  firstPauseMs: number;
  maxPauseMs: number;
  onOpen(reason: string): void;
  onClose(): void;
}

/**
 * Spares callers from waiting for a service that is away: once it has failed for a while, they are refused at once, but for
 * one trial now and then. A trial that succeeds closes the circuit.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  /** Since when all calls have failed; undefined after a success. Times are those of `performance.now()`. */
  #failingSince: number | undefined;
  #succeededAt = Number.NEGATIVE_INFINITY;
  /** Undefined while closed. */
  #openUntil: number | undefined;
  #pauseMs: number;
  #isTrying = false;
  #reason = "";

  constructor(options: CircuitOptions) {
    this.#options = options;
    this.#pauseMs = options.firstPauseMs;
  }

  /** `isFailure` says whether an error is the service's fault. Throws CircuitOpen, or what `work` throws. */
  async run<T>(work: () => Promise<T>, isFailure: (error: unknown) => boolean): Promise<T> {
    const begunAt = performance.now();
    const isTrial = this.#openUntil !== undefined;
    if (isTrial) this.#beginTrial(begunAt);
    try {
      const result = await work();
      this.#succeeded();
      return result;
    } catch (error) {
      if (isFailure(error)) this.#failed((error as Error).message, begunAt, isTrial);
      else this.#succeeded();
      throw error;
    } finally {
      if (isTrial) this.#isTrying = false;
    }
  }

  #beginTrial(now: number): void {
    if (this.#isTrying || now < this.#openUntil!) throw new CircuitOpen(this.#reason);
    this.#isTrying = true;
  }

  #succeeded(): void {
    this.#failingSince = undefined;
    this.#succeededAt = performance.now();
    if (this.#openUntil === undefined) return;
    this.#openUntil = undefined;
    this.#pauseMs = this.#options.firstPauseMs;
    this.#options.onClose();
  }

  #failed(reason: string, begunAt: number, isTrial: boolean): void {
    this.#reason = reason;
    this.#failingSince = Math.max(this.#succeededAt, Math.min(this.#failingSince ?? begunAt, begunAt));
    const now = performance.now();
    const isOpen = this.#openUntil !== undefined;
    // Calls that began before it opened still fail, and say nothing new.
    if (isOpen ? !isTrial : now - this.#failingSince < this.#options.failingForMs) return;
    if (isOpen) this.#pauseMs = Math.min(this.#pauseMs * 2, this.#options.maxPauseMs);
    this.#openUntil = now + this.#pauseMs;
    if (!isOpen) this.#options.onOpen(reason);
  }
}
