import { Arrivals } from "./arrivals.ts";
import { MethodError } from "./errors.ts";

/** What each request may answer without counting against the pool, in octets. */
const maxUncounted = 1_000_000;

/**
 * Bounds the octets that all requests together are answering. Until it is sent, each octet takes up to a dozen octets of
 * memory, as bytes, text and JSON.
 */
export class OctetPool {
  /** Octets of requests until they are answered: all together a quarter of the pool, one login an eighth. */
  readonly arrivals: Arrivals;
  readonly #maxPerRequest: number;
  #left: number;

  constructor(max: number, maxPerRequest: number) {
    this.#left = max;
    this.arrivals = new Arrivals(max / 4, max / 8);
    this.#maxPerRequest = maxPerRequest;
  }

  /** Runs `work` with a lease for one request. It must end when the answer has been sent. */
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
        if (taken + count > this.#maxPerRequest) throw refuse("requestTooLarge", "the request answers too many octets");
        const more = Math.max(0, taken + count - maxUncounted) - held;
        if (more > this.#left) {
          throw refuse("serverUnavailable", "other requests are answering too many octets: try again");
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

/** Counts the octets that one request answers. */
export interface Octets {
  readonly taken: number;
  /** Throws MethodError requestTooLarge or serverUnavailable. Once refused, the request gets no more. */
  take(count: number): void;
}

/** About how many octets a value takes as JSON. */
export function weigh(value: unknown): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return 4;
  let weight = 2;
  if (Array.isArray(value)) for (const item of value) weight += weigh(item) + 1;
  else for (const name in value) weight += name.length + 4 + weigh(value[name as keyof typeof value]);
  return weight;
}
