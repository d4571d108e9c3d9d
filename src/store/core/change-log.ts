import { Kind, type TypeName, typeCodes } from "./change.ts";
import { statement } from "./sql.ts";
import { decodeState, encodeState, type State } from "./state.ts";
import type { Reader } from "./store.ts";

interface ChangeRow {
  modseq: number;
  id: number;
  kind: number;
}
const selectAfter = statement<ChangeRow>(`
  SELECT modseq, id, kind FROM change
  WHERE user_id = $1 AND type = $2 AND (modseq, id) > ($3, $4) ORDER BY modseq, id LIMIT $5`);

const selectChanged = statement<ChangedObject>(`
  SELECT id, bit_or(kind)::integer AS kind, max(thread_id) AS "threadId" FROM change
  WHERE user_id = $1 AND type = $2 AND modseq > $3 GROUP BY id LIMIT $4`);

/** Behind every id of a modseq. */
const afterAll = Number.MAX_SAFE_INTEGER;

/** The state a client stands at, if the changes since can be told: of this epoch, not pruned, not from the future. */
export async function knownState(reader: Reader, type: TypeName, text: string): Promise<State | undefined> {
  const state = decodeState(text);
  const standing = await reader.standing();
  if (!state || state.epoch !== standing.epoch || state.modseq > standing.modseq) return undefined;
  const isCurrent = state.id === undefined && state.modseq === standing.newest[type];
  // Inside a modseq that may be gone, what follows may be gone too.
  const isKept = state.modseq > standing.prunedModseq || (state.modseq === standing.prunedModseq && !state.id);
  return isCurrent || isKept ? state : undefined;
}

export interface ChangePage {
  created: number[];
  updated: number[];
  destroyed: number[];
  newState: string;
  hasMoreChanges: boolean;
  /** Nothing but counts moved on all in `updated`. */
  onlyCounts: boolean;
}

/** The changes after `since`, oldest first and coalesced inside the page, of at most `max` objects. */
export async function readChanges(reader: Reader, type: TypeName, since: State, max: number): Promise<ChangePage> {
  const { epoch, newest } = await reader.standing();
  const page = new Page(max);
  let last: ChangeRow = { modseq: since.modseq, id: since.id ?? afterAll, kind: 0 };
  let upcoming: ChangeRow | undefined;
  const isBehind = () => last.modseq < newest[type] || (last.modseq === newest[type] && last.id !== afterAll);
  while (!upcoming && isBehind()) {
    const size = Math.min(max, 2000) + 1;
    const rows = await reader.run(selectAfter, [reader.accountId, typeCodes[type], last.modseq, last.id, size]);
    for (const row of rows) {
      if (!page.take(row)) {
        upcoming = row;
        break;
      }
      last = row;
    }
    if (rows.length < size) break;
  }
  const midway: State = { epoch, modseq: last.modseq };
  if (upcoming?.modseq === last.modseq && last.id !== afterAll) midway.id = last.id;
  const newState = encodeState(upcoming ? midway : { epoch, modseq: newest[type] });
  return { ...page.lists(), newState, hasMoreChanges: upcoming !== undefined };
}

/** What happened to each object, in the order first seen. */
class Page {
  readonly #objects = new Map<number, { isNew: boolean; kind: number }>();
  readonly #max: number;
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** False when the page is full. */
  take({ id, kind }: ChangeRow): boolean {
    const known = this.#objects.get(id);
    const isNew = known?.isNew ?? (kind & Kind.created) !== 0;
    const isGone = (kind & Kind.destroyed) !== 0;
    const size = this.#size + (isNew && isGone ? 0 : 1) - (known ? 1 : 0);
    if (size > this.#max) return false;
    this.#size = size;
    this.#objects.set(id, { isNew, kind: (known?.kind ?? 0) | kind });
    return true;
  }

  lists() {
    const created: number[] = [];
    const updated: number[] = [];
    const destroyed: number[] = [];
    let kinds = 0;
    for (const [id, { isNew, kind }] of this.#objects) {
      if (kind & Kind.destroyed) {
        if (!isNew) destroyed.push(id);
      } else if (isNew) created.push(id);
      else {
        updated.push(id);
        kinds |= kind;
      }
    }
    return { created, updated, destroyed, onlyCounts: kinds === Kind.counts };
  }
}

export interface ChangedObject {
  id: number;
  /** All that happened to it, see `Kind`. */
  kind: number;
  threadId: number | null;
}

/** Each object changed since, once; undefined when there are more than `max`. */
export async function changedSince(
  reader: Reader,
  type: TypeName,
  modseq: number,
  max: number,
): Promise<ChangedObject[] | undefined> {
  const rows = await reader.run(selectChanged, [reader.accountId, typeCodes[type], modseq, max + 1]);
  return rows.length > max ? undefined : rows;
}
