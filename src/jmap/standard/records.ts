import { SetError } from "../errors.ts";
import { checker, describe } from "../schema.ts";
import { Faults, refuse } from "./faults.ts";
import { fromWire } from "./ids.ts";
import { applyPatch, differences, patchedProperties } from "./patch.ts";
import type { CreateRecord, JmapObject, Property, RecordType, UpdateRecord } from "./type.ts";

/** Creation id → id: of this /set first, then of earlier calls. */
export type Resolve = (creationId: string) => string | undefined;

type Table = Pick<RecordType<never>, "properties" | "dynamicProperty">;
type Fields = Table & Pick<RecordType<never>, "prefix" | "singleton">;

function findProperty(type: Table, name: string): Property | undefined {
  return Object.hasOwn(type.properties, name) ? type.properties[name] : type.dynamicProperty?.(name);
}

/** The values that are correct by the property table, and an error for the others. */
interface Checked {
  values: JmapObject;
  error: SetError | undefined;
}

/** Builds the record of a create. */
export function buildCreate(
  type: Fields,
  creationId: string,
  given: JmapObject,
  ids: { id: number; wireId: string },
  resolve: Resolve,
): CreateRecord {
  const { values, error } = checkNew(type, given, resolve);
  const record: CreateRecord = { creationId, ...ids, after: values, given, response: {} };
  refuse(record, error);
  return record;
}

/** Checks a new object against the property table, fills in defaults and resolves references. */
export function checkNew(type: Table, given: JmapObject, resolve: Resolve): Checked {
  const faults = new Faults();
  const values: JmapObject = {};
  for (const [name, value] of Object.entries(given)) {
    const property = name === "id" ? undefined : findProperty(type, name);
    if (!property) faults.add(name, name === "id" ? "is set by the server" : "no such property");
    else if (property.serverSet) faults.add(name, "is set by the server");
    else {
      values[name] = resolveValue(name, property, value, resolve, faults);
      checkValue(name, property, values[name], faults);
    }
  }
  for (const [name, property] of Object.entries(type.properties)) {
    if (property.serverSet || Object.hasOwn(given, name)) continue;
    if (property.default !== undefined) values[name] = structuredClone(property.default);
    else if (!property.optional) faults.add(name, "is missing");
  }
  for (const name of faults.properties) delete values[name];
  return { values, error: faults.error() };
}

/** Builds the record of an update, its patch checked against the property table. */
export function buildUpdate(
  type: Fields,
  before: JmapObject,
  patch: JmapObject,
  ids: { id: number; wireId: string },
  resolve: Resolve,
): UpdateRecord {
  const record: UpdateRecord = { ...ids, before, after: before, changed: new Set(), response: {} };
  try {
    const faults = new Faults();
    const after = applyPatch(before, patch, (name) => findProperty(type, name));
    const touched = patchedProperties(patch);
    for (const name of touched) {
      const property = findProperty(type, name);
      if (property && !property.serverSet) after[name] = resolveValue(name, property, after[name], resolve, faults);
    }
    const changed = differences(before, after, touched);
    for (const name of changed) {
      const property = findProperty(type, name);
      if (!property && name !== "id") faults.add(name, "no such property");
      else if (!property || property.serverSet) faults.add(name, "is set by the server");
      else if (property.immutable) faults.add(name, "cannot change");
      else checkValue(name, property, after[name], faults);
    }
    for (const name of touched) {
      if (name === "id" && Object.hasOwn(patch, "id") && patch.id !== ids.wireId)
        faults.add(name, "is set by the server");
      if (name !== "id" && !findProperty(type, name)) faults.add(name, "no such property");
    }
    for (const name of faults.properties) {
      delete after[name];
      changed.delete(name);
    }
    record.after = after;
    record.changed = changed;
    refuse(record, faults.error());
  } catch (error) {
    if (!(error instanceof SetError)) throw error;
    refuse(record, error);
  }
  return record;
}

function checkValue(name: string, property: Property, value: unknown, faults: Faults): void {
  const problem = checker(property.schema)(value);
  if (problem) faults.add(name, describe(problem));
}

function resolveValue(name: string, property: Property, value: unknown, resolve: Resolve, faults: Faults): unknown {
  const follow = (text: string): string => {
    if (!text.startsWith("#")) return text;
    const id = resolve(text.slice(1));
    if (id === undefined) faults.add(name, `nothing was created as "${text.slice(1)}"`);
    return id ?? text;
  };
  if (property.references === "value" && typeof value === "string") return follow(value);
  if (property.references === "keys" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    if (!Object.keys(value).some((key) => key.startsWith("#"))) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [follow(key), inner]));
  }
  return value;
}

/** The creation ids that a new or patched record refers to. */
export function referencesOf(type: Fields, object: JmapObject): string[] {
  const names: string[] = [];
  for (const [key, value] of Object.entries(object)) {
    const [top, inner] = key.split("/", 2) as [string, string?];
    const { references } = findProperty(type, top) ?? {};
    if (references === "value" && typeof value === "string") names.push(value);
    if (references === "keys" && inner !== undefined) names.push(inner);
    if (references === "keys" && typeof value === "object" && value !== null) {
      for (const name of Object.keys(value)) names.push(name);
    }
  }
  return names.filter((name) => name.startsWith("#")).map((name) => name.slice(1));
}

/** Ids in the order given, each once; texts that are not ids of this type are in `unknown`. */
export function readIds(type: Fields, given: string[], resolve: Resolve) {
  const known = new Map<number, string>();
  const unknown = new Set<string>();
  for (const text of given) {
    const wireId = text.startsWith("#") ? resolve(text.slice(1)) : text;
    const id = wireId === undefined ? undefined : fromWire(type, wireId);
    if (id === undefined) unknown.add(text);
    else known.set(id, wireId!);
  }
  return { known, unknown };
}

/** Checks the properties of a /copy that replace the original's. */
export function checkOverrides(type: Fields, given: JmapObject, allowed: readonly string[], resolve: Resolve): Checked {
  const faults = new Faults();
  const values: JmapObject = {};
  for (const [name, value] of Object.entries(given)) {
    const property = allowed.includes(name) ? findProperty(type, name) : undefined;
    if (!property) {
      faults.add(name, "cannot be given for a copy");
      continue;
    }
    values[name] = resolveValue(name, property, value, resolve, faults);
    checkValue(name, property, values[name], faults);
  }
  return { values, error: faults.error() };
}
