import { MethodError } from "../errors.ts";
import { type Method, type ReadCall, readMethod } from "../method.ts";
import { id, idOrReference, list, merge, nullable, object, optional, text } from "../schema.ts";
import { dereference, fromWire } from "./ids.ts";
import type { DataType, JmapObject } from "./type.ts";

const getArgs = object({
  accountId: id,
  ids: optional(nullable(list(idOrReference))),
  properties: optional(nullable(list(text))),
});

/** RFC 8620 §5.1 */
export function getMethod<C, S>(type: DataType<C, S>): Method {
  const defaults = new Set(Object.keys(type.properties).filter((name) => !type.properties[name]!.onRequest));
  return readMethod({
    name: `${type.name}/get`,
    capability: type.capability,
    args: merge(getArgs, type.getArgs),
    async run(args, call) {
      const properties = args.properties ? requested(type, args.properties) : defaults;
      const { list, notFound } = await fetchIds(type, args.ids ?? null, properties, args, call);
      const state = await call.reader.state(type.name);
      return { response: { accountId: args.accountId, state, list, notFound } };
    },
  });
}

function requested<C, S>(type: DataType<C, S>, names: string[]): Set<string> {
  for (const name of names) {
    if (name === "id" || Object.hasOwn(type.properties, name) || type.dynamicProperty?.(name)) continue;
    throw new MethodError("invalidArguments", `${type.name} has no property "${name}"`, { arguments: ["properties"] });
  }
  return new Set(names);
}

async function fetchIds<C, S>(
  type: DataType<C, S>,
  ids: string[] | null,
  properties: ReadonlySet<string>,
  args: JmapObject,
  call: ReadCall,
) {
  const limit = call.services.limits.maxObjectsInGet;
  const want = { properties, limit: limit + 1, args };
  const show = type.fetchesExactly ? (object: JmapObject) => object : (object: JmapObject) => pick(object, properties);
  if (!ids) {
    const found = await type.fetch(null, want, call);
    if (found.length > limit) throw new MethodError("requestTooLarge", `there are more than ${limit}`);
    return { list: found.map(show), notFound: [] };
  }
  // Wire id → as the client wrote it, which may be "#" and a creation id.
  const asked = new Map(ids.map((text) => [dereference(text, call.createdId) ?? text, text]));
  if (asked.size > limit) throw new MethodError("requestTooLarge", `at most ${limit} ids`);
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
