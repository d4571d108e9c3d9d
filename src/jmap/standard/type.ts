import type { TypeName } from "../../store/core/change.ts";
import type { State } from "../../store/core/state.ts";
import type { Reader } from "../../store/core/store.ts";
import type { SetError } from "../errors.ts";
import type { Call, ReadCall, WriteCall } from "../method.ts";
import type { Schema } from "../schema.ts";

/** An object of a data type as clients see it, with its `id`. */
export type JmapObject = Record<string, unknown>;

export interface Property {
  schema: Schema<unknown>;
  /** Only the server sets it; a client may send it back unchanged. */
  serverSet?: true;
  /** May be set only on create. */
  immutable?: true;
  /** The value for null or absence on create. Without a default, the client must give a value unless it is server-set. */
  default?: unknown;
  /** May be absent on create without a constant default: the type's `create` finds the value. */
  optional?: true;
  /** /get returns it only if it is asked for by name. */
  onRequest?: true;
  /** It exists only for requests that use this capability. */
  capability?: string;
  /** Where "#creationId" may stand: the value itself, or the keys of the map. */
  references?: "value" | "keys";
  /** A map to true. A patch may then set false instead of null, as some clients do (beyond the RFC). */
  isSet?: true;
  /** Its keys are case-insensitive and stored in lower case. */
  isCaseless?: true;
}

/** What /get and /set need to know of records. `K`: the calls that use them. */
export interface RecordType<K> {
  /** The first letter of its ids. */
  prefix: string;
  /** The id of the type's only object (VacationResponse). */
  singleton?: string;
  /** All properties except `id`. */
  properties: Record<string, Property>;
  /** Properties named by a pattern, such as "header:subject:asText". */
  dynamicProperty?(name: string): Property | undefined;
  /**
   * The objects with these ids, or all (at most `limit`) for null, in any order; unknown ids are left out.
   * Each has `id` and at least the properties asked for. /get drops the others, unless `fetchesExactly` is set.
   */
  fetch(ids: number[] | null, want: Want, call: K): Promise<JmapObject[]>;
  /** The most objects of an account, if they are few: /get with null ids returns them all, beyond `maxObjectsInGet` too. */
  maxObjects?: number;
  /** `fetch` returns only the properties asked for, so /get need not copy the objects. */
  fetchesExactly?: true;
}

/** Everything the standard methods need to know of a data type. */
export interface DataType<C = unknown, S = unknown> extends RecordType<ReadCall> {
  name: TypeName;
  capability: string;
  /** Throws a MethodError for those to whom /changes tells nothing; `fetch` and `set` see to themselves. */
  mayRead?(call: Call): void;
  /** Further arguments of /get. */
  getArgs?: Schema<object>;
  set?: SetHooks;
  copy?: CopyHooks;
  query?: QueryHooks<C, S>;
  /** The `updatedProperties` of a /changes in which only the counts of these objects changed. */
  countProperties?: string[];
}

export interface Want {
  properties: ReadonlySet<string>;
  limit: number;
  /** The further arguments of /get. */
  args: JmapObject;
}

// ---- /set

/** A record that a /set processes. Once `error` is set, later steps skip it. */
interface SetRecord {
  error?: SetError;
}
export interface CreateRecord extends SetRecord {
  creationId: string;
  /** Assigned before `check`. */
  id: number;
  wireId: string;
  /** All settable properties that are correct, with defaults filled in and references resolved. */
  after: JmapObject;
  /** What the client wrote. */
  given: JmapObject;
  /** What `create` returns to the client besides the id and the defaults. */
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
  /** Properties that changed without the client having asked for it. */
  response: JmapObject;
}
export interface DestroyRecord extends SetRecord {
  id: number;
  wireId: string;
  before: JmapObject;
}

export interface SetBatch {
  /** Records not refused yet, ordered by their references. */
  creates: CreateRecord[];
  updates: UpdateRecord[];
  destroys: DestroyRecord[];
  /** Refused for wrong properties: `check` should report what else is wrong with them. */
  refused: { creates: CreateRecord[]; updates: UpdateRecord[] };
  /** All arguments of the call, including the type's own. */
  args: JmapObject;
  /** The result of `prepare`. */
  prepared: unknown;
}

export interface SetHooks<K = WriteCall> {
  /** Further arguments of /set. */
  args?: Schema<object>;
  /** Properties of `before` that the other hooks need besides those that the client changes. */
  needs?: string[];
  /** Does the creates' blob and MIME work, before the account is locked. */
  prepare?(args: JmapObject, call: Call): Promise<unknown>;
  /**
   * Judges the final state in memory, under the account's lock, and refuses records.
   * Called again with the remaining ones until it refuses none.
   */
  check?(batch: SetBatch, call: K): Promise<void>;
  /** Each runs one batch of statements, never one for each record. The store functions called report `tx.changed`. */
  destroy(records: DestroyRecord[], batch: SetBatch, call: K): Promise<void>;
  update(records: UpdateRecord[], batch: SetBatch, call: K): Promise<void>;
  create(records: CreateRecord[], batch: SetBatch, call: K): Promise<void>;
  /** Unique constraint → the properties at fault. Without any, no savepoint is taken. */
  conflicts?: Record<string, string[]>;
  /** Calls that follow a success (onSuccessUpdateEmail). */
  implicit?(batch: SetBatch, call: K): { name: string; args: object }[];
  /** Further members of the response. */
  extra?(batch: SetBatch): object;
}

// ---- /copy

export interface CopyRecord {
  creationId: string;
  originalId: number;
  /** As the client wrote it. */
  originalWireId: string;
  /** The object that `read` found in the source account. */
  original: unknown;
  /** The properties that replace the original's: checked, with references resolved. */
  overrides: JmapObject;
  id: number;
  wireId: string;
  response: JmapObject;
  error?: SetError;
}

export interface CopyHooks {
  /** The properties that a client may give besides `id`. */
  overrides: string[];
  /** Reads from the source account; unknown ids are left out. */
  read(ids: number[], call: ReadCall): Promise<Map<number, unknown>>;
  /** Does blob and MIME work between the two accounts' transactions; sets `error` on records that it refuses. */
  prepare?(records: CopyRecord[], call: Call): Promise<void>;
  /** Sets `error` on records that it refuses, and on others the `response` besides the id. */
  create(records: CopyRecord[], call: WriteCall): Promise<void>;
}

// ---- /query

/** A checked filter: operators over the type's own criteria. */
export type FilterNode<C> = { operator: "AND" | "OR" | "NOT"; conditions: FilterNode<C>[] } | { criterion: C };

export interface SortKey<S> {
  by: S;
  ascending: boolean;
  /** By RFC 4790; undefined if the client named none. */
  collation: string | undefined;
}

export interface FilterProperty<C> {
  schema: Schema<unknown>;
  /** May throw MethodError("unsupportedFilter"). */
  criterion(value: never, call: Call): C;
}
export interface SortProperty<S> {
  /** Members of the comparator besides property, isAscending and collation (such as `keyword`). */
  args?: Schema<object>;
  collations?: string[];
  by(comparator: JmapObject): S;
}

/** A position (from the end if negative), or an offset from an anchor. */
export type Window = { position: number; limit: number } | { anchor: number; anchorOffset: number; limit: number };

export interface Query<C, S> {
  /** Undefined to match all objects. */
  filter: FilterNode<C> | undefined;
  sort: SortKey<S>[];
  /** All arguments of the call, including the type's own (collapseThreads, sortAsTree). */
  args: JmapObject;
  calculateTotal: boolean;
}

export interface QueryPage {
  ids: number[];
  /** The position of the first id; without ids, of the start of the window. */
  position: number;
  /** Set if it was asked for. */
  total?: number;
}

export interface QueryChangesRequest {
  since: State;
  /** The last id that the client knows, if it does not need the changes after it. */
  upToId: number | undefined;
  maxChanges: number | undefined;
}
export interface QueryChangesResult {
  removed: number[];
  /** In ascending order of index. */
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
  /** The state of the query's results; by default the type's state. */
  state?(query: Query<C, S>, reader: Reader): Promise<string>;
  queryChanges(
    query: Query<C, S>,
    request: QueryChangesRequest,
    reader: Reader,
    call: ReadCall,
  ): Promise<QueryChangesResult | "cannotCalculateChanges" | "tooManyChanges">;
}
