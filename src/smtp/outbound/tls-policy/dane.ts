import type { DnsAnswer, DnsType, TlsaRecord } from "./dns-message.ts";
import { DnsFailed, type DnssecResolver } from "./dnssec-resolver.ts";
import type { TlsFault } from "./tls-fault.ts";
import { usableTlsa } from "./tlsa.ts";

type Ask = Pick<DnssecResolver, "ask">;

/** The servers of a domain, as DNSSEC proves them. */
export interface SecureHosts {
  domain: string;
  hosts: ReadonlySet<string>;
}

/** RFC 7672 §2.2.1: undefined when the answer is not signed, so DANE does not apply. Throws DnsFailed. */
export async function secureHosts(domain: string, resolver: Ask): Promise<SecureHosts | undefined> {
  const { isAuthentic, exchanges } = await resolver.ask(domain, "MX");
  if (!isAuthentic) return undefined;
  return { domain, hosts: new Set(exchanges.length > 0 ? exchanges : [domain.toLowerCase()]) };
}

/** The records of one server. */
export interface DaneFound {
  records: readonly TlsaRecord[];
  /** Those that it can be verified by. If there are none, it must have TLS all the same (RFC 7672 §2.2). */
  usable: readonly TlsaRecord[];
  /** The names that an authority's certificate may vouch for (RFC 7672 §3.2.2); the first is where the records are. */
  names: readonly [string, ...string[]];
}

/**
 * RFC 7672 §2.2.2, §2.2.3: what DANE asks of one of the secure hosts; undefined when it has no TLSA records that DNSSEC
 * proves; a fault when that cannot be known.
 */
export async function daneOf(
  { domain, hosts }: SecureHosts,
  { name, port }: { name: string; port: number },
  resolver: Ask,
): Promise<DaneFound | TlsFault | undefined> {
  if (!hosts.has(name)) return { result: "dnssec-invalid", words: `signed DNS does not name it for ${domain}` };
  try {
    const bases = await baseNames(name, resolver);
    for (const base of bases) {
      const { isAuthentic, tlsa } = await resolver.ask(`_${port}._tcp.${base}`, "TLSA");
      if (!isAuthentic || tlsa.length === 0) continue;
      return { records: tlsa, usable: usableTlsa(tlsa), names: [base, domain] };
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof DnsFailed)) throw error;
    return { result: "dnssec-invalid", words: error.message };
  }
}

/** The names under which TLSA records may be: the last of a signed chain of aliases, then the name itself. */
async function baseNames(name: string, resolver: Ask): Promise<string[]> {
  const found = await Promise.all((["A", "AAAA"] as const).map((type) => addressesOf(name, type, resolver)));
  const answers = found.filter((one): one is DnsAnswer => one instanceof Object && !(one instanceof Error));
  const failed = found.find((one): one is DnsFailed => one instanceof DnsFailed);
  const used = answers.filter(({ addresses }) => addresses > 0);
  if (failed && used.length === 0) throw failed;
  const asked = used.length > 0 ? used : answers;
  if (asked.every(({ isAuthentic }) => isAuthentic)) return [...new Set([asked[0]!.name, name])];
  // Only the place that the alias names is unsigned, perhaps.
  if (!asked.some(({ hasAlias }) => hasAlias)) return [];
  const alias = await resolver.ask(name, "CNAME");
  return alias.isAuthentic && alias.hasAlias ? [name] : [];
}

const addressesOf = (name: string, type: DnsType, resolver: Ask): Promise<DnsAnswer | DnsFailed> =>
  resolver.ask(name, type).catch((error: unknown) => {
    if (error instanceof DnsFailed) return error;
    throw error;
  });
