import { getHeapStatistics } from "node:v8";
import type { Authenticator, Login } from "../auth/login.ts";
import type { Clock, Random } from "../base/clock.ts";
import type { Events } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import type { RateLimit } from "../base/shared-counts.ts";
import type { Ingest } from "../mail/deliver/ingest.ts";
import type { ReturnPaths } from "../mail/feedback/return-path.ts";
import type { Learner } from "../mail/scan/learner.ts";
import type { Scanners } from "../mail/scan/scanners.ts";
import type { Bus } from "../push/bus.ts";
import type { Poster } from "../push/webpush/post.ts";
import type { WebPush } from "../push/webpush/webpush.ts";
import type { Blobs } from "../store/blobs/blobs.ts";
import type { Reader, Store, Tx } from "../store/core/store.ts";
import { OctetPool, type Octets } from "./octets.ts";
import type { Schema } from "./schema.ts";

/** RFC 8620 §2: the limits that the core capability announces and dispatch enforces. */
export interface Limits {
  maxSizeUpload: number;
  maxConcurrentUpload: number;
  maxSizeRequest: number;
  maxConcurrentRequests: number;
  maxCallsInRequest: number;
  maxObjectsInGet: number;
  maxObjectsInSet: number;
  /** The most ids in one /query response. */
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

/** No larger blob is read whole. A message of the largest size fits with its trace fields; an archive of an account need not. */
export const maxSizeRead = ({ maxSizeUpload }: Limits): number => 1.5 * maxSizeUpload;

/**
 * One request may answer 1.5 times the largest upload, so a message of that size fits with its trace fields. Escaped as
 * control characters (six octets each), that still fits into V8's longest string, half a billion characters.
 */
export function octetPool(limits: Limits): OctetPool {
  const max = Math.min(4 * limits.maxSizeUpload, getHeapStatistics().heap_size_limit / 16);
  return new OctetPool(max, Math.min(maxSizeRead(limits), max));
}

/** How long bytes are kept that nothing has taken up; RFC 8620 §6 asks for at least an hour. */
export const uploadLifeMs = 24 * 3_600_000;

/** What methods may use; created once at startup. */
export interface Services {
  store: Store;
  blobs: Blobs;
  ingest: Ingest;
  returnPaths: ReturnPaths;
  webPush: WebPush;
  /** Tells all processes that credentials were revoked. */
  bus: Pick<Bus, "publish">;
  authenticator: Pick<Authenticator, "checkFirstFactor" | "wasVerifiedBy">;
  /** Counts the app passwords that each login makes. */
  newAppPasswords: RateLimit;
  /** POSTs to servers that mails name. */
  poster: Pick<Poster, "post">;
  /** Counts the lists that each login leaves. */
  unsubscribes: RateLimit;
  scanners: Scanners;
  learner: Learner;
  /** Whether accounts may send to so many recipients an hour and a day. */
  hasSendingLimits: boolean;
  /** How long what was destroyed can come back. */
  keepDeletedForMs: number;
  clock: Clock;
  random: Random;
  log: Log;
  events: Events;
  limits: Limits;
  octets: OctetPool;
}

/** A call that is being answered: who asks, for which account, and the services at hand. */
export interface Call {
  readonly services: Services;
  readonly login: Login;
  /** The account's number, once it is known that the login may open it; 0 for methods without an account. */
  readonly accountId: number;
  /** The account as the client wrote it. */
  readonly account: string;
  /** The capabilities in `using`, or all of them if the server does not insist on `using`. */
  readonly using: ReadonlySet<string>;
  readonly octets: Octets;
  /** The id of a record created earlier in this request, by its creation id (without "#"). */
  createdId(creationId: string): string | undefined;
  /**
   * Decodes another account that the arguments name, as /copy does, and checks that the login may open it.
   * Throws accountNotFound or accountReadOnly, or the given `error`.
   */
  openAccount(account: string, mode: "read" | "write", error?: "fromAccountNotFound"): number;
}

export interface ReadCall extends Call {
  /** The snapshot shared by consecutive reads of one account. */
  readonly reader: Reader;
}

export interface WriteCall extends Call {
  readonly tx: Tx;
  /** The same object as `tx`, for code that only reads. */
  readonly reader: Reader;
}

/** A call that another call triggers; its response follows with the same call id. */
export interface ImplicitCall {
  name: string;
  args: object;
}

export interface MethodResult {
  response: object;
  /** Creation id → id; later calls see it once everything is committed. */
  created?: Record<string, string>;
  /** Run in the same transaction if they write to the same account, otherwise after it. */
  implicit?: ImplicitCall[];
}

/**
 * none: no account. read: `run` gets a snapshot. write: `run` is called inside `store.write`, perhaps more than once,
 * so it must have no effect outside the transaction. own: has an account, but opens its own transactions.
 */
export type Access = "none" | "read" | "write" | "own";

export interface Method {
  readonly name: string;
  /** A request that does not use this capability is answered unknownMethod. */
  readonly capability: string;
  readonly access: Access;
  /** For "own": whether it writes to `accountId`; a read-only account then refuses the call. */
  readonly writes?: boolean;
  /** An object schema; it has `accountId` unless the access is "none". */
  readonly args: Schema<unknown>;
  /** For "read": it reads the state before the data, so the state may be the older one; alone it needs no snapshot. */
  readonly stateFirst?: boolean;
  /** How many new ids a write needs; they are reserved with the account's row. */
  ids?(args: unknown): number;
  /** A write's network, MIME and blob work, done before the account is locked. */
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
