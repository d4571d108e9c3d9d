/** The first octets of each request are not counted: counting small requests would cost more than they do. */
const maxUncounted = 65_536;
/** A request from its first octet until it is answered. */
export interface Arrival {
  /** Asks for room for `octets` in all. Resolves to true when there is room, to false when the request was given up. */
  announce(octets: number): Promise<boolean>;
  /** Reports the octets received so far. May give up this request or another one. */
  grow(octets: number): void;
  /** Reports that the request is whole. Returns false when it is too large beside what else is under way. */
  settle(octets: number): boolean;
  end(): void;
}

interface Entry {
  readonly login: string;
  octets: number;
  since: number;
  isOver: boolean;
  giveUp(): void;
}

/**
 * Counts the octets of requests from their announcement until they are answered (over HTTP, until the answer is taken).
 * When one login, or all together, has too many, the next request waits for room; after that wait the request that has
 * been arriving for the longest is given up. A request alone is never too large.
 */
export class Arrivals {
  readonly #max: number;
  readonly #maxPerLogin: number;
  #octets = 0;
  readonly #byLogin = new Map<string, number>();
  /** Requests that are not whole yet, oldest first. */
  readonly #partial = new Set<Entry>();
  /** Each function takes its room and returns true once there is enough. */
  readonly #waiting = new Set<() => boolean>();

  readonly #maxWaitMs: number;

  /** A request waits at max `maxWaitMs` for room; then those that have been arriving for longer are given up for it. */
  constructor(max: number, maxPerLogin: number, maxWaitMs = 5_000) {
    this.#maxWaitMs = maxWaitMs;
    this.#max = max;
    this.#maxPerLogin = maxPerLogin;
  }

  begin(login: string, giveUp: () => void): Arrival {
    const entry: Entry = {
      login,
      octets: 0,
      since: 0,
      isOver: false,
      giveUp: () => {
        this.#end(entry);
        giveUp();
      },
    };
    return {
      announce: (octets) => this.#announce(entry, octets - maxUncounted),
      grow: (octets) => {
        if (!entry.isOver && octets - maxUncounted > entry.octets) this.#takePartial(entry, octets - maxUncounted);
      },
      settle: (octets) => {
        this.#partial.delete(entry);
        if (!entry.isOver) this.#count(entry, Math.max(0, octets - maxUncounted));
        this.#makeRoom(entry);
        // Nothing is left to give up, so this request goes.
        if (this.#isFull(entry)) this.#end(entry);
        return !entry.isOver;
      },
      end: () => this.#end(entry),
    };
  }

  async #announce(entry: Entry, octets: number): Promise<boolean> {
    if (octets <= entry.octets || this.#takeFitting(entry, octets)) return !entry.isOver;
    const { promise, resolve } = Promise.withResolvers<void>();
    const enter = () => {
      const isIn = entry.isOver || this.#takeFitting(entry, octets);
      if (isIn) resolve();
      return isIn;
    };
    this.#waiting.add(enter);
    const timer = setTimeout(resolve, this.#maxWaitMs);
    await promise;
    clearTimeout(timer);
    if (this.#waiting.delete(enter) && !entry.isOver)
      this.#takePartial(entry, octets, performance.now() - this.#maxWaitMs);
    return !entry.isOver;
  }

  #takeFitting(entry: Entry, octets: number): boolean {
    const more = octets - entry.octets;
    const others = this.#octets - entry.octets;
    const ofLogin = this.#sumOf(entry.login) - entry.octets;
    if (others > 0 && this.#octets + more > this.#max) return false;
    if (ofLogin > 0 && ofLogin + octets > this.#maxPerLogin) return false;
    this.#add(entry);
    this.#count(entry, octets);
    return true;
  }

  /** Gives up requests that began before `before`; if that is not enough, gives up this one. */
  #takePartial(entry: Entry, octets: number, before = Number.POSITIVE_INFINITY): void {
    this.#add(entry);
    this.#count(entry, octets);
    this.#makeRoom(entry, before);
    if (this.#isFull(entry)) entry.giveUp();
  }

  #add(entry: Entry): void {
    if (this.#partial.has(entry)) return;
    entry.since = performance.now();
    this.#partial.add(entry);
  }

  #end(entry: Entry): void {
    entry.isOver = true;
    this.#partial.delete(entry);
    this.#count(entry, 0);
  }

  #count(entry: Entry, octets: number): void {
    const more = octets - entry.octets;
    if (more === 0) return;
    entry.octets = octets;
    this.#octets += more;
    const sum = this.#sumOf(entry.login) + more;
    if (sum > 0) this.#byLogin.set(entry.login, sum);
    else this.#byLogin.delete(entry.login);
    if (more < 0) for (const enter of this.#waiting) if (enter()) this.#waiting.delete(enter);
  }

  #sumOf(login: string): number {
    return this.#byLogin.get(login) ?? 0;
  }

  #isFull(entry: Entry): boolean {
    return this.#isFullOf(entry) || (this.#octets > this.#max && this.#octets > entry.octets);
  }

  #isFullOf({ login, octets }: Entry): boolean {
    const sum = this.#sumOf(login);
    return sum > this.#maxPerLogin && sum > octets;
  }

  #makeRoom(entry: Entry, before = Number.POSITIVE_INFINITY): void {
    if (!this.#isFull(entry)) return;
    for (const other of this.#partial) {
      if (other.since > before) return;
      if (other !== entry && (other.login === entry.login || !this.#isFullOf(entry))) other.giveUp();
      if (!this.#isFull(entry)) return;
    }
  }
}
