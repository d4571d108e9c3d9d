type Entry = { at: number; order: number; action: () => void };

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** What will happen in simulated time, in seconds: the earliest first, and of equal times what was planned first. */
export class Agenda {
  now = 0;
  #heap: Entry[] = [];
  #order = 0;

  at(time: number, action: () => void): void {
    const heap = this.#heap;
    const entry = { at: Math.max(time, this.now), order: this.#order++, action };
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = entry;
  }

  /** Runs all that is planned up to and including `until`; what is later stays planned. */
  run(until: number): void {
    while (this.#heap[0] && this.#heap[0].at <= until) {
      const entry = this.#pop();
      this.now = entry.at;
      entry.action();
    }
    this.now = until;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}
