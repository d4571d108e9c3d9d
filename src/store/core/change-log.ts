import { sql } from "kysely";
import { Kind, type TypeName, typeCodes } from "./change.ts";
import { type Row, read } from "./declare.ts";
import { decodeState, encodeState, type State } from "./state.ts";
import type { Reader } from "./store.ts";

type ChangeRow = Row<"change", "modseq" | "id" | "kind">;
type OfType = { accountId: number; type: number };
const after = read("changes.after", (db, $: OfType & { modseq: number; id: number; max: number }) =>
  db
    .selectFrom("change")
    .select(["modseq", "id", "kind"])
    .where("userId", "=", $.accountId)
    .where("type", "=", $.type)
    .where((eb) => eb(eb.refTuple("modseq", "id"), ">", eb.tuple($.modseq, $.id)))
    .orderBy("modseq")
    .orderBy("id")
    .limit($.max),
);
const objectsSince = read("changes.objectsSince", (db, $: OfType & { modseq: number; max: number }) =>
  db
    .selectFrom("change")
    .select(["id", sql<number>`bit_or(kind)::integer`.as("kind"), (eb) => eb.fn.max("threadId").as("threadId")])
    .where("userId", "=", $.accountId)
    .where("type", "=", $.type)
    .where("modseq", ">", $.modseq)
    .groupBy("id")
    .limit($.max),
);

/** Sorts after every id of a modseq. */
const afterAll = Number.MAX_SAFE_INTEGER;

/** Decodes a client's state if the changes since it are known: same epoch, not pruned, not in the future. */
export async function knownState(reader: Reader, type: TypeName, text: string): Promise<State | undefined> {
  const state = decodeState(text);
  const standing = await reader.standing();
  if (!state || state.epoch !== standing.epoch || state.modseq > standing.modseq) return undefined;
  const isCurrent = state.id === undefined && state.modseq === standing.newest[type];
  // A state within the pruned modseq is not enough: the rest of that modseq is pruned too.
  const isKept = state.modseq > standing.prunedModseq || (state.modseq === standing.prunedModseq && !state.id);
  return isCurrent || isKept ? state : undefined;
}

export interface ChangePage {
  created: number[];
  updated: number[];
  destroyed: number[];
  newState: string;
  hasMoreChanges: boolean;
  /** Whether only the counts changed on everything in `updated`. */
  onlyCounts: boolean;
}

/** The changes after `since` to at most `max` objects, oldest first, coalesced within the page. */
export async function readChanges(reader: Reader, type: TypeName, since: State, max: number): Promise<ChangePage> {
  const { epoch, newest } = await reader.standing();
  const page = new Page(max);
  let last: ChangeRow = { modseq: since.modseq, id: since.id ?? afterAll, kind: 0 };
  let upcoming: ChangeRow | undefined;
  const isBehind = () => last.modseq < newest[type] || (last.modseq === newest[type] && last.id !== afterAll);
  while (!upcoming && isBehind()) {
    const size = Math.min(max, 2000) + 1;
    const { accountId } = reader;
    const { modseq, id } = last;
    const rows = await reader.run(after, { accountId, type: typeCodes[type], modseq, id, max: size });
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

/** Coalesces what happened to each object, in the order of first change. */
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
  /** Everything that happened to it, as `Kind` bits. */
  kind: number;
  threadId: number | null;
}

/** The objects changed since, each once; undefined when there are more than `max`. */
export async function changedSince(
  reader: Reader,
  type: TypeName,
  modseq: number,
  max: number,
): Promise<ChangedObject[] | undefined> {
  const { accountId } = reader;
  const rows = await reader.run(objectsSince, { accountId, type: typeCodes[type], modseq, max: max + 1 });
  return rows.length > max ? undefined : rows;
}
