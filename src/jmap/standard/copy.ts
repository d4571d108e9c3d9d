import { MethodError, SetError } from "../errors.ts";
import { type Call, type Method, type MethodResult, ownMethod, type ReadCall, type WriteCall } from "../method.ts";
import { bool, id, map, nullable, object, openObject, optional, type Static, text } from "../schema.ts";
import { fromWire, toWire } from "./ids.ts";
import { checkOverrides } from "./records.ts";
import type { CopyHooks, CopyRecord, DataType, JmapObject } from "./type.ts";

const copyArgs = object({
  fromAccountId: id,
  ifFromInState: optional(nullable(text)),
  accountId: id,
  ifInState: optional(nullable(text)),
  create: map(id, openObject({ id })),
  onSuccessDestroyOriginal: optional(bool),
  destroyFromIfInState: optional(nullable(text)),
});
type CopyArgs = Static<typeof copyArgs>;
type Copyable<C, S> = DataType<C, S> & { copy: CopyHooks };

/** RFC 8620 §5.4 */
export function copyMethod<C, S>(type: Copyable<C, S>): Method {
  return ownMethod<CopyArgs>({
    name: `${type.name}/copy`,
    capability: type.capability,
    writes: true,
    args: copyArgs,
    async run(args, call) {
      if (args.fromAccountId === args.accountId) {
        throw new MethodError("invalidArguments", "fromAccountId and accountId are the same");
      }
      const { maxObjectsInSet } = call.services.limits;
      if (Object.keys(args.create).length > maxObjectsInSet) {
        throw new MethodError("requestTooLarge", `at most ${maxObjectsInSet} records`);
      }
      const from = call.openAccount(args.fromAccountId, "read", "fromAccountNotFound");
      const records = Object.entries(args.create).map(([creationId, given]) => plan(type, creationId, given, call));
      await readOriginals(type, from, records, args, call);
      await type.copy.prepare?.(
        records.filter((record) => !record.error),
        call,
      );
      return writeCopies(type, records, args, call);
    },
  });
}

function plan<C, S>(type: Copyable<C, S>, creationId: string, given: JmapObject, call: Call): CopyRecord {
  const { id: originalWireId, ...overrides } = given as JmapObject & { id: string };
  const { values, error } = checkOverrides(type, overrides, type.copy.overrides, call.createdId);
  const originalId = fromWire(type, originalWireId);
  return {
    creationId,
    originalId: originalId ?? 0,
    originalWireId,
    original: undefined,
    overrides: values,
    id: 0,
    wireId: "",
    response: {},
    ...((error || originalId === undefined) && { error: error ?? new SetError("notFound") }),
  };
}

async function readOriginals<C, S>(
  type: Copyable<C, S>,
  from: number,
  records: CopyRecord[],
  args: CopyArgs,
  call: Call,
): Promise<void> {
  await call.services.store.snapshot(from, call.login, async (reader) => {
    if (args.ifFromInState != null && args.ifFromInState !== (await reader.state(type.name))) {
      throw new MethodError("stateMismatch", "the state of fromAccountId has changed");
    }
    const live = records.filter((record) => !record.error);
    const ids = [...new Set(live.map((record) => record.originalId))];
    const reading: ReadCall = { ...call, accountId: from, account: args.fromAccountId, reader };
    const originals = ids.length > 0 ? await type.copy.read(ids, reading) : new Map<number, unknown>();
    for (const record of live) {
      record.original = originals.get(record.originalId);
      if (record.original === undefined) record.error = new SetError("notFound");
    }
  });
}

async function writeCopies<C, S>(
  type: Copyable<C, S>,
  planned: CopyRecord[],
  args: CopyArgs,
  call: Call,
): Promise<MethodResult> {
  const sound = planned.filter((record) => !record.error);
  const { oldState, newState, written } = await call.services.store.write(
    call.accountId,
    call.login,
    async (tx) => {
      const oldState = await tx.state(type.name);
      if (args.ifInState != null && args.ifInState !== oldState) throw new MethodError("stateMismatch");
      const numbers = await tx.newIds(sound.length);
      // Fresh objects, since the transaction may run again.
      const written = sound.map((record, index): CopyRecord => {
        return { ...record, id: numbers[index]!, wireId: toWire(type, numbers[index]!), response: {} };
      });
      const writing: WriteCall = { ...call, tx, reader: tx };
      if (written.length > 0) await type.copy.create(written, writing);
      return { oldState, newState: await tx.state(type.name), written };
    },
    { ids: sound.length, states: true },
  );
  return result(type, [...planned.filter((record) => record.error), ...written], { oldState, newState }, args);
}

function result<C, S>(type: DataType<C, S>, records: CopyRecord[], states: object, args: CopyArgs): MethodResult {
  const made = records.filter((record) => !record.error);
  const failed = records.filter((record) => record.error);
  const created = Object.fromEntries(
    made.map((record) => [record.creationId, { id: record.wireId, ...record.response }]),
  );
  const notCreated = Object.fromEntries(failed.map((record) => [record.creationId, record.error!.toJSON()]));
  return {
    response: {
      fromAccountId: args.fromAccountId,
      accountId: args.accountId,
      ...states,
      created: made.length > 0 ? created : null,
      notCreated: failed.length > 0 ? notCreated : null,
    },
    created: Object.fromEntries(made.map((record) => [record.creationId, record.wireId])),
    implicit: args.onSuccessDestroyOriginal === true && made.length > 0 ? [destroyOriginals(type, made, args)] : [],
  };
}

function destroyOriginals<C, S>(type: DataType<C, S>, made: CopyRecord[], args: CopyArgs) {
  const destroy = [...new Set(made.map((record) => record.originalWireId))];
  const ifInState = args.destroyFromIfInState ?? null;
  return { name: `${type.name}/set`, args: { accountId: args.fromAccountId, ifInState, destroy } };
}
