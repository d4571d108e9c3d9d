import { Refused } from "../../admin/refused.ts";
import { capabilities } from "../capability-names.ts";
import { MethodError, SetError } from "../errors.ts";
import { type Method, plainMethod } from "../method.ts";
import * as schema from "../schema.ts";
import { acting, type Means } from "./means.ts";
import { type Given, type OperatorType, type Sweep, said } from "./records.ts";

const { bool, nullable, object, optional, positiveInt, text } = schema;

/**
 * Ours (docs/jmap.md): an act on all that a filter matches, in so many calls as there are pages: each ends soon, and its `next` is the
 * `after` of the following one. What a call has done stays done if no other follows.
 */
export function sweepOf({ name, query, sweep }: OperatorType, means: Means): Method[] {
  if (!query || !sweep) return [];
  return [sweepMethod(`${name}/${sweep.name}`, { query, sweep }, means)];
}

type Parts = { query: NonNullable<OperatorType["query"]>; sweep: Sweep };

function sweepMethod(name: string, { query, sweep }: Parts, means: Means): Method {
  return plainMethod({
    name,
    capability: capabilities.operator,
    args: object({
      filter: optional(nullable(query.filter)),
      after: optional(nullable(text)),
      isDryRun: optional(bool),
      /** It ends when so many are changed. */
      most: optional(positiveInt),
      ...sweep.args,
    }),
    async run({ filter, after, isDryRun = false, most = Infinity, ...args }, call) {
      const operator = acting(call, means);
      operator.scope.mayChange();
      if (call.services.store.database.isReadOnly) throw new MethodError("forbidden", "this server only reads");
      const page = { after: after ?? undefined, limit: sweep.limit };
      const given = { filter: (filter ?? {}) as never, args: args as never, isDryRun, most };
      const { ids, next } = await said(() => query.run(given.filter, page, operator));
      const { changed, left } = await said(() => sweep.run(ids, given, operator));
      return { response: { changed, left, next: next ?? null } };
    },
  });
}

/** One by one, each with its row of the audit. What an operator may not change, or what somebody else has just changed, is left. */
export async function each(
  ids: readonly string[],
  { isDryRun, most }: Pick<Given, "isDryRun" | "most">,
  { may, act }: { may(id: string): Promise<unknown>; act(id: string): Promise<void> },
): Promise<{ changed: number; left: number }> {
  let changed = 0;
  let left = 0;
  for (const id of ids) {
    if (changed === most) break;
    try {
      await may(id);
      if (!isDryRun) await act(id);
      changed++;
    } catch (error) {
      if (!(error instanceof SetError || error instanceof Refused)) throw error;
      left++;
    }
  }
  return { changed, left };
}
