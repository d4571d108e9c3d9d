import { MethodError } from "../errors.ts";
import type { Call } from "../method.ts";
import { bool, checker, describe, merge, object, oneOf, openObject, optional, text } from "../schema.ts";
import type { FilterNode, JmapObject, QueryHooks, SortKey, SortProperty } from "./type.ts";

const maxNodes = 100;
const maxDepth = 10;

/** Collations of RFC 4790 that string sorts accept; the first is the default. */
export const collations = ["i;unicode-casemap", "i;ascii-casemap", "i;ascii-numeric"];

const isOperator = checker(object({ operator: oneOf("AND", "OR", "NOT"), conditions: openList() }));

function openList() {
  return { json: { type: "array", items: { type: "object" } } };
}

/** RFC 8620 §5.5: checks the filter against the type's table. Undefined for no filter. */
export function parseFilter<C, S>(hooks: QueryHooks<C, S>, filter: JmapObject | null | undefined, call: Call) {
  if (!filter) return undefined;
  let nodes = 0;
  const count = (depth: number) => {
    if (++nodes > maxNodes) throw new MethodError("unsupportedFilter", `more than ${maxNodes} conditions`);
    if (depth > maxDepth) throw new MethodError("unsupportedFilter", `more than ${maxDepth} levels deep`);
  };
  const walk = (node: JmapObject, depth: number): FilterNode<C> => {
    count(depth);
    if (Object.hasOwn(node, "operator")) {
      const problem = isOperator(node);
      if (problem) throw new MethodError("invalidArguments", `filter: ${describe(problem)}`);
      const { operator, conditions } = node as { operator: "AND" | "OR" | "NOT"; conditions: JmapObject[] };
      return { operator, conditions: conditions.map((condition) => walk(condition, depth + 1)) };
    }
    const criteria = Object.entries(node).map(([name, value]) => criterion(hooks, name, value, call));
    for (let more = 1; more < criteria.length; more++) count(depth);
    return criteria.length === 1 ? criteria[0]! : { operator: "AND", conditions: criteria };
  };
  return walk(filter, 1);
}

function criterion<C, S>(hooks: QueryHooks<C, S>, name: string, value: unknown, call: Call): FilterNode<C> {
  const property = Object.hasOwn(hooks.filters, name) ? hooks.filters[name] : undefined;
  if (!property) throw new MethodError("unsupportedFilter", `no filter "${name}"`);
  const problem = checker(property.schema)(value);
  if (problem) throw new MethodError("invalidArguments", `filter ${name}: ${describe(problem)}`);
  return { criterion: property.criterion(value as never, call) };
}

/** The members of every comparator; it may have more. */
const comparator = openObject({ property: text, isAscending: optional(bool), collation: optional(text) });
const sortChecks = new WeakMap<object, ReturnType<typeof checker>>();

/** RFC 8620 §5.5: checks the comparators against the type's table, and ignores unknown properties. */
export function parseSort<C, S>(hooks: QueryHooks<C, S>, sort: JmapObject[] | null | undefined): SortKey<S>[] {
  return (sort ?? []).map((item) => {
    const malformed = checker(comparator)(item);
    if (malformed) throw new MethodError("invalidArguments", `sort: ${describe(malformed)}`);
    const name = item.property as string;
    const property = Object.hasOwn(hooks.sorts, name) ? hooks.sorts[name] : undefined;
    if (!property) throw new MethodError("unsupportedSort", `no sort by "${name}"`);
    const problem = sortCheck(property)(item);
    if (problem) throw new MethodError("invalidArguments", `sort by ${name}: ${describe(problem)}`);
    const collation = item.collation as string | undefined;
    if (collation !== undefined && !(property.collations ?? collations).includes(collation)) {
      throw new MethodError("unsupportedSort", `no collation "${collation}"`);
    }
    return { by: property.by(item), ascending: item.isAscending !== false, collation };
  });
}

function sortCheck<S>(property: SortProperty<S>): ReturnType<typeof checker> {
  let check = sortChecks.get(property);
  if (!check) {
    check = checker(merge(comparator, property.args));
    sortChecks.set(property, check);
  }
  return check;
}
