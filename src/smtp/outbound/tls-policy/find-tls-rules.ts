import type { TLSSocket } from "node:tls";
import type { Clock } from "../../../base/clock.ts";
import type { Failure } from "../failure.ts";
import { noVerifiedWay } from "../require-tls.ts";
import type { Target } from "../route.ts";
import { Unreachable } from "../session.ts";
import { anyTls, type FindTlsRules, type TlsRules, verifiedTls } from "../tls-rules.ts";
import { type DaneFound, daneOf, secureHosts } from "./dane.ts";
import type { TlsaRecord } from "./dns-message.ts";
import { DnsFailed, type DnssecResolver } from "./dnssec-resolver.ts";
import type { StsFound, StsPolicies } from "./sts-policies.ts";
import { namesHost } from "./sts-policy.ts";
import { certificateFaultOf, handshakeFault, noTls, type TlsFault } from "./tls-fault.ts";
import { chainOf, matchesTlsa } from "./tlsa.ts";

/** none: never TLS. may: if offered. encrypt: always. verify: always, with a certificate valid for the server's name. */
export type TlsLevel = "none" | "may" | "encrypt" | "verify";

/** RFC 8460 §4.4: the policy by which a connection was judged. */
export interface JudgingPolicy {
  type: "tlsa" | "sts" | "no-policy-found";
  /** Its lines or records. */
  strings: string[];
  /** Of MTA-STS, the hosts that it names. */
  mx: string[];
}

/** A connection to another server was made, or was not for want of the TLS that is asked for. */
export interface TlsSession {
  domain: string;
  policy: JudgingPolicy;
  server: Target;
  /** Undefined: it has TLS, and the certificate that the policy asks for. */
  fault: TlsFault | undefined;
}

export interface TlsPolicyOptions {
  /** What the operator decided, by domain; it takes the place of what the domain says of itself. */
  levels: ReadonlyMap<string, TlsLevel>;
  /** A resolver whose word on DNSSEC is trusted; without one there is no DANE. */
  dnssec: DnssecResolver | undefined;
  sts: Pick<StsPolicies, "find">;
  clock: Clock;
  onSession(session: TlsSession): void;
}

/** The rules by which mail for a domain goes to its servers: the operator's, else DANE's (RFC 7672), else MTA-STS's (RFC 8461). */
export function tlsRulesBy(options: TlsPolicyOptions): FindTlsRules {
  return async (domain, server, wish) => {
    const level = levelFor(domain, options.levels);
    if (wish === "required") return requiredOf(domain, server, level, options);
    if (level !== undefined) return ruled[level](server);
    // RFC 8689 §3: neither DANE nor MTA-STS keeps the message back.
    if (wish === "waived") return anyTls;
    return (await byDane(domain, server, options)) ?? (await bySts(domain, server, options));
  };
}

const ruled: Record<TlsLevel, (server: Target) => TlsRules> = {
  none: () => ({ key: "none", isRequired: false, isOff: true }),
  may: () => anyTls,
  encrypt: () => ({ key: "encrypt", isRequired: true }),
  verify: ({ name }) => verifiedTls(name),
};

/**
 * RFC 8689 §4.2.1: the server's name must be known from signed DNS, from an MTA-STS policy or from the operator, or be the
 * domain itself, and its certificate must be valid. Throws Unreachable.
 */
async function requiredOf(
  domain: string,
  server: Target,
  level: TlsLevel | undefined,
  options: TlsPolicyOptions,
): Promise<TlsRules> {
  if (level === "verify" || server.name === domain.toLowerCase()) return verifiedTls(server.name);
  const { dnssec, sts } = options;
  if (dnssec) {
    const byDns = await byDane(domain, server, options);
    if (byDns) return byDns.refuses ? byDns : verifiedTls(server.name);
    const hosts = await secureHosts(domain, dnssec).catch(() => undefined);
    if (hosts) return verifiedTls(server.name);
  }
  const found = await sts.find(domain);
  const isNamed = found && "policy" in found && found.policy.mode !== "none" && namesHost(found.policy, server.name);
  if (!isNamed) throw noVerifiedWay(server);
  return verifiedTls(server.name);
}

/** The level for the domain itself, else for the nearest domain above it whose rule holds for its subdomains, else for all. */
function levelFor(domain: string, levels: ReadonlyMap<string, TlsLevel>): TlsLevel | undefined {
  if (levels.size === 0) return undefined;
  const labels = domain.toLowerCase().split(".");
  const above = labels.slice(1).map((_, at) => `.${labels.slice(at + 1).join(".")}`);
  const name = [labels.join("."), ...above, "*"].find((one) => levels.has(one));
  return name === undefined ? undefined : levels.get(name);
}

type Told = Pick<TlsPolicyOptions, "onSession"> & { domain: string; server: Target; policy: JudgingPolicy };

/** Tells what became of a connection; `judge` judges one that has TLS. */
function observing(told: Told, judge: (socket: TLSSocket) => TlsFault | undefined): Pick<TlsRules, "observe"> {
  const { onSession, ...session } = told;
  return {
    observe: (opened: TLSSocket | Failure | undefined) => {
      const fault = opened === undefined ? noTls : opened instanceof Error ? handshakeFault(opened) : judge(opened);
      onSession({ ...session, fault });
    },
  };
}

/** RFC 3463 §3.8: no mail goes to the server, perhaps later. */
function refuse({ onSession, ...session }: Told, fault: TlsFault): never {
  onSession({ ...session, fault });
  const { name, address } = session.server;
  throw new Unreachable({
    kind: "deferred",
    smtpReply: `451 4.7.5 ${name} [${address}]: ${fault.words}`,
    remote: name,
  });
}

async function byDane(domain: string, server: Target, options: TlsPolicyOptions): Promise<TlsRules | undefined> {
  const { dnssec, clock, onSession } = options;
  if (!dnssec) return undefined;
  const told = (records: readonly TlsaRecord[]): Told => {
    return { onSession, domain, server, policy: { type: "tlsa", strings: records.map(tlsaText), mx: [] } };
  };
  let found: DaneFound | TlsFault | undefined;
  try {
    const hosts = await secureHosts(domain, dnssec);
    found = hosts && (await daneOf(hosts, server, dnssec));
  } catch (error) {
    if (!(error instanceof DnsFailed)) throw error;
    found = { result: "dnssec-invalid", words: error.message };
  }
  if (found === undefined) return undefined;
  if ("result" in found) return refuse(told([]), found);
  const { usable, records, names } = found;
  const judge = (socket: TLSSocket): TlsFault | undefined => {
    if (usable.length === 0 || matchesTlsa({ tlsa: usable, names }, chainOf(socket), clock.now())) return undefined;
    return { result: "validation-failure", words: "the certificate matches no TLSA record" };
  };
  return {
    key: ["dane", ...names, ...usable.map(tlsaText).sort()].join(" "),
    isRequired: true,
    // RFC 7672 §8.1
    servername: names[0],
    refuses: (socket) => judge(socket)?.words,
    ...observing(told(records), judge),
  };
}

/** RFC 8460 §4.4: as in a zone's file. */
const tlsaText = ({ usage, selector, matchingType, data }: TlsaRecord) =>
  `${usage} ${selector} ${matchingType} ${data.toString("hex")}`;

async function bySts(domain: string, server: Target, { sts, onSession }: TlsPolicyOptions): Promise<TlsRules> {
  const found = await sts.find(domain);
  const told: Told = { onSession, domain, server, policy: policyOf(found) };
  if (found === undefined || ("policy" in found && found.policy.mode === "none")) {
    return { ...anyTls, ...observing(told, () => undefined) };
  }
  // RFC 8461 §3.3: a policy that can't be had is no reason to keep mail back.
  if ("fault" in found) return { ...anyTls, ...observing(told, () => found.fault) };
  const { policy } = found;
  const isNamed = namesHost(policy, server.name);
  const unnamed: TlsFault = { result: "validation-failure", words: `the MTA-STS policy of ${domain} does not name it` };
  if (policy.mode === "testing") {
    return { ...anyTls, ...observing(told, (socket) => (isNamed ? certificateFaultOf(socket) : unnamed)) };
  }
  if (!isNamed) refuse(told, unnamed);
  return { ...verifiedTls(server.name), ...observing(told, certificateFaultOf) };
}

function policyOf(found: StsFound | undefined): JudgingPolicy {
  if (found === undefined) return { type: "no-policy-found", strings: [], mx: [] };
  if ("fault" in found) return { type: "sts", strings: [], mx: [] };
  const strings = found.text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return { type: "sts", strings, mx: found.policy.mx };
}
