import { MethodError } from "./errors.ts";

/** What every request may answer without a look at what the others do, in octets. */
const freely = 1_000_000;

/**
 * Octets of messages and blobs on their way out, of all requests together. Each one takes up to a dozen octets of
 * memory before it leaves, as bytes, text and JSON.
 */
export class OctetPool {
  readonly #mostOfOne: number;
  #left: number;

  constructor(most: number, mostOfOne: number) {
    this.#left = most;
    this.#mostOfOne = mostOfOne;
  }

  /** For one request. `release` it when its answer has left. */
  lease(): Octets {
    let taken = 0;
    let held = 0;
    return {
      take: (count) => {
        if (taken + count > this.#mostOfOne) {
          throw new MethodError("requestTooLarge", "too many octets for one request");
        }
        const more = Math.max(0, taken + count - freely) - held;
        if (more > this.#left) {
          throw new MethodError("serverUnavailable", "other requests are answering too many octets, try again");
        }
        taken += count;
        held += more;
        this.#left -= more;
      },
      release: () => {
        this.#left += held;
        held = 0;
      },
    };
  }
}

/** What a request may still answer of the octets of messages and blobs. */
export interface Octets {
  /** Throws MethodError: requestTooLarge, serverUnavailable. */
  take(count: number): void;
  release(): void;
}
