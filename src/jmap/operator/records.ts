import { Refused } from "../../admin/refused.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import { capabilities } from "../capability-names.ts";
import { MethodError, SetError } from "../errors.ts";
import { type Method, plainMethod } from "../method.ts";
import * as schema from "../schema.ts";
import { dereference } from "../standard/ids.ts";
import type { JmapObject } from "../standard/type.ts";
import { type Acting, acting, type Means } from "./means.ts";

const { checker, describe, id, idOrReference, list, map, nullable, object, openObject, optional, text } = schema;

export interface Page {
  /** Undefined for the first page. */
  after: string | undefined;
  limit: number;
}

/** `next` asks for the following page; undefined after the last one. A page may be short, and yet not the last. */
export interface Found {
  ids: string[];
  next: string | undefined;
}

/** A type of the operators' capability. Its objects belong to no account, so its calls have none (RFC 8620 §7.2 has such types too). */
export interface OperatorType {
  name: string;
  /** All but `id`. */
  properties: readonly string[];
  /** Properties that cost more: /get returns them only if they are asked for by name, of at most `maxDetailed` objects. */
  onRequest?: readonly string[];
  /** Objects that are there and in the operator's scope; `wanted`: the properties on request. */
  find(ids: readonly string[], operator: Acting, wanted: ReadonlySet<string>): Promise<JmapObject[]>;
  query?: {
    filter: schema.Schema<object>;
    run(filter: never, page: Page, operator: Acting): Promise<Found>;
  };
  create?: Change & { run(given: never, operator: Acting): Promise<JmapObject & { id: string }> };
  update?: Change & { run(id: string, patch: never, operator: Acting): Promise<JmapObject | null> };
  destroy?: { run(id: string, operator: Acting): Promise<void> };
  /** An act on all that a filter of /query matches. */
  sweep?: Sweep;
}

export interface Sweep {
  /** Of the method, after that of the type. */
  name: string;
  args: Record<string, schema.Schema<unknown>>;
  /** So many objects in one call. */
  limit: number;
  /** Acts on these, or only counts. `left`: what matches, but cannot be changed, or not now. */
  run(ids: readonly string[], given: Given, operator: Acting): Promise<{ changed: number; left: number }>;
}

/** What a sweep is asked for. */
export interface Given {
  filter: never;
  args: never;
  isDryRun: boolean;
  /** No more are changed, and what comes after them is not counted. */
  most: number;
}

interface Change {
  /** Of an object to make, or of what to change. */
  schema: schema.Schema<object>;
}

export const maxPage = 100;
const usualPage = 50;
const maxIds = 200;
export const maxDetailed = 20;
/** Each is a transaction of its own. */
const maxChanges = 200;

const { operator: capability } = capabilities;

/** The methods of a type. */
export function methodsOf(type: OperatorType, means: Means): Method[] {
  return [
    getOf(type, means),
    ...(type.query ? [queryOf(type, type.query, means)] : []),
    ...(type.create || type.update || type.destroy ? [setOf(type, means)] : []),
  ];
}

/** Ours (docs/jmap.md), in the form of RFC 8620 §5.1 */
function getOf(type: OperatorType, means: Means): Method {
  const onRequest = type.onRequest ?? [];
  const known = new Set([...type.properties, ...onRequest]);
  return plainMethod({
    name: `${type.name}/get`,
    capability,
    args: object({ ids: list(idOrReference), properties: optional(nullable(list(text))) }),
    async run({ ids, properties }, call) {
      const operator = acting(call, means);
      const asked = new Map(ids.map((text) => [dereference(text, call.createdId) ?? text, text]));
      const unknown = properties?.find((name) => name !== "id" && !known.has(name));
      if (unknown !== undefined) {
        throw new MethodError("invalidArguments", `${type.name} has no property "${unknown}"`, {
          arguments: ["properties"],
        });
      }
      const wanted = new Set(properties ?? type.properties);
      const isDetailed = onRequest.some((name) => wanted.has(name));
      const max = isDetailed ? maxDetailed : maxIds;
      if (asked.size > max) throw new MethodError("requestTooLarge", `at most ${max} ids`);
      const found = await said(() => type.find([...asked.keys()], operator, wanted));
      const there = new Map(found.map((one) => [one.id as string, one]));
      const shown = [...asked.keys()].map((one) => there.get(one)).filter((one) => one !== undefined);
      const notFound = [...asked].filter(([one]) => !there.has(one)).map(([, text]) => text);
      return { response: { list: shown.map((one) => pick(one, wanted)), notFound } };
    },
  });
}

function pick(one: JmapObject, wanted: ReadonlySet<string>): JmapObject {
  return Object.fromEntries(Object.entries(one).filter(([name]) => name === "id" || wanted.has(name)));
}

/**
 * Ours (docs/jmap.md), after RFC 8620 §5.5: pages follow one another by `after`, not by position, so that the last costs what
 * the first does.
 */
function queryOf(type: OperatorType, query: NonNullable<OperatorType["query"]>, means: Means): Method {
  return plainMethod({
    name: `${type.name}/query`,
    capability,
    args: object({
      filter: optional(nullable(query.filter)),
      after: optional(nullable(text)),
      limit: optional(nullable(schema.unsignedInt)),
    }),
    async run({ filter, after, limit: given }, call) {
      const limit = Math.max(1, Math.min(given ?? usualPage, maxPage));
      const page = { after: after ?? undefined, limit };
      const found = await said(() => query.run((filter ?? {}) as never, page, acting(call, means)));
      return {
        response: {
          queryState: "",
          canCalculateChanges: false,
          ids: found.ids,
          next: found.next ?? null,
          ...(given != null && given !== limit && { limit }),
        },
      };
    },
  });
}

const anything = openObject({});

/** Ours (docs/jmap.md), in the form of RFC 8620 §5.3. Each record is a change of its own, with its row of the audit. */
function setOf(type: OperatorType, means: Means): Method {
  return plainMethod({
    name: `${type.name}/set`,
    capability,
    args: object({
      create: optional(nullable(map(id, anything))),
      update: optional(nullable(map(idOrReference, anything))),
      destroy: optional(nullable(list(idOrReference))),
    }),
    async run({ create, update, destroy }, call) {
      const operator = acting(call, means);
      operator.scope.mayChange();
      if (call.services.store.database.isReadOnly) throw new MethodError("forbidden", "this server only reads");
      const size = [create, update, destroy].reduce((sum, part) => sum + Object.keys(part ?? {}).length, 0);
      if (size > maxChanges) throw new MethodError("requestTooLarge", `at most ${maxChanges} records`);
      const created = new Outcomes<JmapObject & { id: string }>();
      for (const [name, given] of Object.entries(create ?? {})) {
        await created.add(name, () => change(type.create, given, (checked) => type.create!.run(checked, operator)));
      }
      const own = new Map(created.done.map(([name, { id: made }]) => [name, made]));
      const resolve = (text: string) => dereference(text, (name) => own.get(name) ?? call.createdId(name));
      const updated = new Outcomes<JmapObject | null>();
      for (const [text, patch] of Object.entries(update ?? {})) {
        await updated.add(text, () =>
          change(type.update, patch, (checked) => type.update!.run(named(resolve(text)), checked, operator)),
        );
      }
      const destroyed = new Outcomes<void>();
      for (const text of destroy ?? []) {
        await destroyed.add(text, async () => {
          if (!type.destroy) throw new SetError("forbidden");
          await type.destroy.run(named(resolve(text)), operator);
        });
      }
      const response = {
        created: orNull(created.done),
        updated: orNull(updated.done),
        destroyed: destroyed.done.length > 0 ? destroyed.done.map(([text]) => text) : null,
        notCreated: orNull(created.failed),
        notUpdated: orNull(updated.failed),
        notDestroyed: orNull(destroyed.failed),
      };
      return { response, created: Object.fromEntries(own) };
    },
  });
}

function named(id: string | undefined): string {
  if (id === undefined) throw new SetError("notFound");
  return id;
}

async function change<T>(kind: Change | undefined, given: object, run: (checked: never) => Promise<T>): Promise<T> {
  if (!kind) throw new SetError("forbidden");
  const problem = checker(kind.schema)(given);
  if (problem) {
    const property = problem.path.split("/")[1];
    throw new SetError("invalidProperties", describe(problem), { properties: property ? [property] : [] });
  }
  return run(given as never);
}

class Outcomes<T> {
  readonly done: [string, T][] = [];
  readonly failed: [string, SetError][] = [];

  async add(name: string, work: () => Promise<T>): Promise<void> {
    try {
      this.done.push([name, await work()]);
    } catch (error) {
      this.failed.push([name, setErrorOf(error)]);
    }
  }
}

function orNull<T>(entries: [string, T][]): Record<string, T> | null {
  return entries.length > 0 ? Object.fromEntries(entries) : null;
}

/** An operator's act was refused: the error tells why, in the words of `Refusal`. */
function setErrorOf(error: unknown): SetError {
  if (error instanceof SetError) return error;
  if (error instanceof AccountMissing) return new SetError("notFound");
  if (!(error instanceof Refused)) throw error;
  const { why } = error;
  if (why.type === "taken") return new SetError("alreadyExists", why.type, { refusal: why });
  const isMissing = /^(no[A-Z]|not(Quarantined|Suppressed|Shared|Held))/.test(why.type);
  return new SetError(isMissing ? "notFound" : "invalidProperties", why.type, { refusal: why });
}

/** What an operator asked for is no address, or not there: the call fails, with the reason. */
export async function said<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AccountMissing) throw new MethodError("invalidArguments", "noAccount");
    if (!(error instanceof Refused)) throw error;
    throw new MethodError("invalidArguments", error.why.type, { refusal: error.why });
  }
}

/** An opaque id for something that is known by a text. */
export const idOfText = (prefix: string, text: string) => `${prefix}${Buffer.from(text).toString("base64url")}`;

/** Undefined for what `idOfText` has not made. */
export function textOfId(prefix: string, id: string): string | undefined {
  if (!id.startsWith(prefix)) return undefined;
  const text = Buffer.from(id.slice(prefix.length), "base64url").toString();
  return text !== "" && idOfText(prefix, text) === id && !text.includes("\0") ? text : undefined;
}

/** A page of a list in the order of its keys: the key of the last is where the next one begins. */
export function pageOf<T>(
  rows: readonly T[],
  limit: number,
  keyOf: (row: T) => string,
  idOf: (row: T) => string,
): Found {
  const page = rows.slice(0, limit);
  return { ids: page.map(idOf), next: rows.length > limit ? keyOf(page.at(-1)!) : undefined };
}
