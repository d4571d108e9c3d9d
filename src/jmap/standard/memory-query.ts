import { Kind, type TypeName } from "../../store/core/change.ts";
import { changedSince } from "../../store/core/change-log.ts";
import type { Reader } from "../../store/core/store.ts";
import type { ReadCall } from "../method.ts";
import type { FilterNode, Query, QueryHooks, QueryPage, SortKey, Window } from "./type.ts";

/** Describes queries of a type with few objects: all are loaded, filtered and sorted in memory. */
export interface InMemory<T extends { id: number }, C, S> {
  type: TypeName;
  load(reader: Reader, call: ReadCall): Promise<T[]>;
  matches(criterion: C, object: T): boolean;
  /** Ascending. */
  compare(key: SortKey<S>, a: T, b: T): number;
  /** Changes the filtered and sorted list as the type's own arguments ask. */
  arrange?(list: T[], all: T[], query: Query<C, S>): T[];
  /** Whether, with these arguments, a change to one object may move others in or out. */
  isEntangled?(query: Query<C, S>): boolean;
}

const maxChanges = 5000;

export function inMemoryQuery<T extends { id: number }, C, S>(
  source: InMemory<T, C, S>,
): Pick<QueryHooks<C, S>, "query" | "canCalculateChanges" | "queryChanges"> {
  return {
    canCalculateChanges: () => true,

    async query(query, window, reader, call) {
      const ids = results(source, query, await source.load(reader, call));
      const page = slice(ids, window);
      return page === "anchorNotFound" || !query.calculateTotal ? page : { ...page, total: ids.length };
    },

    async queryChanges(query, { since }, reader, call) {
      const changes = await changedSince(reader, source.type, since.modseq, maxChanges);
      if (!changes) return "tooManyChanges";
      // No filter or sort uses counts.
      const moved = new Set(changes.filter(({ kind }) => kind !== Kind.counts).map(({ id }) => id));
      const all = moved.size > 0 || query.calculateTotal ? await source.load(reader, call) : [];
      const ids = results(source, query, all);
      if (moved.size > 0 && source.isEntangled?.(query)) for (const { id } of all) moved.add(id);
      const added = ids.flatMap((id, index) => (moved.has(id) ? [{ id, index }] : []));
      return { removed: [...moved], added, ...(query.calculateTotal && { total: ids.length }) };
    },
  };
}

function results<T extends { id: number }, C, S>(source: InMemory<T, C, S>, query: Query<C, S>, all: T[]): number[] {
  const { filter, sort } = query;
  const list = filter
    ? all.filter((object) => admits(filter, (criterion) => source.matches(criterion, object)))
    : [...all];
  list.sort((a, b) => compareBy(source, sort, a, b));
  return (source.arrange?.(list, all, query) ?? list).map(({ id }) => id);
}

/** Orders by the sort keys, then by id. */
export function compareBy<T extends { id: number }, C, S>(
  source: Pick<InMemory<T, C, S>, "compare">,
  sort: SortKey<S>[],
  a: T,
  b: T,
): number {
  for (const key of sort) {
    const order = source.compare(key, a, b);
    if (order !== 0) return key.ascending ? order : -order;
  }
  return a.id - b.id;
}

function admits<C>(node: FilterNode<C>, matches: (criterion: C) => boolean): boolean {
  if ("criterion" in node) return matches(node.criterion);
  if (node.operator === "AND") return node.conditions.every((condition) => admits(condition, matches));
  const any = node.conditions.some((condition) => admits(condition, matches));
  return node.operator === "OR" ? any : !any;
}

/** RFC 8620 §5.5: cuts the window out of a complete list. */
function slice(ids: number[], window: Window): QueryPage | "anchorNotFound" {
  let position: number;
  if ("anchor" in window) {
    const index = ids.indexOf(window.anchor);
    if (index < 0) return "anchorNotFound";
    position = Math.max(0, index + window.anchorOffset);
  } else position = window.position < 0 ? Math.max(0, ids.length + window.position) : window.position;
  return { ids: ids.slice(position, position + window.limit), position };
}
