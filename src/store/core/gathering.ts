/** Jobs of accounts. What comes for an account while some of its jobs are under way waits, and then goes together. */
export class Gathering<Job> {
  readonly #waiting = new Map<number, Job[]>();
  readonly #work: (accountId: number, waiting: Job[]) => Promise<void>;

  /** `work` takes what it does off the front of `waiting`, and never throws. */
  constructor(work: (accountId: number, waiting: Job[]) => Promise<void>) {
    this.#work = work;
  }

  add(accountId: number, job: Job): void {
    const waiting = this.#waiting.get(accountId);
    if (waiting) waiting.push(job);
    else void this.#drain(accountId, job);
  }

  async #drain(accountId: number, first: Job): Promise<void> {
    const waiting = [first];
    this.#waiting.set(accountId, waiting);
    while (waiting.length > 0) await this.#work(accountId, waiting);
    this.#waiting.delete(accountId);
  }
}
