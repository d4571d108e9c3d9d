/** The network and login that a connection's work is charged to, besides the connection itself. */
export class Seat {
  network: string;
  /** "" until a credential was right: connections that only claim a login share one place. */
  login = "";

  constructor(network: string) {
    this.network = network;
  }
}

type Work = () => void;
type ByLogin = Map<string, Map<Seat, Work[]>>;

/** How long turns run before the event loop polls for new input. */
const sliceMs = 2;
/** How many turns are planned for one round of the event loop. */
const turnsPlanned = 8;
/** How long used time counts against a network, login or connection. */
const memoryMs = 1_000;

/**
 * Runs the work of many connections on the event loop, in turns. The next turn goes to the network that used the least time
 * recently, within it to such a login, and within that to such a connection.
 */
export class FairTurns {
  readonly #waiting = new Map<string, ByLogin>();
  readonly #used = new Map<string | Seat, number>();
  #since = 0;
  /** When the first turn of this round of the event loop began. */
  #begun: number | undefined;
  #isPlanned = false;
  #running: Seat | undefined;
  /** The last turn, whose time is not charged yet. */
  #last: { seat: Seat; begin: number } | undefined;

  /** Runs the work at once and returns true if there is time and nobody waits; otherwise queues it and returns false. */
  take(seat: Seat, work: Work): boolean {
    // The work belongs to the turn that is running.
    if (this.#running === seat) {
      work();
      return true;
    }
    if (this.#waiting.size === 0 && !this.#running && this.#hasTime()) {
      this.#runAtOnce(seat, work);
      return true;
    }
    const { network, login } = seat;
    const logins = entry(this.#waiting, network, () => new Map() as ByLogin);
    const seats = entry(logins, login, () => new Map<Seat, Work[]>());
    entry(seats, seat, () => []).push(work);
    if (!this.#isPlanned) this.#plan(turnsPlanned);
    return false;
  }

  #hasTime(): boolean {
    return this.#begun === undefined || performance.now() - this.#begun < sliceMs;
  }

  /** Time used while nobody waits is not charged. */
  #runAtOnce(seat: Seat, work: Work): void {
    this.#begun ??= performance.now();
    this.#running = seat;
    try {
      work();
    } finally {
      this.#running = undefined;
      if (!this.#isPlanned) this.#plan(0);
    }
  }

  #run(seat: Seat, work: Work): void {
    const begin = performance.now();
    this.#begun ??= begin;
    this.#last = { seat, begin };
    this.#running = seat;
    try {
      work();
    } finally {
      this.#running = undefined;
    }
  }

  #charge(): void {
    if (!this.#last) return;
    const { seat, begin } = this.#last;
    this.#last = undefined;
    const now = performance.now();
    if (now - this.#since > memoryMs) {
      this.#used.clear();
      this.#since = now;
    }
    for (const key of [seat.network, loginKey(seat.network, seat.login), seat]) {
      this.#used.set(key, (this.#used.get(key) ?? 0) + now - begin);
    }
  }

  /** The microtasks of a turn run before the next setImmediate callback, so their time is charged to that turn. */
  #plan(turns: number): void {
    this.#isPlanned = true;
    for (let count = 0; count < turns; count++) setImmediate(this.#turn);
    setImmediate(this.#endRound);
  }

  #turn = (): void => {
    this.#charge();
    if (this.#waiting.size > 0 && this.#hasTime()) this.#run(...this.#next());
  };

  #endRound = (): void => {
    this.#charge();
    this.#begun = undefined;
    this.#isPlanned = false;
    if (this.#waiting.size > 0) this.#plan(turnsPlanned);
  };

  #next(): [Seat, Work] {
    const network = this.#least(this.#waiting, (name) => name);
    const logins = this.#waiting.get(network)!;
    const login = this.#least(logins, (name) => loginKey(network, name));
    const seats = logins.get(login)!;
    const seat = this.#least(seats, (one) => one);
    const works = seats.get(seat)!;
    const work = works.shift()!;
    if (works.length === 0) seats.delete(seat);
    if (seats.size === 0) logins.delete(login);
    if (logins.size === 0) this.#waiting.delete(network);
    return [seat, work];
  }

  #least<K>(waiting: ReadonlyMap<K, unknown>, keyOf: (one: K) => string | Seat): K {
    let least = Number.POSITIVE_INFINITY;
    let found: K | undefined;
    for (const one of waiting.keys()) {
      const used = this.#used.get(keyOf(one)) ?? 0;
      if (used >= least) continue;
      least = used;
      found = one;
    }
    return found!;
  }
}

const loginKey = (network: string, login: string) => `${network} ${login}`;

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
