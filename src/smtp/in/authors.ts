import { domainToASCII } from "node:url";
import { normalized } from "../../base/normalize.ts";
import { asAddresses } from "../../mime/headers.ts";

/** RFC 9989 §5.3.1: who a client will say has written a message. */
export interface Authors {
  /** All addresses of all From fields, as they are shown. */
  addresses: string[];
  /** The domains that a reader may see in them, as A-labels. */
  domains: string[];
  /** False where the domain of an address is a matter of opinion. */
  isClear: boolean;
}

export function readAuthors(from: readonly string[]): Authors {
  const addresses = from.flatMap(asAddresses).map(({ email }) => email);
  const domains = new Set<string>();
  let isClear = true;
  for (const address of addresses) {
    const seen = domainsIn(address);
    isClear &&= seen.isClear;
    for (const domain of seen.domains) domains.add(domain);
  }
  return { addresses, domains: [...domains], isClear };
}

const quotedLocal = /^\s*"(?:[^"\\]|\\[\s\S])*"\s*@/;

/**
 * RFC 5322 §3.4.1: what follows the @. Where that is no domain, or there are several, it is all that looks like one. A
 * name without a domain names nobody else's either.
 */
function domainsIn(address: string): { domains: string[]; isClear: boolean } {
  const quoted = quotedLocal.exec(address)?.[0].length;
  const text = normalized(quoted === undefined ? address : address.slice(quoted - 1), "NFKC");
  const at = text.indexOf("@");
  if (at === -1 && !text.includes(".")) return { domains: [], isClear: true };
  const after = text.slice(at + 1);
  const domain = at === -1 ? undefined : asDomain(after);
  if (domain !== undefined) return { domains: [domain], isClear: true };
  if (/^\[[^[\]\\@]*\]$/.test(after)) return { domains: [], isClear: true };
  const runs = after.split(/[\x00-\x2c/:-@[-^`{-\x7f\s]+/).map((run) => run.split(".").filter(Boolean).join("."));
  return { domains: runs.filter((run) => run.includes(".")).flatMap((run) => asDomain(run) ?? []), isClear: false };
}

/** Full-width letters and invisible characters are what IDNA takes them for (RFC 5895), which is what a reader sees. */
function asDomain(text: string): string | undefined {
  // domainToASCII would decode octets after a %, and stop at a slash.
  if (text.length > 1_000 || /[\x00-\x2c/:-@[-^`{-\x7f]/.test(text)) return undefined;
  const domain = domainToASCII(text).toLowerCase().replace(/\.$/, "");
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(domain) ? domain : undefined;
}
