import { encodeId, idPrefix } from "../base/ids.ts";
import { type TypeName, typeCodes, typeNames } from "../store/core/change.ts";
import { decodeState, encodeState, type Standing } from "../store/core/state.ts";

/** Type → its state string. */
export type States = Partial<Record<TypeName, string>>;
/** Account → the states of its types, or of those that changed. */
export type AccountStates = Map<number, States>;

/** RFC 8620 §7.2: a PushSubscription belongs to no account and has no state. */
export const pushedTypes: readonly TypeName[] = typeNames.filter((type) => type !== "PushSubscription");

const namesOfCodes = new Map(pushedTypes.map((type) => [String(typeCodes[type]), type]));

/** The types that a client named; null means all. An unknown name belongs to an extension we lack and is never pushed. */
export function chooseTypes(names: readonly string[] | null): ReadonlySet<TypeName> {
  return new Set(names === null ? pushedTypes : pushedTypes.filter((type) => names.includes(type)));
}

/** Whether `state` is later than `than`. Epochs count first, since a restore from backup may have set modseqs back. */
export function isNewer(state: string, than: string | undefined): boolean {
  if (than === undefined) return true;
  const a = decodeState(state);
  const b = decodeState(than);
  if (!a || !b) return state !== than;
  return a.epoch === b.epoch ? a.modseq > b.modseq : a.epoch > b.epoch;
}

/** The later of two states of a type. */
export function newest(a: string | undefined, b: string | undefined): string | undefined {
  return a !== undefined && isNewer(a, b) ? a : b;
}

/** Keeps the newer state of each type, since events of concurrent commits may arrive out of order. */
export function mergeStates(into: States, changed: States): void {
  for (const [type, state] of Object.entries(changed) as [TypeName, string][]) {
    if (isNewer(state, into[type])) into[type] = state;
  }
}

/** The earlier of two times, of which either may be unknown. */
export function older(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** How long ago a change was committed. Clocks of machines differ, so it is never negative. */
export function lagSeconds(committedAt: number | undefined): number | undefined {
  return committedAt === undefined ? undefined : Math.max(0, Date.now() - committedAt) / 1000;
}

/** The current state of each pushed type of an account. */
export function statesOf({ epoch, newest }: Standing): States {
  return Object.fromEntries(pushedTypes.map((type) => [type, encodeState({ epoch, modseq: newest[type] })]));
}

/** RFC 8620 §7.1, RFC 8887 §4.3.5.1 */
export interface StateChange {
  "@type": "StateChange";
  changed: Record<string, States>;
  pushState?: string;
}

export function stateChange(changed: AccountStates, pushState?: string): StateChange {
  return {
    "@type": "StateChange",
    changed: Object.fromEntries(
      [...changed].map(([accountId, states]) => [encodeId(idPrefix.account, accountId), states]),
    ),
    ...(pushState !== undefined && { pushState }),
  };
}

/** Encodes everything a client has been told as one opaque string: an event id, or the pushState of RFC 8887. */
export function encodePushState(known: AccountStates): string {
  const accounts = [...known].map(([accountId, states]) => [
    accountId,
    Object.fromEntries(Object.entries(states).map(([type, state]) => [typeCodes[type as TypeName], state])),
  ]);
  return Buffer.from(JSON.stringify(Object.fromEntries(accounts))).toString("base64url");
}

/** Undefined for any other text; the client is then sent the current states. */
export function decodePushState(text: string): AccountStates | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    return undefined;
  }
  if (!isObject(parsed)) return undefined;
  const known: AccountStates = new Map();
  for (const [accountId, codes] of Object.entries(parsed)) {
    if (!/^\d{1,15}$/.test(accountId) || !isObject(codes)) return undefined;
    const states: States = {};
    for (const [code, state] of Object.entries(codes)) {
      const type = namesOfCodes.get(code);
      if (type && typeof state === "string" && decodeState(state)) states[type] = state;
    }
    known.set(Number(accountId), states);
  }
  return known;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
