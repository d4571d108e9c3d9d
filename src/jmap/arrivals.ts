/** The octets of each request that are not counted: to count small ones would cost more than they do. */
const freely = 65_536;
/** A request that has begun to arrive, until it is answered. */
export interface Arrival {
  /** `octets` will come in all. Resolves when there is room for them; false when it was given up. */
  announce(octets: number): Promise<boolean>;
  /** Octets that are there already. May give it up, or another one. */
  grow(octets: number): void;
  /** It is whole, with all its octets. False when they are too many beside what is under way. */
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
 * Octets of requests, from when they are announced until they are answered; over HTTP, until the answer is taken. Where
 * they are too many, of one login or of all, the next one waits, and in the end the one that has been arriving for the
 * longest is given up. One alone is never too many.
 */
export class Arrivals {
  readonly #most: number;
  readonly #mostOfLogin: number;
  #octets = 0;
  readonly #byLogin = new Map<string, number>();
  /** Those that are not whole; the oldest first. */
  readonly #partial = new Set<Entry>();
  /** Each takes its room, and says so, when there is enough. */
  readonly #waiting = new Set<() => boolean>();

  readonly #patience: number;

  /** `patience`: how long, in ms, one waits for room; what has been arriving for longer is given up for it then. */
  constructor(most: number, mostOfLogin: number, patience = 5_000) {
    this.#patience = patience;
    this.#most = most;
    this.#mostOfLogin = mostOfLogin;
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
      announce: (octets) => this.#announce(entry, octets - freely),
      grow: (octets) => {
        if (!entry.isOver && octets - freely > entry.octets) this.#takePartial(entry, octets - freely);
      },
      settle: (octets) => {
        this.#partial.delete(entry);
        if (!entry.isOver) this.#count(entry, Math.max(0, octets - freely));
        this.#makeRoom(entry);
        // None is left that could be given up for it.
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
    const timer = setTimeout(resolve, this.#patience);
    await promise;
    clearTimeout(timer);
    if (this.#waiting.delete(enter) && !entry.isOver)
      this.#takePartial(entry, octets, performance.now() - this.#patience);
    return !entry.isOver;
  }

  #takeFitting(entry: Entry, octets: number): boolean {
    const more = octets - entry.octets;
    const others = this.#octets - entry.octets;
    const ofLogin = this.#sumOf(entry.login) - entry.octets;
    if (others > 0 && this.#octets + more > this.#most) return false;
    if (ofLogin > 0 && ofLogin + octets > this.#mostOfLogin) return false;
    this.#add(entry);
    this.#count(entry, octets);
    return true;
  }

  /** Gives up others that began before a time, or else this one. */
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
    return this.#isFullOf(entry) || (this.#octets > this.#most && this.#octets > entry.octets);
  }

  #isFullOf({ login, octets }: Entry): boolean {
    const sum = this.#sumOf(login);
    return sum > this.#mostOfLogin && sum > octets;
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
