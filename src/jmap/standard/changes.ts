import { knownState, readChanges } from "../../store/core/change-log.ts";
import { MethodError } from "../errors.ts";
import { type Method, readMethod } from "../method.ts";
import { id, nullable, object, optional, positiveInt, text } from "../schema.ts";
import { toWire } from "./ids.ts";
import type { DataType } from "./type.ts";

/** The most ids in one response if the client sets no limit. */
const pageSize = 5000;

const changesArgs = object({ accountId: id, sinceState: text, maxChanges: optional(nullable(positiveInt)) });

/** RFC 8620 §5.2 */
export function changesMethod<C, S>(type: DataType<C, S>): Method {
  return readMethod({
    name: `${type.name}/changes`,
    capability: type.capability,
    args: changesArgs,
    async run({ accountId, sinceState, maxChanges }, call) {
      type.mayRead?.(call);
      const { reader } = call;
      const since = await knownState(reader, type.name, sinceState);
      if (!since) throw new MethodError("cannotCalculateChanges");
      const page = await readChanges(reader, type.name, since, Math.min(maxChanges ?? pageSize, pageSize));
      const wire = (ids: number[]) => ids.map((id) => toWire(type, id));
      return {
        response: {
          accountId,
          oldState: sinceState,
          newState: page.newState,
          hasMoreChanges: page.hasMoreChanges,
          created: wire(page.created),
          updated: wire(page.updated),
          destroyed: wire(page.destroyed),
          ...(type.countProperties && { updatedProperties: page.onlyCounts ? type.countProperties : null }),
        },
      };
    },
  });
}
