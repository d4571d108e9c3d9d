import { createPublicKey, generateKeyPairSync } from "node:crypto";
import type { Store } from "../store/core/store.ts";
import { addDomain, type Domain, findDomain } from "../store/directory/directory.ts";

/** The domain, made with a new DKIM key (RFC 6376, RSA 2048) where it is not there yet. */
export async function ensureDomain(store: Store, name: string): Promise<{ domain: Domain; isNew: boolean }> {
  const known = await findDomain(store.database, name);
  if (known) return { domain: known, isNew: false };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const dkimKey = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const isNew = await addDomain(store, { name, dkimSelector: "posthorn", dkimKey });
  return { domain: (await findDomain(store.database, name))!, isNew };
}

export interface DnsRecord {
  name: string;
  type: "MX" | "TXT";
  value: string;
}

/** What the domain's owner should publish. */
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
