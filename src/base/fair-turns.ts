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

/** So many ms of work are done before the event loop goes round. */
const slice = 3;
/** For so many ms, what somebody has used counts against them. */
const memory = 1_000;

/**
 * Work of many connections that runs on the event loop, in turns: next is always the network that used the least time
 * of late, in it the login, in that the connection.
 */
export class FairTurns {
  readonly #waiting = new Map<string, ByLogin>();
  readonly #used = new Map<string | Seat, number>();
  #since = 0;
  /** What this round of the event loop has used, in ms. */
  #spent = 0;
  #isArmed = false;
  #running: Seat | undefined;

  /** Runs the work at once, and says so, where there is time for it and nobody waits; or else in its turn. */
  take(seat: Seat, work: Work): boolean {
    // A part of a turn that is being taken.
    if (this.#running === seat) {
      work();
      return true;
    }
    if (this.#waiting.size === 0 && this.#spent < slice && !this.#running) {
      this.#run(seat, work);
      return true;
    }
    const { network, login } = seat;
    const logins = entry(this.#waiting, network, () => new Map() as ByLogin);
    const seats = entry(logins, login, () => new Map<Seat, Work[]>());
    entry(seats, seat, () => []).push(work);
    this.#arm();
    return false;
  }

  #run(seat: Seat, work: Work): void {
    const begin = performance.now();
    this.#running = seat;
    try {
      work();
    } finally {
      this.#running = undefined;
      const end = performance.now();
      this.#charge(seat, end - begin, end);
      this.#arm();
    }
  }

  #charge(seat: Seat, time: number, now: number): void {
    if (now - this.#since > memory) {
      this.#used.clear();
      this.#since = now;
    }
    this.#spent += time;
    for (const key of [seat.network, loginKey(seat.network, seat.login), seat]) {
      this.#used.set(key, (this.#used.get(key) ?? 0) + time);
    }
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(this.#round);
  }

  #round = (): void => {
    this.#isArmed = false;
    this.#spent = 0;
    while (this.#waiting.size > 0 && this.#spent < slice) {
      const [seat, work] = this.#next();
      this.#run(seat, work);
    }
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
