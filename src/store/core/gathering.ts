/** Batches the jobs of each account: jobs that arrive while others are running are started together afterwards. */
export class Gathering<Job> {
  readonly #waiting = new Map<number, Job[]>();
  readonly #work: (accountId: number, waiting: Job[]) => Promise<void>;

  /** `work` removes the jobs that it does from the front of `waiting`, and never throws. */
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
