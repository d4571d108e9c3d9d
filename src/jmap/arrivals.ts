/** So many octets of each request are not counted: to count small ones would cost more than they do. */
const freely = 65_536;

/** A request that has begun to arrive, until it is answered. */
export interface Arrival {
  /** So much of it is there. May give it up, or another one. */
  grow(octets: number): void;
  /** It is whole, and has so many octets. False when they are too many beside what is under way. */
  settle(octets: number): boolean;
  end(): void;
}

interface Entry {
  login: string;
  octets: number;
  giveUp: () => void;
}

/**
 * Octets of requests that wait in memory: for their end, for their turn, or for their answer. Where they are too many,
 * of one login or of all, the one that has been arriving for the longest is given up. One alone is never too many.
 */
export class Arrivals {
  readonly #most: number;
  readonly #mostOfLogin: number;
  #octets = 0;
  readonly #byLogin = new Map<string, number>();
  /** Those that are not whole; the oldest first. */
  readonly #partial = new Set<Entry>();

  constructor(most: number, mostOfLogin: number) {
    this.#most = most;
    this.#mostOfLogin = mostOfLogin;
  }

  begin(login: string, giveUp: () => void): Arrival {
    let isOver = false;
    const end = () => {
      isOver = true;
      this.#partial.delete(entry);
      this.#count(entry, 0);
    };
    const entry: Entry = {
      login,
      octets: 0,
      giveUp: () => {
        end();
        giveUp();
      },
    };
    const take = (octets: number) => {
      this.#count(entry, Math.max(0, octets - freely));
      this.#makeRoom(entry);
    };
    return {
      grow: (octets) => {
        if (isOver || octets <= freely) return;
        this.#partial.add(entry);
        take(octets);
      },
      settle: (octets) => {
        this.#partial.delete(entry);
        if (!isOver) take(octets);
        if (this.#isFull(entry)) end();
        return !isOver;
      },
      end,
    };
  }

  #count(entry: Entry, octets: number): void {
    const more = octets - entry.octets;
    if (more === 0) return;
    entry.octets = octets;
    this.#octets += more;
    const sum = this.#sumOf(entry.login) + more;
    if (sum > 0) this.#byLogin.set(entry.login, sum);
    else this.#byLogin.delete(entry.login);
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

  #makeRoom(entry: Entry): void {
    if (!this.#isFull(entry)) return;
    for (const other of this.#partial) {
      if (other.login === entry.login || !this.#isFullOf(entry)) other.giveUp();
      if (!this.#isFull(entry)) return;
    }
  }
}
