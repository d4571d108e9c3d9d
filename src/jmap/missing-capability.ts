import type { Log } from "../base/log.ts";
import { MethodError } from "./errors.ts";
import type { Method } from "./method.ts";

/** The most logins whose clients are logged, and the most clients of each; every client once. */
const mostLogins = 1_000;
const mostClients = 10;
/** What is kept and logged of a User-Agent. */
const longestAgent = 200;
/** User-Agents by login. */
const told = new WeakMap<Log, Map<string, Set<string>>>();

/** Who sent the request. */
export interface Client {
  login: string;
  /** The User-Agent, where there is one. */
  agent?: string | undefined;
}

/**
 * RFC 8620 §1.8, §3.3: to a request that does not use its capability, a method is unknown. Clients that forget it lose what
 * they meant to do without a word to their users: so both sides are told what is missing.
 */
export function missingCapability(log: Log, { login, agent = "" }: Client, { name, capability }: Method): MethodError {
  const known = agent.slice(0, longestAgent);
  if (isNew(log, login, known)) {
    const fields = { login, agent: known, method: name, capability, option: "--relaxed-using" };
    log.warn(
      fields,
      "a client calls a method without its capability in using: it is refused, unless the option is set",
    );
  }
  return new MethodError("unknownMethod", `${name} needs ${capability} in using`);
}

function isNew(log: Log, login: string, agent: string): boolean {
  const logins = told.get(log) ?? new Map<string, Set<string>>();
  told.set(log, logins);
  const agents = logins.get(login) ?? new Set();
  if (agents.has(agent) || agents.size >= mostClients || (agents.size === 0 && logins.size >= mostLogins)) return false;
  logins.set(login, agents.add(agent));
  return true;
}
