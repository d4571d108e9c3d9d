/** Some of the mails that arrive in one stretch of time. `lateBy`: how long before that they were first offered. */
export type Part<T> = { count: number; lateBy: number; tag: T };

/** Mails that were served: of these the first waited `first` seconds, the last one `last`. */
export type Served<T> = Part<T> & { first: number; last: number; at: number };

type Cohort<T> = { count: number; from: number; to: number; parts: Part<T>[] };

/** First come, first served. Mails are counted one by one, but come in cohorts: evenly from one time to another. */
export class Line<T> {
  waiting = 0;
  #cohorts: Cohort<T>[] = [];
  /** The part of a mail's service that was done at the end of the last stretch. */
  #begun = 0;

  /** Parts that come in the same stretch of time come mixed. */
  join(from: number, to: number, part: Part<T>): void {
    if (part.count === 0) return;
    this.waiting += part.count;
    const last = this.#cohorts.at(-1);
    if (last?.from === from && last.to === to) {
      last.count += part.count;
      last.parts.push(part);
    } else this.#cohorts.push({ count: part.count, from, to, parts: [part] });
  }

  /** Serves at most `perSecond` mails a second between two times; all that waits must have arrived by `to`. */
  serve(from: number, to: number, perSecond: number, served: (some: Served<T>) => void): void {
    const capacity = perSecond * (to - from) + this.#begun;
    let room = Math.floor(capacity);
    let place = 0;
    let done = 0;
    for (; room > 0 && done < this.#cohorts.length; done++) {
      const cohort = this.#cohorts[done]!;
      const count = Math.min(cohort.count, room);
      const arrivedBy = cohort.from + ((cohort.to - cohort.from) * count) / cohort.count;
      const first = Math.max(0, from + place / perSecond - cohort.from);
      place += count;
      const servedBy = from + place / perSecond;
      const last = Math.max(0, servedBy - arrivedBy);
      const at = Math.min(to, Math.max(arrivedBy, servedBy));
      for (const part of take(cohort, count)) served({ ...part, first, last, at });
      room -= count;
      this.waiting -= count;
      cohort.from = arrivedBy;
      if (cohort.count > 0) break;
    }
    this.#cohorts.splice(0, done);
    // An idle node keeps no time for later.
    this.#begun = this.waiting > 0 ? Math.min(1, capacity - place) : 0;
  }
}

/** Takes mails out of a cohort, part by part. */
function take<T>(cohort: Cohort<T>, count: number): Part<T>[] {
  cohort.count -= count;
  if (cohort.count === 0) return cohort.parts;
  const taken: Part<T>[] = [];
  for (let left = count; left > 0; ) {
    const part = cohort.parts[0]!;
    const some = Math.min(left, part.count);
    taken.push({ ...part, count: some });
    left -= some;
    part.count -= some;
    if (part.count === 0) cohort.parts.shift();
  }
  return taken;
}
