import { type TypeName, typeCodes } from "../store/core/change.ts";
import { decodeState } from "../store/core/state.ts";
import type { ChangeEvent, Watched } from "./carrier.ts";
import type { States } from "./states.ts";

/** What a carrier sends as text; `from` lets a process ignore its own echo. */
export interface Message {
  from: string;
  /** The sender listens; `hello` asks the others to say that they do too. */
  presence?: "hello" | "here" | "bye";
  changes?: ChangeEvent[];
  revoked?: string[];
  queued?: boolean;
  watched?: Watched[];
}

type Parsed = Message & Required<Omit<Message, "presence">>;

/** Undefined for a message that this program would not send: others may have access to the database or to Redis. */
export function parseMessage(payload: string): Parsed | undefined {
  try {
    const message = JSON.parse(payload) as Partial<Record<keyof Message, unknown>> | null;
    if (typeof message !== "object" || message === null || typeof message.from !== "string") return undefined;
    const { from, presence, changes = [], revoked = [], queued = false, watched = [] } = message;
    if (presence !== undefined && presence !== "hello" && presence !== "here" && presence !== "bye") return undefined;
    if (!Array.isArray(changes) || !changes.every(isChange)) return undefined;
    if (!Array.isArray(revoked) || !revoked.every((name) => typeof name === "string")) return undefined;
    if (typeof queued !== "boolean") return undefined;
    if (!Array.isArray(watched) || !watched.every((one) => one === "mail" || one === "acts")) return undefined;
    return { from, ...(presence && { presence }), changes, revoked, queued, watched };
  } catch {
    return undefined;
  }
}

function isChange(value: unknown): value is ChangeEvent {
  const { accountId, changed, committedAt } = (value ?? {}) as Partial<ChangeEvent>;
  if (committedAt !== undefined && !Number.isSafeInteger(committedAt)) return false;
  return Number.isSafeInteger(accountId) && typeof changed === "object" && changed !== null && isStates(changed);
}

function isStates(changed: object): changed is States {
  return Object.entries(changed).every(
    ([type, state]) => typeCodes[type as TypeName] !== undefined && typeof state === "string" && decodeState(state),
  );
}
