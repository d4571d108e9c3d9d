import type { Id } from "../jmap/types.ts";

interface Changes {
  removed: readonly Id[];
  /** By rising index. */
  added: readonly { id: Id; index: number }[];
  total: number;
}

/** The ids of a long query result by position, with gaps where nobody looked, and without rows that are hidden for now. */
export class Positions {
  #ids: (Id | null)[] = [];
  readonly #hidden = new Set<Id>();
  /** Rising. */
  #hiddenAt: number[] = [];

  /** Without hidden rows. */
  get length(): number {
    return this.#ids.length - this.#hiddenAt.length;
  }

  /** As the server counts. */
  get total(): number {
    return this.#ids.length;
  }

  /** The ids at the server's first positions, up to the first gap. */
  beginning(max: number): Id[] {
    const gap = this.#ids.indexOf(null);
    return this.#ids.slice(0, Math.min(max, gap < 0 ? max : gap)) as Id[];
  }

  reset(length: number): void {
    this.#ids = new Array<Id | null>(length).fill(null);
    this.#hidden.clear();
    this.#hiddenAt = [];
  }

  idAt(row: number): Id | undefined {
    return this.#ids[this.toServer(row)] ?? undefined;
  }

  known(): Id[] {
    return this.#ids.filter((id) => id !== null && !this.#hidden.has(id)) as Id[];
  }

  indexOf(id: Id): number {
    const at = this.#ids.indexOf(id);
    if (at < 0 || this.#hidden.has(id)) return -1;
    return at - this.#hiddenAt.filter((hidden) => hidden < at).length;
  }

  hasAll(from: number, to: number): boolean {
    for (let row = from; row < Math.min(to, this.length); row++) if (this.idAt(row) === undefined) return false;
    return true;
  }

  /** The position at the server of a row. */
  toServer(row: number): number {
    let at = row;
    for (const hidden of this.#hiddenAt) {
      if (hidden > at) break;
      at++;
    }
    return at;
  }

  /** Ids at a position of the server's. */
  place(position: number, ids: readonly Id[]): void {
    // One id has one place: another would be from before.
    const before = new Set(ids);
    for (let at = 0; at < this.#ids.length; at++) {
      const id = this.#ids[at]!;
      if (id !== null && before.has(id)) this.#ids[at] = null;
    }
    while (this.#ids.length < position) this.#ids.push(null);
    for (const [at, id] of ids.entries()) this.#ids[position + at] = id;
    this.#findHidden();
  }

  /**
   * RFC 8620 §5.6. Of a removed id that lies in a gap, the place is unknown; whether there is one shows in the total, since the server may
   * name ids that never matched. If there is, what lies beyond the first gap is forgotten, and fetched again when it is looked at.
   */
  apply({ removed, added, total }: Changes): void {
    const gone = new Set(removed);
    const kept = this.#ids.filter((id) => id === null || !gone.has(id));
    const unknown = kept.length + added.length - total;
    if (unknown !== 0) {
      const gap = kept.indexOf(null);
      if (gap >= 0) kept.fill(null, gap);
    }
    const ids = insertAll(kept, added);
    while (ids.length < total) ids.push(null);
    ids.length = total;
    this.#ids = ids;
    for (const id of removed) this.#hidden.delete(id);
    this.#findHidden();
  }

  /** Hides or shows again the rows that `isTouched` names; returns whether any changed. */
  hide(isTouched: (id: Id) => boolean, isHidden: (id: Id) => boolean): boolean {
    let hasChanged = false;
    for (const id of this.#ids) {
      if (id === null || !isTouched(id)) continue;
      const hides = isHidden(id);
      if (hides === this.#hidden.has(id)) continue;
      hasChanged = true;
      if (hides) this.#hidden.add(id);
      else this.#hidden.delete(id);
    }
    if (hasChanged) this.#findHidden();
    return hasChanged;
  }

  #findHidden(): void {
    this.#hiddenAt = [];
    if (this.#hidden.size === 0) return;
    for (let at = 0; at < this.#ids.length; at++) {
      const id = this.#ids[at]!;
      if (id !== null && this.#hidden.has(id)) this.#hiddenAt.push(at);
    }
  }
}

/** In one pass, whatever their number. */
function insertAll(ids: readonly (Id | null)[], added: Changes["added"]): (Id | null)[] {
  const result: (Id | null)[] = [];
  let from = 0;
  for (const { id, index } of added) {
    const until = from + Math.max(0, index - result.length);
    for (; from < Math.min(until, ids.length); from++) result.push(ids[from]!);
    while (result.length < index) result.push(null);
    result.push(id);
  }
  for (; from < ids.length; from++) result.push(ids[from]!);
  return result;
}
