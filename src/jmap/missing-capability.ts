import type { Log } from "../base/log.ts";
import { MethodError } from "./errors.ts";
import type { Method } from "./method.ts";

/** Each client is logged once: at most so many logins, and so many clients of each login. */
const maxLogins = 1_000;
const maxClientsPerLogin = 10;
/** A longer User-Agent is cut before it is kept and logged. */
const maxAgentLength = 200;
/** User-Agents by login. */
const told = new WeakMap<Log, Map<string, Set<string>>>();

/** Who sent the request. */
export interface Client {
  login: string;
  /** The User-Agent, if the request has one. */
  agent?: string | undefined;
}

/**
 * RFC 8620 §1.8, §3.3: a method is unknown to a request that does not use its capability. A client that forgets to name
 * one fails without its user learning why, so the client and the log are both told which capability is missing.
 */
export function missingCapability(log: Log, { login, agent = "" }: Client, { name, capability }: Method): MethodError {
  const known = agent.slice(0, maxAgentLength);
  if (isNew(log, login, known)) {
    const fields = { login, agent: known, method: name, capability, option: "--relaxed-using" };
    log.warn(
      fields,
      "a client called a method without its capability in using: the call was refused; the option would allow it",
    );
  }
  return new MethodError("unknownMethod", `${name} needs ${capability} in using`);
}

function isNew(log: Log, login: string, agent: string): boolean {
  const logins = told.get(log) ?? new Map<string, Set<string>>();
  told.set(log, logins);
  const agents = logins.get(login) ?? new Set();
  if (agents.has(agent) || agents.size >= maxClientsPerLogin || (agents.size === 0 && logins.size >= maxLogins))
    return false;
  logins.set(login, agents.add(agent));
  return true;
}
