import { MethodError } from "../errors.ts";
import { type Call, type Method, readMethod } from "../method.ts";
import { id, idOrReference, list, merge, nullable, object, optional, type Static, text } from "../schema.ts";
import { dereference, fromWire } from "./ids.ts";
import type { DataType, JmapObject, RecordType } from "./type.ts";

export const getRecordArgs = object({
  ids: optional(nullable(list(idOrReference))),
  properties: optional(nullable(list(text))),
});
const getArgs = merge(object({ accountId: id }), getRecordArgs);

/** RFC 8620 §5.1 */
export function getMethod<C, S>(type: DataType<C, S>): Method {
  return readMethod({
    name: `${type.name}/get`,
    capability: type.capability,
    args: merge(getArgs, type.getArgs),
    stateFirst: true,
    async run(args, call) {
      // Both run at once. Changes after this state that the list already shows, /changes reports once more.
      const asked = [call.reader.state(type.name), getRecords(type, args, call)] as const;
      const [state, { list, notFound }] = await Promise.all(asked);
      return { response: { accountId: args.accountId, state, list, notFound } };
    },
  });
}

/** The properties of the response: those asked for, or all that are returned by default. */
function requested(
  type: RecordType<never> & { name: string },
  names: string[] | null | undefined,
  using: ReadonlySet<string>,
): Set<string> {
  const { properties } = type;
  if (!names) return new Set(Object.keys(properties).filter((name) => !properties[name]!.onRequest));
  const exists = (name: string) => {
    if (!Object.hasOwn(properties, name)) return false;
    const { capability } = properties[name]!;
    return capability === undefined || using.has(capability);
  };
  for (const name of names) {
    if (name === "id" || exists(name) || type.dynamicProperty?.(name)) continue;
    throw new MethodError("invalidArguments", `${type.name} has no property "${name}"`, { arguments: ["properties"] });
  }
  return new Set(names);
}

/** The objects of a /get, and the ids that name nothing. */
export async function getRecords<K extends Call>(
  type: RecordType<K> & { name: string },
  args: Static<typeof getRecordArgs>,
  call: K,
): Promise<{ list: JmapObject[]; notFound: string[] }> {
  const properties = requested(type, args.properties, call.using);
  const ids = args.ids ?? null;
  const limit = call.services.limits.maxObjectsInGet;
  const max = ids ? limit : Math.max(limit, type.maxObjects ?? 0);
  const want = { properties, limit: max + 1, args };
  const show = type.fetchesExactly ? (object: JmapObject) => object : (object: JmapObject) => pick(object, properties);
  if (!ids) {
    const found = await type.fetch(null, want, call);
    if (found.length > max) throw new MethodError("requestTooLarge", `there are more than ${max}`);
    return { list: found.map(show), notFound: [] };
  }
  if (ids.length > limit) throw new MethodError("requestTooLarge", `at most ${limit} ids`);
  // Id → the client's text for it, which may be "#" and a creation id.
  const asked = new Map(ids.map((text) => [dereference(text, call.createdId) ?? text, text]));
  const numbers = [...asked.keys()].map((wireId) => fromWire(type, wireId)).filter((number) => number !== undefined);
  const found = numbers.length > 0 ? await type.fetch(numbers, want, call) : [];
  const byId = new Map(found.map((object) => [object.id as string, object]));
  const list: JmapObject[] = [];
  const notFound: string[] = [];
  for (const [wireId, text] of asked) {
    const object = byId.get(wireId);
    if (object) list.push(show(object));
    else notFound.push(text);
  }
  return { list, notFound };
}

function pick(object: JmapObject, properties: ReadonlySet<string>): JmapObject {
  const picked: JmapObject = { id: object.id };
  for (const name of properties) if (object[name] !== undefined) picked[name] = object[name];
  return picked;
}
