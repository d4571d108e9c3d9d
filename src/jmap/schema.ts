import { Ajv, type ErrorObject } from "ajv";

/** A JSON schema that carries the TypeScript type of the values it admits. */
export interface Schema<T> {
  readonly json: object;
  readonly isOptional?: boolean;
  /** For the type checker only: never set. */
  readonly type?: T;
}
export type Static<S> = S extends Schema<infer T> ? T : never;

type OptionalKeys<P> = { [K in keyof P]: P[K] extends { isOptional: true } ? K : never }[keyof P];
type ObjectOf<P> = {
  [K in Exclude<keyof P, OptionalKeys<P>>]: Static<P[K]>;
} & { [K in OptionalKeys<P>]?: Static<P[K]> | undefined };

const of = <T>(json: object): Schema<T> => ({ json });

export const anything = of<unknown>({});
export const bool = of<boolean>({ type: "boolean" });
export const text = of<string>({ type: "string" });
/** RFC 8620 §1.3. */
export const int = of<number>({ type: "integer", minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });
export const unsignedInt = of<number>({ type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const positiveInt = of<number>({ type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
/** RFC 8620 §1.2. */
export const id = of<string>({ type: "string", pattern: "^[A-Za-z0-9_-]{1,255}$" });
/** An id, or "#" and the creation id of a record created in the same request (RFC 8620 §5.3). */
export const idOrReference = of<string>({ type: "string", pattern: "^#?[A-Za-z0-9_-]{1,255}$" });
/** RFC 8620 §1.4. */
export const date = of<string>({ type: "string", format: "jmap-date" });
export const utcDate = of<string>({ type: "string", format: "jmap-utc-date" });

export const oneOf = <const T extends string>(...values: T[]): Schema<T> => of({ type: "string", enum: values });
export const exactly = <const T extends string | number | boolean | null>(value: T): Schema<T> => of({ const: value });
export const matching = (pattern: string): Schema<string> => of({ type: "string", pattern });
export const textUpTo = (maxLength: number): Schema<string> => of({ type: "string", maxLength });
/** Without NUL, which Postgres cannot store. */
export const storableUpTo = (maxLength: number): Schema<string> =>
  of({ type: "string", maxLength, pattern: "^[^\\u0000]*$" });
/** A header field's value: without line ends, and without NUL, which Postgres cannot store. */
export const lineUpTo = (maxLength: number): Schema<string> =>
  of({ type: "string", maxLength, pattern: "^[^\\u0000\\r\\n]*$" });
export const nullable = <T>(schema: Schema<T>): Schema<T | null> => of({ anyOf: [schema.json, { type: "null" }] });
export const list = <T>(items: Schema<T>, bounds: { minItems?: number; maxItems?: number } = {}): Schema<T[]> =>
  of({ type: "array", items: items.json, ...bounds });
/** An object used as a map: each key admitted by `keys`, each value by `values`. */
export const map = <T>(keys: Schema<string>, values: Schema<T>): Schema<Record<string, T>> =>
  of({ type: "object", propertyNames: keys.json, additionalProperties: values.json });
export const optional = <T>(schema: Schema<T>): Schema<T> & { isOptional: true } => ({ ...schema, isOptional: true });

/** Exactly these members; any other member is an error. */
export function object<const P extends Record<string, Schema<unknown>>>(members: P): Schema<ObjectOf<P>> {
  return of(objectJson(members, { additionalProperties: false }));
}

/** At least these members. */
export function openObject<const P extends Record<string, Schema<unknown>>>(
  members: P,
): Schema<ObjectOf<P> & Record<string, unknown>> {
  return of(objectJson(members, {}));
}

/** The members of both objects. */
export function merge<A, B>(a: Schema<A>, b: Schema<B> | undefined): Schema<A & B> {
  if (!b) return a as Schema<A & B>;
  const [left, right] = [a.json, b.json] as { properties: object; required: string[] }[];
  return of({
    ...left,
    properties: { ...left!.properties, ...right!.properties },
    required: [...left!.required, ...right!.required],
  });
}

function objectJson(members: Record<string, Schema<unknown>>, rest: object): object {
  const properties = Object.fromEntries(Object.entries(members).map(([name, member]) => [name, member.json]));
  const required = Object.keys(members).filter((name) => !members[name]!.isOptional);
  return { type: "object", properties, required, ...rest };
}

const ajv = new Ajv({ strict: false, validateFormats: true, messages: true, verbose: false, logger: false });
ajv.addFormat("jmap-date", {
  type: "string",
  validate: (value: string) => isDate(value, /(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/),
});
ajv.addFormat("jmap-utc-date", { type: "string", validate: (value: string) => isDate(value, /Z$/) });

/** RFC 8620 §1.4: RFC 3339 with capital letters; a fraction must not be zero. */
function isDate(value: string, zone: RegExp): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(value);
  if (!match || !zone.test(value) || (match[7] && !/[1-9]/.test(match[7]))) return false;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return month >= 1 && month <= 12 && day >= 1 && day <= days && hour < 24 && minute < 60 && second <= 60;
}

/** Undefined when the value is admitted. */
export type Check = (value: unknown) => Problem | undefined;
export interface Problem {
  /** JSON pointer into the value, "" for the value itself. */
  path: string;
  text: string;
}

const compiled = new WeakMap<object, Check>();

/** Compiles a schema once. */
export function checker(schema: Schema<unknown>): Check {
  const known = compiled.get(schema.json);
  if (known) return known;
  const validate = ajv.compile(schema.json);
  const check: Check = (value) => (validate(value) ? undefined : problem(validate.errors!));
  compiled.set(schema.json, check);
  return check;
}

function problem(errors: ErrorObject[]): Problem {
  // For anyOf the last error only says "must match a schema in anyOf"; the first says what is wrong.
  const error = errors[0]!;
  const params = error.params as { additionalProperty?: string; missingProperty?: string; allowedValues?: unknown[] };
  const path = error.instancePath;
  if (params.additionalProperty !== undefined) return { path, text: `unknown member "${params.additionalProperty}"` };
  if (params.missingProperty !== undefined) return { path, text: `"${params.missingProperty}" is missing` };
  const allowed = params.allowedValues ? ` (${params.allowedValues.join(", ")})` : "";
  return { path, text: `${error.message ?? "is not admitted"}${allowed}` };
}

/** The problem in words: `ids/0: must be string`. */
export function describe({ path, text: words }: Problem): string {
  return path === "" ? words : `${path.slice(1)}: ${words}`;
}
