import { getHeapStatistics } from "node:v8";
import type { Login } from "../auth/login.ts";
import type { Clock, Random } from "../base/clock.ts";
import type { Events } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import type { Ingest } from "../mail/deliver/ingest.ts";
import type { WebPush } from "../push/webpush/webpush.ts";
import type { Blobs } from "../store/blobs/blobs.ts";
import type { Reader, Store, Tx } from "../store/core/store.ts";
import { OctetPool, type Octets } from "./octets.ts";
import type { Schema } from "./schema.ts";

/** RFC 8620 §2: what the core capability tells clients, and dispatch enforces. */
export interface Limits {
  maxSizeUpload: number;
  maxConcurrentUpload: number;
  maxSizeRequest: number;
  maxConcurrentRequests: number;
  maxCallsInRequest: number;
  maxObjectsInGet: number;
  maxObjectsInSet: number;
  /** The most ids that one /query answers. */
  maxObjectsInQuery: number;
}

export const defaultLimits: Limits = {
  maxSizeUpload: 50_000_000,
  maxConcurrentUpload: 4,
  maxSizeRequest: 10_000_000,
  maxConcurrentRequests: 8,
  maxCallsInRequest: 50,
  maxObjectsInGet: 1000,
  maxObjectsInSet: 1000,
  maxObjectsInQuery: 5000,
};

/**
 * A message may be as large as an upload, and then has trace fields in front; JSON of control characters has six octets
 * for one, and there is no longer text than half a billion.
 */
export function octetPool({ maxSizeUpload }: Limits): OctetPool {
  const most = Math.min(4 * maxSizeUpload, getHeapStatistics().heap_size_limit / 16);
  return new OctetPool(most, Math.min(1.5 * maxSizeUpload, most));
}

/** How long bytes that nothing takes up are kept, in ms; RFC 8620 §6 asks for an hour at least. */
export const uploadLife = 24 * 3_600_000;

/** What methods may use; made once at the start. */
export interface Services {
  store: Store;
  blobs: Blobs;
  ingest: Ingest;
  webPush: WebPush;
  clock: Clock;
  random: Random;
  log: Log;
  events: Events;
  limits: Limits;
  octets: OctetPool;
}

/** A call being answered: who asks, for which account, with what at hand. */
export interface Call {
  readonly services: Services;
  readonly login: Login;
  /** Decoded and checked: the login may open it. 0 for methods without an account. */
  readonly accountId: number;
  /** The account as the client wrote it. */
  readonly account: string;
  /** The capabilities in `using`; all of them where the server does not mind it. */
  readonly using: ReadonlySet<string>;
  readonly octets: Octets;
  /** The id of a record that an earlier call of this request made, by its creation id (without "#"). */
  createdId(creationId: string): string | undefined;
  /**
   * Decodes and checks another account that the arguments name (as /copy does).
   * Throws accountNotFound or accountReadOnly, or the `error` given.
   */
  openAccount(account: string, mode: "read" | "write", error?: "fromAccountNotFound"): number;
}

export interface ReadCall extends Call {
  /** A snapshot that consecutive reading calls on one account share. */
  readonly reader: Reader;
}

export interface WriteCall extends Call {
  readonly tx: Tx;
  /** The same as `tx`, for what only reads. */
  readonly reader: Reader;
}

/** A call that this one brings along; its response follows with the same call id. */
export interface ImplicitCall {
  name: string;
  args: object;
}

export interface MethodResult {
  response: object;
  /** Creation id → id, told to later calls once everything is committed. */
  created?: Record<string, string>;
  /** Run in the same transaction when they write the same account, after it otherwise. */
  implicit?: ImplicitCall[];
}

/**
 * none: no account. read: `run` gets a snapshot. write: `run` is inside `store.write` and may run again,
 * so it must have no effect outside. own: an account, but the method opens its own transactions.
 */
export type Access = "none" | "read" | "write" | "own";

export interface Method {
  readonly name: string;
  /** It is unknown to requests that do not use this one. */
  readonly capability: string;
  readonly access: Access;
  /** For "own": whether it writes to `accountId`, which a read-only account then refuses. */
  readonly writes?: boolean;
  /** An object schema; for all but "none" it has `accountId`. */
  readonly args: Schema<unknown>;
  /** For "read": its state may be older than what it tells, so alone it needs no snapshot. It asks for the state first. */
  readonly stateFirst?: boolean;
  /** How many new ids a write will want: they come with the account's row. */
  ids?(args: unknown): number;
  /** Network, MIME and blob work of a write, done before the account is held. */
  prepare?(args: unknown, call: Call): Promise<unknown>;
  run(args: unknown, call: unknown, prepared: unknown): Promise<MethodResult>;
}

interface Definition<A> {
  name: string;
  capability: string;
  args: Schema<A>;
}

export function plainMethod<A>(method: Definition<A> & { run(args: A, call: Call): Promise<MethodResult> }): Method {
  return { ...method, access: "none", run: (args, call) => method.run(args as A, call as Call) };
}

export function readMethod<A extends { accountId: string }>(
  method: Definition<A> & { stateFirst?: true; run(args: A, call: ReadCall): Promise<MethodResult> },
): Method {
  return { ...method, access: "read", run: (args, call) => method.run(args as A, call as ReadCall) };
}

export function writeMethod<A extends { accountId: string }, P = undefined>(
  method: Definition<A> & {
    ids?(args: A): number;
    prepare?(args: A, call: Call): Promise<P>;
    run(args: A, call: WriteCall, prepared: P): Promise<MethodResult>;
  },
): Method {
  const { ids, prepare, run } = method;
  return {
    name: method.name,
    capability: method.capability,
    args: method.args,
    access: "write",
    ...(ids && { ids: (args: unknown) => ids(args as A) }),
    ...(prepare && { prepare: (args: unknown, call: Call) => prepare(args as A, call) }),
    run: (args, call, prepared) => run(args as A, call as WriteCall, prepared as P),
  };
}

/** For methods that open their own transactions. */
export function ownMethod<A extends { accountId: string }>(
  method: Definition<A> & { writes: boolean; run(args: A, call: Call): Promise<MethodResult> },
): Method {
  return { ...method, access: "own", run: (args, call) => method.run(args as A, call as Call) };
}
