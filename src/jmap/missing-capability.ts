import type { Log } from "../base/log.ts";
import { MethodError } from "./errors.ts";
import type { Method } from "./method.ts";

/** So many clients are logged, each once. */
const mostTold = 1_000;
const told = new WeakMap<Log, Set<string>>();

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
  const clients = told.get(log) ?? new Set();
  told.set(log, clients);
  const client = `${login} ${agent}`;
  if (!clients.has(client) && clients.size < mostTold) {
    clients.add(client);
    const fields = { login, agent: agent.slice(0, 200), method: name, capability, option: "--relaxed-using" };
    log.warn(
      fields,
      "a client calls a method without its capability in using: it is refused, unless the option is set",
    );
  }
  return new MethodError("unknownMethod", `${name} needs ${capability} in using`);
}
