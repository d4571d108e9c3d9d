import { type Signal, signal } from "@preact/signals";
import type { Id } from "../jmap/types.ts";

/** What is known of the records of a type, each in a signal of its own: a view renders again for those alone that it read. */
export class Records<T extends { id: Id }> {
  readonly #signals = new Map<Id, Signal<T | undefined>>();
  /** Lays over a record what the server has not been told yet. */
  readonly #overlay: (record: T) => T;

  constructor(overlay: (record: T) => T = (record) => record) {
    this.#overlay = overlay;
  }

  /** Made when it is first asked for: its value is undefined until the record comes. */
  get(id: Id): Signal<T | undefined> {
    let one = this.#signals.get(id);
    if (!one) {
      one = signal<T | undefined>(undefined);
      this.#signals.set(id, one);
    }
    return one;
  }

  peek(id: Id): T | undefined {
    return this.#signals.get(id)?.peek();
  }

  has(id: Id): boolean {
    return this.peek(id) !== undefined;
  }

  /** All that are known. */
  all(): T[] {
    return [...this.#signals.values()].flatMap((one) => one.peek() ?? []);
  }

  /** Adds records, or the properties of records, that the server sent. */
  put(records: Iterable<T>): void {
    for (const record of records) {
      const one = this.get(record.id);
      one.value = this.#overlay({ ...one.peek(), ...record });
    }
  }

  /** Changes what is known, before the server is told. */
  edit(id: Id, change: (record: T) => T): void {
    const one = this.#signals.get(id);
    const record = one?.peek();
    if (one && record) one.value = change(record);
  }

  drop(ids: Iterable<Id>): void {
    for (const id of ids) this.get(id).value = undefined;
  }
}
