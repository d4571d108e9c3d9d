import { isIP } from "node:net";
import { isPrivateAddress } from "../../base/private-address.ts";
import { type DnsResolver, isAbsent, withTimeout } from "../resolver.ts";
import type { Answer } from "./reply.ts";

/** A server to try: its name, for TLS and reports, and one of its addresses. */
export interface Target {
  name: string;
  address: string;
  port: number;
}

export interface RouteOptions {
  resolver: DnsResolver;
  hostname: string;
  mxPort: number;
  /** Deliver to loopback and private addresses too. */
  allowPrivateTargets: boolean;
}

/** No server can be tried; carries the answer for each recipient. */
export class NoRoute extends Error {
  readonly answer: Answer;

  constructor(kind: "deferred" | "failed", smtpReply: string) {
    super(smtpReply);
    this.answer = { kind, smtpReply, cause: "route" };
  }
}

const maxHosts = 5;
const maxAddresses = 8;
const maxDnsMs = 10_000;

/** RFC 5321 §5.1: the servers of a domain (or of one host) in the order to try them. Throws NoRoute. */
export async function findTargets(
  domain: string,
  options: RouteOptions,
  kind: "domain" | "host" = "domain",
): Promise<Target[]> {
  const hosts = kind === "host" ? [domain] : await mailHosts(domain, options);
  const targets: Target[] = [];
  let isUnanswered = false;
  for (const name of hosts.slice(0, maxHosts)) {
    const found = await addressesOf(name, options);
    if (found.isUnanswered) isUnanswered = true;
    for (const address of found.addresses) targets.push({ name, address, port: options.mxPort });
  }
  if (targets.length === 0 && isUnanswered) throw new NoRoute("deferred", "451 4.4.3 DNS did not answer");
  if (targets.length === 0) throw new NoRoute("failed", `550 5.1.2 no mail server of ${domain} has an address`);
  const allowed = targets.filter(({ address }) => options.allowPrivateTargets || !isPrivateAddress(address));
  if (allowed.length === 0) throw new NoRoute("failed", `550 5.4.4 ${domain} is only at private addresses`);
  return allowed.slice(0, maxAddresses);
}

async function mailHosts(domain: string, { resolver, hostname }: RouteOptions): Promise<string[]> {
  let records: { priority: number; exchange: string }[];
  try {
    records = await withTimeout(resolver.resolveMx(domain), maxDnsMs, domain);
  } catch (error) {
    if (!isAbsent(error)) throw new NoRoute("deferred", "451 4.4.3 DNS did not answer");
    // RFC 5321 §5.1: a domain without MX is its own mail server.
    return [domain];
  }
  if (records.length === 0) return [domain];
  const names = shuffled(records)
    .sort((a, b) => a.priority - b.priority)
    .map(({ exchange, priority }) => ({ name: exchange.replace(/\.$/, "").toLowerCase(), priority }));
  // RFC 7505: the domain accepts no mail.
  if (names.every(({ name }) => name === "")) throw new NoRoute("failed", `556 5.1.10 ${domain} takes no mail`);
  const ourselves = names.find(({ name }) => name === hostname.toLowerCase());
  const better = names.filter(({ name, priority }) => name !== "" && priority < (ourselves?.priority ?? Infinity));
  if (better.length === 0) throw new NoRoute("failed", `554 5.4.6 mail for ${domain} would come back to us`);
  return [...new Set(better.map(({ name }) => name))];
}

/** Servers of equal preference share the load. */
function shuffled<T>(list: T[]): T[] {
  return list
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

async function addressesOf(
  name: string,
  { resolver }: RouteOptions,
): Promise<{ addresses: string[]; isUnanswered: boolean }> {
  if (isIP(name)) return { addresses: [name], isUnanswered: false };
  const found = await Promise.allSettled([
    withTimeout(resolver.resolve4(name), maxDnsMs, name),
    withTimeout(resolver.resolve6(name), maxDnsMs, name),
  ]);
  return {
    addresses: found.flatMap((result) => (result.status === "fulfilled" ? result.value : [])),
    isUnanswered: found.some((result) => result.status === "rejected" && !isAbsent(result.reason)),
  };
}
