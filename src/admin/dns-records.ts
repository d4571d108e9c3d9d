import { isIP } from "node:net";
import type { Domain } from "../store/directory/directory.ts";
import type { DkimKeyRow } from "../store/directory/dkim-keys.ts";
import { type OwnStsPolicy, stsIdOf } from "../store/directory/mta-sts.ts";
import { dkimRecord } from "./dkim-keys.ts";

export type Purpose =
  | "address"
  | "MX"
  | "SPF"
  | "DKIM"
  | "DMARC"
  | "TLS reports"
  | "MTA-STS"
  | "JMAP"
  | "submissions"
  | "submission"
  | "autoconfig";

export interface DnsRecord {
  purpose: Purpose;
  /** With a final dot. */
  name: string;
  type: "A" | "AAAA" | "MX" | "TXT" | "CNAME" | "SRV";
  /** As in a zone's file. */
  value: string;
  /** What the owner should know of it. */
  note?: string;
}

/** How an installation is reached, as its domains' records say. */
export interface Site {
  /** The name of the mail server. */
  hostname: string;
  /** Its public addresses; none if they are not known. */
  addresses: readonly string[];
  /** Where JMAP is served over TLS; undefined if it is not. */
  jmap: { host: string; port: number } | undefined;
  /** The ports of those doors that there are. */
  submissions: number | undefined;
  submission: number | undefined;
}

/** The DNS records that the domain's owner should publish; `keys` are its DKIM keys beside the RSA key that signs. */
export function dnsRecords(domain: Domain, hostname: string, keys: readonly DkimKeyRow[] = []): DnsRecord[] {
  const { name, dkimSelector: selector, dkimKey: privateKey } = domain;
  const main = privateKey === "" ? [] : [recordOf({ domain: name, selector, privateKey })];
  return [
    { purpose: "MX", name: `${name}.`, type: "MX", value: `10 ${hostname}.` },
    { purpose: "SPF", name: `${name}.`, type: "TXT", value: quote("v=spf1 mx -all") },
    ...main,
    ...keys.map((key) => ({ ...recordOf(key), ...noteOn(key) })),
    {
      purpose: "DMARC",
      name: `_dmarc.${name}.`,
      type: "TXT",
      value: quote(`v=DMARC1; p=quarantine; rua=mailto:postmaster@${name}`),
    },
  ];
}

/** RFC 8460: makes other servers tell when TLS to this one fails. */
export function tlsReportRecord({ name }: Pick<Domain, "name">): DnsRecord {
  const value = quote(`v=TLSRPTv1; rua=mailto:postmaster@${name}`);
  return { purpose: "TLS reports", name: `_smtp._tls.${name}.`, type: "TXT", value };
}

/** RFC 8461 §3.1: announces the domain's policy, and leads to this server, which publishes it. */
export function stsRecords({ name }: Pick<Domain, "name">, hostname: string, policy: OwnStsPolicy): DnsRecord[] {
  const announced = quote(`v=STSv1; id=${stsIdOf(policy)};`);
  return [
    { purpose: "MTA-STS", name: `mta-sts.${name}.`, type: "CNAME", value: `${hostname}.` },
    { purpose: "MTA-STS", name: `_mta-sts.${name}.`, type: "TXT", value: announced, note: "after the policy" },
  ];
}

/** RFC 8620 §2.2, RFC 6186 §3, RFC 8314 §5.1: where mail programs find the doors of the site; none for a door that it lacks. */
export function clientRecords({ name }: Pick<Domain, "name">, site: Site): DnsRecord[] {
  const service = (purpose: "JMAP" | "submissions" | "submission", host: string, port: number): DnsRecord => ({
    purpose,
    name: `_${purpose.toLowerCase()}._tcp.${name}.`,
    type: "SRV",
    value: `0 1 ${port} ${host}.`,
  });
  const { hostname, jmap, submissions, submission } = site;
  return [
    ...(jmap ? [service("JMAP", jmap.host, jmap.port)] : []),
    ...(submissions ? [service("submissions", hostname, submissions)] : []),
    ...(submission ? [service("submission", hostname, submission)] : []),
    ...(jmap
      ? [{ purpose: "autoconfig", name: `autoconfig.${name}.`, type: "CNAME", value: `${jmap.host}.` } as const]
      : []),
  ];
}

/** The addresses of the mail server itself. */
export function addressRecords({ hostname, addresses }: Pick<Site, "hostname" | "addresses">): DnsRecord[] {
  return addresses.map((value) => ({
    purpose: "address",
    name: `${hostname}.`,
    type: isIP(value) === 6 ? "AAAA" : "A",
    value,
  }));
}

function recordOf(key: Pick<DkimKeyRow, "domain" | "selector" | "privateKey">): DnsRecord {
  const { name, value } = dkimRecord(key);
  return { purpose: "DKIM", name: `${name}.`, type: "TXT", value: quote(value) };
}

function noteOn({ state, since }: DkimKeyRow): { note?: string } {
  if (state === "new") return { note: "signs once posthorn domain rotate-key has seen it" };
  if (state === "retired") return { note: `signs no more since ${since.toISOString().slice(0, 10)}` };
  return {};
}

/** A record as in a zone's file. */
export function zoneLine({ name, type, value, note }: Pick<DnsRecord, "name" | "type" | "value" | "note">): string {
  return `${name} 3600 IN ${type} ${value}${note === undefined ? "" : ` ; ${note}`}`;
}

/** A TXT record as in a zone's file. */
export function recordLine({ name, value }: { name: string; value: string }): string {
  return zoneLine({ name: `${name}.`, type: "TXT", value: quote(value) });
}

/** RFC 1035 §3.3.14: strings of at most 255 octets. */
export function quote(text: string): string {
  return (text.match(/.{1,255}/g) ?? []).map((part) => `"${part}"`).join(" ");
}

/** The text of a TXT record's value. */
export function unquote(value: string): string {
  return [...value.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join("");
}
