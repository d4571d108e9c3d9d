import { MethodFailed } from "../shared/jmap/errors.ts";
import type { ResultReference } from "../shared/jmap/methods.ts";
import type { SetError } from "../shared/jmap/types.ts";
import { refusalWords } from "./parts/refusals.ts";
import { jmap } from "./session.ts";

/** docs/jmap.md describes the types of the operators' capability. */
export interface Listed {
  Account: {
    id: string;
    login: string;
    name: string;
    createdAt: string;
    used: number | null;
    quota: number | null;
    isHeld: boolean;
    operator: string | null;
    addresses?: { address: string; forwards: string[]; keepsCopy: boolean }[];
    shares?: string[];
  };
  Address: {
    id: string;
    address: string;
    accountId: string;
    login: string | null;
    forwards: string[];
    keepsCopy: boolean;
    isMain: boolean;
  };
  Credential: {
    id: string;
    accountId: string;
    kind: "token" | "app-password" | "sign-in";
    label: string;
    agent: string | null;
    createdAt: string;
    expiresAt: string | null;
    lastUsedAt: string | null;
    network: string | null;
  };
  Domain: {
    id: string;
    name: string;
    createdAt: string;
    selector: string;
    records?: DnsRecord[];
    zone?: string;
    check?: Checked[];
    rotation?: Rotation;
    /** Without a policy `mode` is null. */
    mtaSts?: { mode: StsMode | null; mx: string[]; records: DnsRecord[] };
  };
  MaskedAddress: {
    id: string;
    accountId: string;
    email: string;
    label: string;
    state: "pending" | "enabled" | "disabled" | "deleted";
    createdAt: string;
    messages: number;
    lastMessageAt: string | null;
  };
  Operator: { id: string; login: string; role: string; domains: string[] | null; createdAt: string };
  Quarantined: {
    id: string;
    createdAt: string;
    size: number;
    mailFrom: string;
    recipients: string[];
    virus: string;
    junkReason: string | null;
    header?: string;
  };
  Suppression: {
    id: string;
    accountId: string | null;
    login: string | null;
    address: string;
    reason: string;
    since: string;
  };
  Standing: {
    id: string;
    login: string;
    hold: { at: string; reason: string; text: string } | null;
    waiting: number;
    hourly: number | null;
    daily: number | null;
    limits?: { hourly: number | null; daily: number | null };
    sent?: Record<"hour" | "day" | "week", Sent>;
    goodDays?: number;
  };
  Report: {
    id: string;
    kind: string;
    domain: string;
    organization: string;
    sender: string;
    begins: string;
    ends: string;
    receivedAt: string;
    passed: number;
    failed: number;
    policy?: Record<string, unknown>;
    rows?: { source: string; result: string; number: number; what: Record<string, unknown> }[];
  };
  AuditEntry: {
    id: string;
    accountId: string | null;
    at: string;
    who: string;
    what: { act: string } & Record<string, string | number | null>;
  };
  QueuedMessage: {
    id: string;
    name: string;
    accountId: string;
    login: string | null;
    mailFrom: string;
    createdAt: string;
    sendAt: string;
    deliveries: Delivery[];
    attempts?: Attempt[];
  };
}
export type TypeName = keyof Listed;

export interface Sent {
  messages: number;
  recipients: number;
  spam: number;
  away: number;
  hard: number;
  complaints: number;
}

export interface Story {
  id: string | null;
  messageId: string | null;
  events: { at: string; event: string; fields: Record<string, unknown> }[];
  attempts: Attempt[];
  deliveries: { rcptTo: string; state: Delivery["state"]; reply: string }[];
  incoming?: { attempts: number; lastError: string | null; isSetAside: boolean } | null;
}

export type StsMode = "testing" | "enforce" | "none";

export interface Rotation {
  step: "begin" | "publish" | "switch" | "wait";
  fresh: { name: string; value: string; isPublished: boolean }[];
  /** Names of records. */
  retired: string[];
  until: string | null;
}

export interface DnsRecord {
  purpose: string;
  name: string;
  type: string;
  value: string;
  note?: string;
}

export interface Checked {
  record: string;
  name: string;
  state: "right" | "missing" | "wrong" | "unknown";
  found: string[];
  expected: string | null;
  advice: string | null;
  needed: boolean;
}

export interface Delivery {
  rcptTo: string;
  state: "waiting" | "trying" | "held" | "delayed" | "sent" | "failed" | "canceled";
  attempts: number;
  nextAttemptAt: string | null;
  reply: string;
  route: string | null;
  heldFor: string | null;
}

export interface Attempt {
  at: string;
  milliseconds: number;
  recipients: string[];
  host: string | null;
  address: string | null;
  tls: string | null;
  outcome: "sent" | "deferred" | "failed";
  reply: string;
  error: string | null;
  transcript: string;
}

type Reference = { [name: `#${string}`]: ResultReference };

/** One call. The names and arguments are those of the operators' capability, which the client's own table does not have. */
function call<R>(name: string, args: object) {
  const send = jmap().call as unknown as (
    name: string,
    args: object,
  ) => Promise<R> & { ref(path: string): ResultReference };
  return send.call(jmap(), name, args);
}

/** A method that is no /get, /query or /set. */
export function ask<R>(name: string, args: object = {}): Promise<R> {
  return call<R>(name, args).catch(inWords);
}

export interface ListPage<T> {
  rows: T[];
  next: string | null;
}

interface Wanted {
  filter?: object;
  after?: string | undefined;
  limit?: number;
  properties?: readonly string[];
}

/** A page of a list. */
export async function list<N extends TypeName>(
  type: N,
  { filter = {}, after, limit, properties }: Wanted,
): Promise<ListPage<Listed[N]>> {
  const query = call<{ ids: string[]; next: string | null }>(`${type}/query`, {
    filter,
    after: after ?? null,
    ...(limit && { limit }),
  });
  const args: Reference & { properties?: readonly string[] } = {
    "#ids": query.ref("/ids"),
    ...(properties && { properties }),
  };
  const get = call<{ list: Listed[N][] }>(`${type}/get`, args);
  // Both fail when one does; only the first says why.
  get.catch(() => {});
  const { next } = await query.catch(inWords);
  return { rows: (await get.catch(inWords)).list, next };
}

/** One object; undefined if it is gone. `properties`: further ones, beside those that are always there. */
export async function get<N extends TypeName>(
  type: N,
  id: string,
  properties?: readonly string[],
): Promise<Listed[N] | undefined> {
  const { list: found } = await call<{ list: Listed[N][] }>(`${type}/get`, {
    ids: [id],
    ...(properties && { properties }),
  }).catch(inWords);
  return found[0];
}

/** What was done to those that match, or would be. */
export interface Swept {
  changed: number;
  left: number;
}

interface Sweep {
  /** Such as QueuedMessage/order. */
  name: string;
  filter: object;
  args: object;
  isDryRun: boolean;
  /** It ends when so many are changed. (Default: all) */
  most?: number | undefined;
  /** Called after each page; false ends it there. */
  tell(done: Swept): boolean;
}

/** Acts on all that a filter matches, page by page, or counts them. */
export async function sweep({ name, filter, args, isDryRun, most, tell }: Sweep): Promise<Swept> {
  const done = { changed: 0, left: 0 };
  let after: string | null = null;
  do {
    const bound = most !== undefined && { most: most - done.changed };
    const page: Swept & { next: string | null } = await ask(name, { filter, after, isDryRun, ...bound, ...args });
    done.changed += page.changed;
    done.left += page.left;
    after = page.next;
  } while (tell({ ...done }) && after !== null && done.changed < (most ?? Infinity));
  return done;
}

interface SetAnswer<T> {
  created: Record<string, T> | null;
  notCreated: Record<string, SetError> | null;
  updated: Record<string, T | null> | null;
  notUpdated: Record<string, SetError> | null;
  destroyed: string[] | null;
  notDestroyed: Record<string, SetError> | null;
}

/** Makes an object; returns what the server says of it. Throws in words for people. */
export async function create<T extends { id: string } = { id: string }>(type: string, given: object): Promise<T> {
  const { created, notCreated } = await call<SetAnswer<T>>(`${type}/set`, { create: { new: given } }).catch(inWords);
  throwRefused(notCreated);
  return created!.new!;
}

export async function update(type: string, id: string, patch: object): Promise<void> {
  const { notUpdated } = await call<SetAnswer<unknown>>(`${type}/set`, { update: { [id]: patch } }).catch(inWords);
  throwRefused(notUpdated);
}

export async function destroy(type: string, id: string): Promise<void> {
  const { notDestroyed } = await call<SetAnswer<unknown>>(`${type}/set`, { destroy: [id] }).catch(inWords);
  throwRefused(notDestroyed);
}

function throwRefused(refused: Record<string, SetError> | null): void {
  for (const error of Object.values(refused ?? {})) throw new Error(refusalWords(error));
}

function inWords(error: unknown): never {
  if (error instanceof MethodFailed) throw new Error(refusalWords({ type: error.type, description: error.message }));
  throw error;
}
