import type { Domain } from "../store/directory/directory.ts";
import type { DkimKeyRow } from "../store/directory/dkim-keys.ts";
import { dkimRecord } from "./dkim-keys.ts";

export interface DnsRecord {
  name: string;
  type: "MX" | "TXT" | "CNAME";
  value: string;
  /** What the owner should know of it. */
  note?: string;
}

/** The DNS records that the domain's owner should publish; `keys` are its DKIM keys beside the RSA key that signs. */
export function dnsRecords(domain: Domain, hostname: string, keys: readonly DkimKeyRow[] = []): DnsRecord[] {
  const { name, dkimSelector: selector, dkimKey: privateKey } = domain;
  const main = privateKey === "" ? [] : [recordOf({ domain: name, selector, privateKey })];
  return [
    { name: `${name}.`, type: "MX", value: `10 ${hostname}.` },
    { name: `${name}.`, type: "TXT", value: quote("v=spf1 mx -all") },
    ...main,
    ...keys.map((key) => ({ ...recordOf(key), ...noteOn(key) })),
    {
      name: `_dmarc.${name}.`,
      type: "TXT",
      value: quote(`v=DMARC1; p=quarantine; rua=mailto:postmaster@${name}`),
    },
  ];
}

/**
 * Records that make other servers use verified TLS, and tell when it fails (RFC 8461, RFC 8460); and the policy that a web
 * server must serve for them. `id` changes when the policy does.
 */
export function tlsSuggestions(
  { name }: Domain,
  hostname: string,
): { records: DnsRecord[]; url: string; policy: string } {
  return {
    records: [
      { name: `_smtp._tls.${name}.`, type: "TXT", value: quote(`v=TLSRPTv1; rua=mailto:postmaster@${name}`) },
      { name: `_mta-sts.${name}.`, type: "TXT", value: quote("v=STSv1; id=1;"), note: "a new id with each new policy" },
      { name: `mta-sts.${name}.`, type: "CNAME", value: `${hostname}.` },
    ],
    url: `https://mta-sts.${name}/.well-known/mta-sts.txt`,
    policy: `version: STSv1\nmode: testing\nmx: ${hostname}\nmax_age: 604800\n`,
  };
}

function recordOf(key: Pick<DkimKeyRow, "domain" | "selector" | "privateKey">): DnsRecord {
  const { name, value } = dkimRecord(key);
  return { name: `${name}.`, type: "TXT", value: quote(value) };
}

function noteOn({ state, since }: DkimKeyRow): { note?: string } {
  if (state === "new") return { note: "signs once posthorn domain rotate-key has seen it" };
  if (state === "retired") return { note: `signs no more since ${since.toISOString().slice(0, 10)}` };
  return {};
}

/** A TXT record as in a zone's file. */
export function recordLine({ name, value }: { name: string; value: string }): string {
  return `${name}. 3600 IN TXT ${quote(value)}`;
}

/** RFC 1035 §3.3.14: strings of at most 255 octets. */
function quote(text: string): string {
  return (text.match(/.{1,255}/g) ?? []).map((part) => `"${part}"`).join(" ");
}
