import { Arrivals } from "./arrivals.ts";
import { MethodError } from "./errors.ts";

/** What every request may answer without a look at what the others do, in octets. */
const freely = 1_000_000;

/**
 * Octets on their way out, of all requests together. Each one takes up to a dozen octets of memory before it leaves, as
 * bytes, text and JSON.
 */
export class OctetPool {
  /** Requests, until they are answered: of all a quarter of as much, of one login an eighth. */
  readonly arrivals: Arrivals;
  readonly #mostOfOne: number;
  #left: number;

  constructor(most: number, mostOfOne: number) {
    this.#left = most;
    this.arrivals = new Arrivals(most / 4, most / 8);
    this.#mostOfOne = mostOfOne;
  }

  /** For one request: `work` ends when its answer has left. */
  async leased<T>(work: (octets: Octets) => Promise<T>): Promise<T> {
    const octets = this.lease();
    try {
      return await work(octets);
    } finally {
      octets.release();
    }
  }

  lease(): Octets & { release(): void } {
    let taken = 0;
    let held = 0;
    let refusal: MethodError | undefined;
    const refuse = (type: "requestTooLarge" | "serverUnavailable", why: string) => {
      refusal = new MethodError(type, why);
      return refusal;
    };
    return {
      get taken() {
        return taken;
      },
      take: (count) => {
        if (refusal) throw refusal;
        if (taken + count > this.#mostOfOne) throw refuse("requestTooLarge", "too many octets for one request");
        const more = Math.max(0, taken + count - freely) - held;
        if (more > this.#left) {
          throw refuse("serverUnavailable", "other requests are answering too many octets, try again");
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

/** What a request answers, in octets. */
export interface Octets {
  readonly taken: number;
  /** Throws MethodError: requestTooLarge, serverUnavailable. A request that was refused once gets no more. */
  take(count: number): void;
}

/** About how many octets of JSON a value is. */
export function weigh(value: unknown): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return 4;
  let weight = 2;
  if (Array.isArray(value)) for (const item of value) weight += weigh(item) + 1;
  else for (const name in value) weight += name.length + 4 + weigh(value[name as keyof typeof value]);
  return weight;
}
