import type { TypeName } from "../../store/core/change.ts";
import type { State } from "../../store/core/state.ts";
import type { Reader } from "../../store/core/store.ts";
import type { SetError } from "../errors.ts";
import type { Call, ReadCall, WriteCall } from "../method.ts";
import type { Schema } from "../schema.ts";

/** An object of a data type as it stands on the wire; `id` included. */
export type JmapObject = Record<string, unknown>;

export interface Property {
  schema: Schema<unknown>;
  /** Only the server sets it; a client may send it back unchanged. */
  serverSet?: true;
  /** Set on create only. */
  immutable?: true;
  /** What null or absence means on create; without one (and not server-set) the client must give a value. */
  default?: unknown;
  /** May be absent on create though it has no constant default: the type's `create` finds one. */
  optional?: true;
  /** Left out of /get unless asked for by name. */
  onRequest?: true;
  /** Where "#creationId" may stand: the value itself, or the keys of the map. */
  references?: "value" | "keys";
  /** A map to true; a patch may then say false for null, as some clients do (beyond the RFC). */
  isSet?: true;
  /** Its keys are the same in any case, and kept in lower case. */
  isCaseless?: true;
}

/** What /get and /set need to know of records; `K`: what a call on them has at hand. */
export interface RecordType<K> {
  /** The letter its ids start with. */
  prefix: string;
  /** Its only object's id (VacationResponse). */
  singleton?: string;
  /** All but `id`. */
  properties: Record<string, Property>;
  /** Properties named by a pattern, such as "header:subject:asText". */
  dynamicProperty?(name: string): Property | undefined;
  /**
   * The objects of these ids, or all (at most `limit`) for null, in any order; ids that are not there are left out.
   * Each holds `id` and at least the properties asked for; /get drops the rest, unless `fetchesExactly`.
   */
  fetch(ids: number[] | null, want: Want, call: K): Promise<JmapObject[]>;
  /** How many an account may have, where that is few: /get with null gives them all, whatever `maxObjectsInGet` is. */
  most?: number;
  /** `fetch` gives no property that was not asked for: /get need not copy the objects. */
  fetchesExactly?: true;
}

/** Everything the standard methods need to know of a data type. */
export interface DataType<C = unknown, S = unknown> extends RecordType<ReadCall> {
  name: TypeName;
  capability: string;
  /** Further arguments of /get. */
  getArgs?: Schema<object>;
  set?: SetHooks;
  copy?: CopyHooks;
  query?: QueryHooks<C, S>;
  /** /changes: `updatedProperties` when all these changed objects only had their counts moved. */
  countProperties?: string[];
}

export interface Want {
  properties: ReadonlySet<string>;
  limit: number;
  /** The further arguments of /get. */
  args: JmapObject;
}

// ---- /set

/** A record of a /set on its way; with `error` set it is out and left alone by the later steps. */
interface SetRecord {
  error?: SetError;
}
export interface CreateRecord extends SetRecord {
  creationId: string;
  /** Given to it before `check`. */
  id: number;
  wireId: string;
  /** All settable properties, defaults filled in, references resolved; without those that are wrong. */
  after: JmapObject;
  /** What the client wrote. */
  given: JmapObject;
  /** What `create` tells the client besides the id and the defaults. */
  response: JmapObject;
}
export interface UpdateRecord extends SetRecord {
  id: number;
  wireId: string;
  before: JmapObject;
  /** Without the properties that are wrong. */
  after: JmapObject;
  /** The properties whose value differs. */
  changed: ReadonlySet<string>;
  /** Properties that changed in a way the client did not ask for. */
  response: JmapObject;
}
export interface DestroyRecord extends SetRecord {
  id: number;
  wireId: string;
  before: JmapObject;
}

export interface SetBatch {
  /** Those still in, in the order of their references. */
  creates: CreateRecord[];
  updates: UpdateRecord[];
  destroys: DestroyRecord[];
  /** Out for wrong properties: what else is wrong with them should be told too. */
  refused: { creates: CreateRecord[]; updates: UpdateRecord[] };
  /** The arguments of the call, the further ones among them. */
  args: JmapObject;
  /** What `prepare` made. */
  prepared: unknown;
}

export interface SetHooks<K = WriteCall> {
  /** Further arguments of /set. */
  args?: Schema<object>;
  /** Properties of `before` that `check`, `update` and `destroy` need besides those that the client touches. */
  needs?: string[];
  /** Blob and MIME work for the creates, before the account is held. */
  prepare?(args: JmapObject, call: Call): Promise<unknown>;
  /**
   * Judges the final state in memory, under the account row; refuses what cannot be.
   * Called again with those left until it finds nothing more.
   */
  check?(batch: SetBatch, call: K): Promise<void>;
  /** Each is one batch of statements, never one per record. What they call in the store tells `tx.changed`. */
  destroy(records: DestroyRecord[], batch: SetBatch, call: K): Promise<void>;
  update(records: UpdateRecord[], batch: SetBatch, call: K): Promise<void>;
  create(records: CreateRecord[], batch: SetBatch, call: K): Promise<void>;
  /** Unique constraint → the properties at fault. With none here, no savepoint is taken. */
  conflicts?: Record<string, string[]>;
  /** Calls that a success brings along (onSuccessUpdateEmail). */
  implicit?(batch: SetBatch, call: K): { name: string; args: object }[];
  /** Members of the response beside the standard ones. */
  extra?(batch: SetBatch): object;
}

// ---- /copy

export interface CopyRecord {
  creationId: string;
  originalId: number;
  /** As the client wrote it. */
  originalWireId: string;
  /** What `read` found in the account copied from. */
  original: unknown;
  /** The properties that replace the original's, checked, references resolved. */
  overrides: JmapObject;
  id: number;
  wireId: string;
  response: JmapObject;
  error?: SetError;
}

export interface CopyHooks {
  /** The properties that may be given besides `id`. */
  overrides: string[];
  /** In the account copied from; ids that are not there are left out. */
  read(ids: number[], call: ReadCall): Promise<Map<number, unknown>>;
  /** Blob and MIME work between the two accounts' transactions; sets `error` on what cannot be. */
  prepare?(records: CopyRecord[], call: Call): Promise<void>;
  /** Sets `error` on what cannot be; otherwise `response` beside the id. */
  create(records: CopyRecord[], call: WriteCall): Promise<void>;
}

// ---- /query

/** A filter, checked: operators over the type's own criteria. */
export type FilterNode<C> = { operator: "AND" | "OR" | "NOT"; conditions: FilterNode<C>[] } | { criterion: C };

export interface SortKey<S> {
  by: S;
  ascending: boolean;
  /** Of RFC 4790; undefined when the client named none. */
  collation: string | undefined;
}

export interface FilterProperty<C> {
  schema: Schema<unknown>;
  /** May throw MethodError("unsupportedFilter"). */
  criterion(value: never, call: Call): C;
}
export interface SortProperty<S> {
  /** Members of the comparator beside property, isAscending and collation (such as `keyword`). */
  args?: Schema<object>;
  collations?: string[];
  by(comparator: JmapObject): S;
}

/** Either a position (negative: from the end), or a place relative to an anchor. */
export type Window = { position: number; limit: number } | { anchor: number; anchorOffset: number; limit: number };

export interface Query<C, S> {
  /** Undefined: all objects. */
  filter: FilterNode<C> | undefined;
  sort: SortKey<S>[];
  /** The further arguments (collapseThreads, sortAsTree). */
  args: JmapObject;
  calculateTotal: boolean;
}

export interface QueryPage {
  ids: number[];
  /** Of the first id; when there is none, where the window starts. */
  position: number;
  /** When asked for. */
  total?: number;
}

export interface QueryChangesRequest {
  since: State;
  /** The last id that the client knows, when it does not care for what comes after. */
  upToId: number | undefined;
  maxChanges: number | undefined;
}
export interface QueryChangesResult {
  removed: number[];
  /** In rising order of index. */
  added: { id: number; index: number }[];
  total?: number;
}

export interface QueryHooks<C, S> {
  filters: Record<string, FilterProperty<C>>;
  sorts: Record<string, SortProperty<S>>;
  /** Further arguments of /query and /queryChanges. */
  args?: Schema<object>;
  query(query: Query<C, S>, window: Window, reader: Reader, call: ReadCall): Promise<QueryPage | "anchorNotFound">;
  canCalculateChanges(query: Query<C, S>): boolean;
  /** The state of the query's results; the type's own where it is not given. */
  state?(query: Query<C, S>, reader: Reader): Promise<string>;
  queryChanges(
    query: Query<C, S>,
    request: QueryChangesRequest,
    reader: Reader,
    call: ReadCall,
  ): Promise<QueryChangesResult | "cannotCalculateChanges" | "tooManyChanges">;
}
