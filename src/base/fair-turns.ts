/** Where the work of one connection counts: among those of its login, which count among those of its network. */
export class Seat {
  network: string;
  /** "" until a credential was right: those who only claim a login share one place. */
  login = "";

  constructor(network: string) {
    this.network = network;
  }
}

type Work = () => void;
type ByLogin = Map<string, Map<Seat, Work[]>>;

/** How long, in ms, turns are taken before the event loop looks for what arrived meanwhile. */
const slice = 2;
/** The turns that are planned for one round of the event loop. */
const turnsPlanned = 8;
/** How long, in ms, what somebody has used counts against them. */
const memory = 1_000;

/**
 * Work of many connections that runs on the event loop, in turns: next is always the network that used the least time
 * of late, in it the login, in that the connection.
 */
export class FairTurns {
  readonly #waiting = new Map<string, ByLogin>();
  readonly #used = new Map<string | Seat, number>();
  #since = 0;
  /** When the first turn of this round of the event loop began. */
  #begun: number | undefined;
  #isPlanned = false;
  #running: Seat | undefined;
  /** The turn whose time is not charged yet. */
  #last: { seat: Seat; begin: number } | undefined;

  /** Runs the work at once, and says so, where there is time for it and nobody waits; or else in its turn. */
  take(seat: Seat, work: Work): boolean {
    // A part of a turn that is being taken.
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
    return this.#begun === undefined || performance.now() - this.#begun < slice;
  }

  /** Not charged: what is used while nobody waits is taken from nobody. */
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
    if (now - this.#since > memory) {
      this.#used.clear();
      this.#since = now;
    }
    for (const key of [seat.network, loginKey(seat.network, seat.login), seat]) {
      this.#used.set(key, (this.#used.get(key) ?? 0) + now - begin);
    }
  }

  /** What a turn leaves to microtasks is done before the next one is called: so it counts as a part of it. */
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
