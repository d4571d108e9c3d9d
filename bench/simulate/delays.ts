const perDecade = 40;
const smallest = 0.001;
const steps = 9 * perDecade;

/** Counts delays in steps of 6% from a millisecond on, so that quantiles of any number of them cost the same. */
export class Delays {
  count = 0;
  longest = 0;
  readonly #counts = new Float64Array(steps + 1);

  add(seconds: number, count: number): void {
    const step = Math.ceil(Math.log10(Math.max(seconds, smallest) / smallest) * perDecade);
    const at = Math.min(steps, step);
    this.#counts[at] = (this.#counts[at] ?? 0) + count;
    this.count += count;
    if (seconds > this.longest) this.longest = seconds;
  }

  /** The delay in seconds that this part of all did not exceed, to within a step; NaN of none. */
  quantile(part: number): number {
    let left = part * this.count;
    for (const [step, count] of this.#counts.entries()) {
      left -= count;
      if (count > 0 && left <= 0) return Math.min(this.longest, smallest * 10 ** (step / perDecade));
    }
    return this.count > 0 ? this.longest : Number.NaN;
  }

  /** How many took longer than this. */
  over(seconds: number): number {
    const from = Math.ceil(Math.log10(seconds / smallest) * perDecade) + 1;
    return this.#counts.subarray(Math.max(0, from)).reduce((sum, count) => sum + count, 0);
  }
}
