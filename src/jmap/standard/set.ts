import { Conflict } from "../../store/core/errors.ts";
import { invalidProperties, MethodError, SetError } from "../errors.ts";
import { type Call, type Method, type MethodResult, type WriteCall, writeMethod } from "../method.ts";
import {
  id,
  idOrReference,
  list,
  map,
  merge,
  nullable,
  object,
  openObject,
  optional,
  type Static,
  text,
} from "../schema.ts";
import { isOfProperties, refuse } from "./faults.ts";
import { toWire } from "./ids.ts";
import { orderByReferences } from "./order.ts";
import { patchedProperties } from "./patch.ts";
import { buildCreate, buildUpdate, type Resolve, readIds, referencesOf } from "./records.ts";
import type {
  CreateRecord,
  DataType,
  DestroyRecord,
  JmapObject,
  RecordType,
  SetBatch,
  SetHooks,
  UpdateRecord,
} from "./type.ts";

const record = openObject({});
export const setRecordArgs = object({
  create: optional(nullable(map(id, record))),
  update: optional(nullable(map(idOrReference, record))),
  destroy: optional(nullable(list(idOrReference))),
});
type SetRecordArgs = Static<typeof setRecordArgs>;
const setArgs = merge(object({ accountId: id, ifInState: optional(nullable(text)) }), setRecordArgs);
type SetArgs = Static<typeof setArgs>;
type Settable<K> = RecordType<K> & { set: SetHooks<K> };

/** RFC 8620 §5.3 */
export function setMethod<C, S>(type: DataType<C, S> & { set: SetHooks }): Method {
  return writeMethod<SetArgs, unknown>({
    name: `${type.name}/set`,
    capability: type.capability,
    args: merge(setArgs, type.set.args),
    ids: (args) => Object.keys(args.create ?? {}).length,
    async prepare(args, call) {
      checkSize(args, call);
      return type.set.prepare?.(args as JmapObject, call);
    },
    async run(args, call, prepared) {
      const oldState = await call.tx.state(type.name);
      if (args.ifInState != null && args.ifInState !== oldState) throw new MethodError("stateMismatch");
      const work = new SetWork<WriteCall>(type, args, call, prepared, call.tx);
      await work.run();
      return work.result({ accountId: args.accountId, oldState, newState: await call.tx.state(type.name) });
    },
  });
}

/** Runs a /set of records that belong to no account: without state and transaction (RFC 8620 §7.2.2). */
export async function setRecords<K extends Call>(
  type: Settable<K>,
  args: SetRecordArgs,
  call: K,
  newIds: SetStorage["newIds"],
): Promise<MethodResult> {
  checkSize(args, call);
  const prepared = await type.set.prepare?.(args as JmapObject, call);
  const work = new SetWork(type, args, call, prepared, { newIds, savepoint: (write) => write() });
  await work.run();
  return work.result({});
}

function checkSize(args: SetRecordArgs, call: Call): void {
  const { maxObjectsInSet } = call.services.limits;
  const size = [args.create, args.update, args.destroy].reduce((sum, part) => sum + Object.keys(part ?? {}).length, 0);
  if (size > maxObjectsInSet) throw new MethodError("requestTooLarge", `at most ${maxObjectsInSet} records`);
}

/** Where the records of a /set are written. */
interface SetStorage {
  newIds(count: number): Promise<number[]>;
  /** Rolls back `work` alone if it throws Conflict. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
}

/** One /set. A record that has an error is refused, and later steps skip it. */
class SetWork<K extends Call> {
  readonly #type: Settable<K>;
  readonly #args: SetRecordArgs;
  readonly #call: K;
  readonly #storage: SetStorage;
  readonly #prepared: unknown;
  readonly #creates: CreateRecord[] = [];
  readonly #updates: UpdateRecord[] = [];
  readonly #destroys: DestroyRecord[] = [];
  /** Errors for ids that name nothing, by the client's text. */
  readonly #notUpdated = new Map<string, SetError>();
  readonly #notDestroyed = new Map<string, SetError>();
  /** Creation id → the creation ids of this call that the record refers to. */
  readonly #references = new Map<string, string[]>();
  readonly #newIds = new Map<string, string>();
  readonly #resolveEarlier: Resolve;
  /** Updates and destroys of records that this call created. */
  #later: SetWork<K> | undefined;

  constructor(
    type: Settable<K>,
    args: SetRecordArgs,
    call: K,
    prepared: unknown,
    storage: SetStorage,
    resolveEarlier: Resolve = call.createdId,
  ) {
    this.#type = type;
    this.#args = args;
    this.#call = call;
    this.#prepared = prepared;
    this.#storage = storage;
    this.#resolveEarlier = resolveEarlier;
  }

  async run(): Promise<void> {
    await this.#gather();
    await this.#judge();
    await this.#apply();
    await this.#changeCreated();
  }

  /** Checks each record by itself. */
  async #gather(): Promise<void> {
    await this.#gatherCreates();
    await this.#gatherExisting();
  }

  readonly #resolve = (creationId: string): string | undefined =>
    this.#newIds.get(creationId) ?? this.#resolveEarlier(creationId);

  async #gatherCreates(): Promise<void> {
    const given = Object.entries(this.#args.create ?? {});
    if (given.length === 0) return;
    const type = this.#type;
    for (const [creationId, fields] of given) this.#references.set(creationId, referencesOf(type, fields));
    const { ordered, cyclic } = orderByReferences(this.#references);
    const numbers = await this.#storage.newIds(given.length);
    const ids = new Map(given.map(([creationId], index) => [creationId, numbers[index]!]));
    for (const [creationId, number] of ids) this.#newIds.set(creationId, toWire(type, number));
    for (const creationId of [...ordered, ...cyclic]) {
      const names = { id: ids.get(creationId)!, wireId: this.#newIds.get(creationId)! };
      const record = buildCreate(type, creationId, this.#args.create![creationId]!, names, this.#resolve);
      if (type.singleton !== undefined) record.error = new SetError("singleton");
      else if (cyclic.has(creationId)) refuse(record, this.#badReference(record.given, cyclic, "refers to itself"));
      this.#creates.push(record);
    }
  }

  #badReference(fields: JmapObject, targets: { has(creationId: string): boolean }, why: string): SetError {
    const bad = patchedProperties(fields).filter((name) => {
      const part = Object.entries(fields).filter(([key]) => key === name || key.startsWith(`${name}/`));
      return referencesOf(this.#type, Object.fromEntries(part)).some((target) => targets.has(target));
    });
    return invalidProperties(`${bad.join(", ")}: ${why}`, ...bad);
  }

  async #gatherExisting(): Promise<void> {
    // Records that this call creates do not exist yet.
    const isThere = (text: string) => !text.startsWith("#") || !this.#newIds.has(text.slice(1));
    const patches = Object.fromEntries(Object.entries(this.#args.update ?? {}).filter(([text]) => isThere(text)));
    const updates = readIds(this.#type, Object.keys(patches), this.#resolveEarlier);
    const destroys = readIds(this.#type, (this.#args.destroy ?? []).filter(isThere), this.#resolveEarlier);
    for (const wireId of updates.unknown) this.#notUpdated.set(wireId, new SetError("notFound"));
    for (const wireId of destroys.unknown) this.#notDestroyed.set(wireId, new SetError("notFound"));
    const before = await this.#fetch([...updates.known.keys(), ...destroys.known.keys()], Object.values(patches));
    for (const [id, wireId] of destroys.known) {
      const found = before.get(wireId);
      if (!found) this.#notDestroyed.set(wireId, new SetError("notFound"));
      else if (this.#type.singleton !== undefined) this.#notDestroyed.set(wireId, new SetError("singleton"));
      else this.#destroys.push({ id, wireId, before: found });
    }
    for (const [text, patch] of Object.entries(patches)) {
      const [[id, wireId] = []] = readIds(this.#type, [text], this.#resolveEarlier).known;
      if (id === undefined || wireId === undefined) continue;
      const found = before.get(wireId);
      if (!found) this.#notUpdated.set(wireId, new SetError("notFound"));
      else if (destroys.known.has(id)) this.#notUpdated.set(wireId, new SetError("willDestroy"));
      else this.#updates.push(buildUpdate(this.#type, found, patch, { id, wireId }, this.#resolve));
    }
  }

  /**
   * RFC 8620 §5.3: creates come before whatever names them, so updates and destroys of this call's own records run last.
   * A creation id of this call hides the same one of an earlier call.
   */
  async #changeCreated(): Promise<void> {
    const { update, destroy } = this.#args;
    const isOwn = (text: string) => text.startsWith("#") && this.#newIds.has(text.slice(1));
    const made = new Map(live(this.#creates).map(({ creationId, wireId }) => [`#${creationId}`, wireId]));
    const updates = Object.entries(update ?? {}).filter(([text]) => isOwn(text));
    const destroys = (destroy ?? []).filter(isOwn);
    for (const [text] of updates) if (!made.has(text)) this.#notUpdated.set(text, new SetError("notFound"));
    for (const text of destroys) if (!made.has(text)) this.#notDestroyed.set(text, new SetError("notFound"));
    const args: SetRecordArgs = {
      ...this.#args,
      create: null,
      update: Object.fromEntries(
        updates.flatMap(([text, patch]) => (made.has(text) ? [[made.get(text)!, patch]] : [])),
      ),
      destroy: destroys.flatMap((text) => made.get(text) ?? []),
    };
    if (isEmpty(args.update!) && args.destroy!.length === 0) return;
    const resolve = (creationId: string) => made.get(`#${creationId}`) ?? this.#resolveEarlier(creationId);
    this.#later = new SetWork(this.#type, args, this.#call, this.#prepared, this.#storage, resolve);
    await this.#later.run();
  }

  async #fetch(ids: number[], patches: JmapObject[]): Promise<Map<string, JmapObject>> {
    if (ids.length === 0) return new Map();
    const properties = new Set(this.#type.set.needs);
    for (const patch of patches) for (const name of patchedProperties(patch)) properties.add(name);
    properties.delete("id");
    const unique = [...new Set(ids)];
    const found = await this.#type.fetch(unique, { properties, limit: unique.length, args: {} }, this.#call);
    return new Map(found.map((object) => [object.id as string, object]));
  }

  /** Judges the remaining records together until no more are refused. */
  async #judge(): Promise<void> {
    for (let left = -1; left !== this.#left(); ) {
      this.#cascade();
      left = this.#left();
      const batch = this.#batch();
      const { creates, updates } = batch.refused;
      if (left + creates.length + updates.length > 0) await this.#type.set.check?.(batch, this.#call);
    }
  }

  #left(): number {
    return live(this.#creates).length + live(this.#updates).length + live(this.#destroys).length;
  }

  /** Refuses records that refer to one that was not created. */
  #cascade(): void {
    const failed = new Set(this.#creates.filter((record) => record.error).map((record) => record.creationId));
    if (failed.size === 0) return;
    for (const record of live(this.#creates)) {
      if (!this.#references.get(record.creationId)?.some((target) => failed.has(target))) continue;
      record.error = this.#badReference(record.given, failed, "was not created");
      failed.add(record.creationId);
    }
    for (const [text, patch] of Object.entries(this.#args.update ?? {})) {
      if (!referencesOf(this.#type, patch).some((target) => failed.has(target))) continue;
      const wireId = text.startsWith("#") ? this.#resolveEarlier(text.slice(1)) : text;
      const record = live(this.#updates).find((update) => update.wireId === wireId);
      if (record) record.error = this.#badReference(patch, failed, "was not created");
    }
  }

  #batch(): SetBatch {
    return {
      creates: live(this.#creates),
      updates: live(this.#updates),
      destroys: live(this.#destroys),
      refused: {
        creates: this.#creates.filter((record) => isOfProperties(record.error)),
        updates: this.#updates.filter((record) => isOfProperties(record.error)),
      },
      args: this.#args as JmapObject,
      prepared: this.#prepared,
    };
  }

  /** Writes all records at once; one by one only if the database still finds a conflict. */
  async #apply(): Promise<void> {
    const { conflicts } = this.#type.set;
    const batch = this.#batch();
    const isEmpty = batch.creates.length + batch.updates.length + batch.destroys.length === 0;
    if (isEmpty) return;
    if (!conflicts) return this.#write(batch);
    try {
      await this.#storage.savepoint(() => this.#write(batch));
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      await this.#writeSingly(conflicts);
    }
  }

  async #write(batch: SetBatch): Promise<void> {
    const { destroy, update, create } = this.#type.set;
    const updates = batch.updates.filter((record) => record.changed.size > 0);
    if (batch.destroys.length > 0) await destroy(batch.destroys, batch, this.#call);
    if (updates.length > 0) await update(updates, batch, this.#call);
    if (batch.creates.length > 0) await create(batch.creates, batch, this.#call);
  }

  async #writeSingly(conflicts: Record<string, string[]>): Promise<void> {
    const whole = this.#batch();
    const none = { ...whole, creates: [], updates: [], destroys: [] };
    const attempt = async (record: { error?: SetError }, part: Partial<SetBatch>) => {
      if (record.error) return;
      try {
        await this.#storage.savepoint(() => this.#write({ ...none, ...part }));
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        record.error = conflictError(error, conflicts);
        this.#cascade();
      }
    };
    for (const record of whole.destroys) await attempt(record, { destroys: [record] });
    for (const record of whole.updates) await attempt(record, { updates: [record] });
    for (const record of whole.creates) await attempt(record, { creates: [record] });
  }

  /** `head`: the first members of the response. */
  result(head: object): MethodResult {
    const type = this.#type;
    const batch = this.#batch();
    const later = this.#later?.result({}).response as Record<string, never> | undefined;
    const created = batch.creates.map((record) => [record.creationId, createdObject(type, record)] as const);
    const updated = batch.updates.map(({ wireId, response }) => [wireId, isEmpty(response) ? null : response] as const);
    const destroyed = [...batch.destroys.map(({ wireId }) => wireId), ...(later?.destroyed ?? [])];
    const response = {
      ...head,
      created: orNull(created),
      updated: orNull([...updated, ...Object.entries(later?.updated ?? {})]),
      destroyed: destroyed.length > 0 ? destroyed : null,
      notCreated: errorMap(errors(this.#creates, (record) => record.creationId)),
      notUpdated: both(
        errorMap([...this.#notUpdated, ...errors(this.#updates, (record) => record.wireId)]),
        later?.notUpdated,
      ),
      notDestroyed: both(
        errorMap([...this.#notDestroyed, ...errors(this.#destroys, (record) => record.wireId)]),
        later?.notDestroyed,
      ),
      ...type.set.extra?.(batch),
    };
    return {
      response,
      created: Object.fromEntries(batch.creates.map((record) => [record.creationId, record.wireId])),
      implicit: type.set.implicit?.(batch, this.#call) ?? [],
    };
  }
}

function live<R extends { error?: SetError }>(records: R[]): R[] {
  return records.filter((record) => !record.error);
}

function errors<R extends { error?: SetError }>(records: R[], name: (record: R) => string): [string, SetError][] {
  return records.flatMap((record) => (record.error ? [[name(record), record.error]] : []));
}

/** Plain data, since result references may point into it. */
function errorMap(entries: [string, SetError][]): Record<string, object> | null {
  return orNull(entries.map(([name, error]) => [name, error.toJSON()] as const));
}

function both(some: Record<string, object> | null, others: Record<string, object> | null | undefined) {
  return some && others ? { ...some, ...others } : (some ?? others ?? null);
}

function conflictError({ constraint }: Conflict, conflicts: Record<string, string[]>): SetError {
  return invalidProperties("already taken", ...(conflicts[constraint] ?? []));
}

/** The properties that the client did not send: the id, defaults, and what the type adds. */
function createdObject(type: RecordType<never>, record: CreateRecord): JmapObject {
  const told: JmapObject = { id: record.wireId };
  for (const [name, value] of Object.entries(record.after)) {
    if (!Object.hasOwn(record.given, name) && Object.hasOwn(type.properties, name)) told[name] = value;
  }
  return { ...told, ...record.response };
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

function orNull<T>(entries: readonly (readonly [string, T])[]): Record<string, T> | null {
  return entries.length > 0 ? Object.fromEntries(entries) : null;
}
