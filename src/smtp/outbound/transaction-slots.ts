/** Who wants a slot: mail of an account for a destination, whose first server is in a network. */
export interface Claim {
  account: number;
  destination: string;
  /** Undefined where an operator has chosen the server. */
  network: string | undefined;
  /** A message that takes much memory. */
  isLarge: boolean;
}

export interface SlotLimits {
  /** Transactions that have begun a short time ago. (Default: 50) */
  quick: number;
  /** Those that take long, with those to destinations whose last one did. (Default: 50) */
  slow: number;
  /** Of both, with one network. (Default: 10) */
  ofNetwork: number;
  /** Of the quick and of those known to be slow, so many with large messages, and three times as many in all. (Default: 6) */
  large: number;
  /** From when on a transaction takes long. (Default: 3 s) */
  slowAfterMs: number;
}

const usual: SlotLimits = { quick: 50, slow: 50, ofNetwork: 10, large: 6, slowAfterMs: 3_000 };
const maxRemembered = 10_000;

interface Waiting {
  claim: Claim;
  begin(): void;
}

/**
 * The transactions of this process with other servers. One that takes long leaves its slot to another, so servers that answer
 * slowly, on purpose or not, hold up each other alone. Of those that wait, the next is of the account, and then to the
 * destination, that has the fewest under way.
 */
export class TransactionSlots {
  readonly #limits: SlotLimits;
  /** Destinations whose last transaction took long. */
  readonly #slowOnes = new Set<string>();
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<string, number>();
  #quick = 0;
  #slow = 0;

  constructor(limits: Partial<SlotLimits> = {}) {
    this.#limits = { ...usual, ...limits };
  }

  /** Whether the last transaction with the destination took long. */
  isSlow(destination: string): boolean {
    return this.#slowOnes.has(destination);
  }

  async run<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
    let leave: () => void;
    if (this.#mayBegin(claim)) leave = this.#take(claim);
    else {
      leave = await new Promise((resolve) => {
        this.#waiting.push({ claim, begin: () => resolve(this.#take(claim)) });
      });
    }
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Whether its message would not be one large message too many at present. */
  hasMemoryFor({ destination, isLarge }: Claim): boolean {
    const { large } = this.#limits;
    const of = (isSlow: boolean) => this.#count(largeOf(isSlow));
    return !isLarge || (of(this.isSlow(destination)) < large && of(true) + of(false) < 3 * large);
  }

  #mayBegin(claim: Claim): boolean {
    const { destination, network } = claim;
    const { quick, slow, ofNetwork } = this.#limits;
    if (network !== undefined && this.#count(network) >= ofNetwork) return false;
    if (!this.hasMemoryFor(claim)) return false;
    const isSlow = this.isSlow(destination);
    return isSlow ? this.#slow < slow : this.#quick < quick;
  }

  /** Returns what gives the slot back. */
  #take(claim: Claim): () => void {
    const { destination } = claim;
    let isSlow = this.isSlow(destination);
    if (isSlow) this.#slow++;
    else this.#quick++;
    for (const name of namesOf(claim)) this.#add(name);
    if (claim.isLarge) this.#add(largeOf(isSlow));
    const begun = performance.now();
    const timer = setTimeout(() => {
      this.#noteSlow(destination);
      if (isSlow) return;
      isSlow = true;
      this.#quick--;
      this.#slow++;
      if (claim.isLarge) {
        this.#drop(largeOf(false));
        this.#add(largeOf(true));
      }
      this.#next();
    }, this.#limits.slowAfterMs).unref();
    return () => {
      clearTimeout(timer);
      if (performance.now() - begun < this.#limits.slowAfterMs) this.#slowOnes.delete(destination);
      if (isSlow) this.#slow--;
      else this.#quick--;
      for (const name of namesOf(claim)) this.#drop(name);
      if (claim.isLarge) this.#drop(largeOf(isSlow));
      this.#next();
    };
  }

  #add(name: string): void {
    this.#running.set(name, this.#count(name) + 1);
  }

  #drop(name: string): void {
    const left = this.#count(name) - 1;
    if (left > 0) this.#running.set(name, left);
    else this.#running.delete(name);
  }

  #noteSlow(destination: string): void {
    if (this.#slowOnes.size >= maxRemembered) this.#slowOnes.delete(this.#slowOnes.values().next().value!);
    this.#slowOnes.add(destination);
  }

  /** Begins those that may. */
  #next(): void {
    for (;;) {
      const rank = ({ claim }: Waiting) => this.#count(accountOf(claim)) * 1_000 + this.#count(destinationOf(claim));
      let next: Waiting | undefined;
      for (const one of this.#waiting) {
        if (this.#mayBegin(one.claim) && (!next || rank(one) < rank(next))) next = one;
      }
      if (!next) return;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      next.begin();
    }
  }

  #count(name: string): number {
    return this.#running.get(name) ?? 0;
  }
}

const accountOf = ({ account }: Claim) => `account ${account}`;
const largeOf = (isSlow: boolean) => (isSlow ? "large and slow" : "large and quick");
const destinationOf = ({ destination }: Claim) => `to ${destination}`;
/** What counts under way are kept for. */
const namesOf = (claim: Claim) => [accountOf(claim), destinationOf(claim), ...(claim.network ? [claim.network] : [])];
