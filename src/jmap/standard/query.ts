import { knownState } from "../../store/core/change-log.ts";
import { MethodError } from "../errors.ts";
import { type Call, type Method, type ReadCall, readMethod } from "../method.ts";
import * as schema from "../schema.ts";
import { parseFilter, parseSort } from "./filter.ts";
import { dereference, fromWire, toWire } from "./ids.ts";
import type { DataType, JmapObject, Query, QueryHooks, Window } from "./type.ts";

const { bool, id, idOrReference, int, list, nullable, object, optional, positiveInt, text, unsignedInt } = schema;
const anyObject = schema.openObject({});

const shared = {
  accountId: id,
  filter: optional(nullable(anyObject)),
  sort: optional(nullable(list(anyObject))),
  calculateTotal: optional(bool),
};
const queryArgs = object({
  ...shared,
  position: optional(int),
  anchor: optional(nullable(idOrReference)),
  anchorOffset: optional(int),
  limit: optional(nullable(unsignedInt)),
});
const queryChangesArgs = object({
  ...shared,
  sinceQueryState: text,
  maxChanges: optional(nullable(positiveInt)),
  upToId: optional(nullable(id)),
});

type Queryable<C, S> = DataType<C, S> & { query: QueryHooks<C, S> };

/** RFC 8620 §5.5 */
export function queryMethod<C, S>(type: Queryable<C, S>): Method {
  return readMethod({
    name: `${type.name}/query`,
    capability: type.capability,
    args: schema.merge(queryArgs, type.query.args),
    async run(args, call) {
      const query = parseQuery(type.query, args, call);
      const max = call.services.limits.maxObjectsInQuery;
      const limit = Math.min(args.limit ?? max, max);
      const window = parseWindow(type, args, limit, call);
      const asked = [queryState(type, query, call), type.query.query(query, window, call.reader, call)] as const;
      const [state, page] = await Promise.all(asked);
      if (page === "anchorNotFound") throw new MethodError("anchorNotFound");
      return {
        response: {
          accountId: args.accountId,
          queryState: state,
          canCalculateChanges: type.query.canCalculateChanges(query),
          position: page.position,
          ids: page.ids.map((number) => toWire(type, number)),
          ...(query.calculateTotal && { total: page.total }),
          ...(args.limit !== limit && { limit }),
        },
      };
    },
  });
}

/** RFC 8620 §5.6 */
export function queryChangesMethod<C, S>(type: Queryable<C, S>): Method {
  return readMethod({
    name: `${type.name}/queryChanges`,
    capability: type.capability,
    args: schema.merge(queryChangesArgs, type.query.args),
    async run(args, call) {
      const query = parseQuery(type.query, args, call);
      const since = await knownState(call.reader, type.name, args.sinceQueryState);
      if (!since || since.id !== undefined || !type.query.canCalculateChanges(query)) {
        throw new MethodError("cannotCalculateChanges");
      }
      const upToId = args.upToId ? fromWire(type, args.upToId) : undefined;
      const maxChanges = args.maxChanges ?? undefined;
      const result = await type.query.queryChanges(query, { since, upToId, maxChanges }, call.reader, call);
      if (typeof result === "string") throw new MethodError(result);
      const { removed, added, total } = result;
      if (maxChanges !== undefined && removed.length + added.length > maxChanges)
        throw new MethodError("tooManyChanges");
      return {
        response: {
          accountId: args.accountId,
          oldQueryState: args.sinceQueryState,
          newQueryState: await queryState(type, query, call),
          ...(query.calculateTotal && { total }),
          removed: removed.map((number) => toWire(type, number)),
          added: added.map(({ id: number, index }) => ({ id: toWire(type, number), index })),
        },
      };
    },
  });
}

function queryState<C, S>(type: Queryable<C, S>, query: Query<C, S>, { reader }: ReadCall): Promise<string> {
  return type.query.state?.(query, reader) ?? reader.state(type.name);
}

interface QueryArguments {
  filter?: JmapObject | null | undefined;
  sort?: JmapObject[] | null | undefined;
  calculateTotal?: boolean | undefined;
}

function parseQuery<C, S>(hooks: QueryHooks<C, S>, args: QueryArguments, call: Call): Query<C, S> {
  return {
    filter: parseFilter(hooks, args.filter, call),
    sort: parseSort(hooks, args.sort),
    args: args as JmapObject,
    calculateTotal: args.calculateTotal === true,
  };
}

interface WindowArguments {
  position?: number | undefined;
  anchor?: string | null | undefined;
  anchorOffset?: number | undefined;
}

function parseWindow<C, S>(type: DataType<C, S>, args: WindowArguments, limit: number, call: Call): Window {
  if (args.anchor === undefined || args.anchor === null) return { position: args.position ?? 0, limit };
  const wireId = dereference(args.anchor, call.createdId);
  const anchor = wireId === undefined ? undefined : fromWire(type, wireId);
  if (anchor === undefined) throw new MethodError("anchorNotFound");
  return { anchor, anchorOffset: args.anchorOffset ?? 0, limit };
}
