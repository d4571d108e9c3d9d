import { createPublicKey } from "node:crypto";
import type { Domain } from "../store/directory/directory.ts";

export interface DnsRecord {
  name: string;
  type: "MX" | "TXT";
  value: string;
}

/** The DNS records that the domain's owner should publish. */
export function dnsRecords(domain: Domain, hostname: string): DnsRecord[] {
  const key = createPublicKey(domain.dkimKey).export({ type: "spki", format: "der" }).toString("base64");
  return [
    { name: `${domain.name}.`, type: "MX", value: `10 ${hostname}.` },
    { name: `${domain.name}.`, type: "TXT", value: quote("v=spf1 mx -all") },
    {
      name: `${domain.dkimSelector}._domainkey.${domain.name}.`,
      type: "TXT",
      value: quote(`v=DKIM1; k=rsa; p=${key}`),
    },
    {
      name: `_dmarc.${domain.name}.`,
      type: "TXT",
      value: quote(`v=DMARC1; p=quarantine; rua=mailto:postmaster@${domain.name}`),
    },
  ];
}

/** RFC 1035 §3.3.14: strings of at most 255 octets. */
function quote(text: string): string {
  return (text.match(/.{1,255}/g) ?? []).map((part) => `"${part}"`).join(" ");
}
