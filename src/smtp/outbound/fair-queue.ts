/** Who waits, and for what: a person's mail goes before bulk mail, and accounts take turns. */
export interface Place {
  account: number;
  isBulk: boolean;
}

/** Of so many turns, one is for bulk mail even while others wait. */
const bulkEvery = 8;

/** Work that waits for turns. The next is from the account that has waited longest since its last turn. */
export class FairQueue<Work> {
  readonly #personal = new Map<number, Work[]>();
  readonly #bulk = new Map<number, Work[]>();
  #size = 0;
  #sinceBulk = 0;

  get size(): number {
    return this.#size;
  }

  add({ account, isBulk }: Place, work: Work): void {
    const lane = isBulk ? this.#bulk : this.#personal;
    const waiting = lane.get(account);
    if (waiting) waiting.push(work);
    else lane.set(account, [work]);
    this.#size++;
  }

  next(): Work | undefined {
    const isBulk = this.#bulk.size > 0 && (this.#personal.size === 0 || this.#sinceBulk >= bulkEvery - 1);
    const lane = isBulk ? this.#bulk : this.#personal;
    const [first] = lane;
    if (!first) return undefined;
    this.#sinceBulk = isBulk || this.#bulk.size === 0 ? 0 : this.#sinceBulk + 1;
    const [account, waiting] = first;
    const work = waiting.shift();
    this.#size--;
    // Behind the others.
    lane.delete(account);
    if (waiting.length > 0) lane.set(account, waiting);
    return work;
  }
}
