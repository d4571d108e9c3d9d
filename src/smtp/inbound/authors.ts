import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { normalized } from "../../base/normalize.ts";
import { asAddresses } from "../../mime/headers.ts";

/** RFC 9989 §5.3.1: the authors that a client will show. */
export interface Authors {
  /** All addresses of all From fields, as they are shown. */
  addresses: string[];
  /** The domains that a reader may see in them, as A-labels. */
  domains: string[];
  /** False when it is ambiguous which domain an address has. */
  isClear: boolean;
}

export function readAuthors(from: readonly string[]): Authors {
  const shown = from.flatMap(asAddresses);
  const domains = new Set<string>();
  let isClear = true;
  for (const { name, email } of shown) {
    // Without an address, a client can show only the name.
    const seen = domainsIn(email === "" ? (name ?? "") : email);
    isClear &&= seen.isClear;
    for (const domain of seen.domains) domains.add(domain);
  }
  return { addresses: shown.map(({ email }) => email), domains: [...domains], isClear };
}

const quotedLocal = /^\s*"(?:[^"\\]|\\[\s\S])*"\s*@/;

/**
 * RFC 5322 §3.4.1: the domain is what follows the @. If that is not exactly one domain, returns everything that looks
 * like one. A name with neither an @ nor a dot names no domain.
 */
function domainsIn(address: string): { domains: string[]; isClear: boolean } {
  const quoted = quotedLocal.exec(address)?.[0].length;
  const text = normalized(quoted === undefined ? address : address.slice(quoted - 1), "NFKC");
  const at = text.indexOf("@");
  if (at === -1 && !text.includes(".")) return { domains: [], isClear: true };
  const after = text.slice(at + 1);
  const domain = at === -1 ? undefined : asDomain(after);
  if (domain !== undefined) return { domains: [domain], isClear: true };
  if (isIP(/^\[(?:IPv6:)?([^[\]]*)\]$/i.exec(after)?.[1] ?? "") !== 0) return { domains: [], isClear: true };
  // Within brackets, white space separates nothing.
  const written = after.startsWith("[") ? after.replace(/\s+/g, "") : after;
  const runs = written.split(/[\x00-\x2c/:-@[-^`{-\x7f\s]+/);
  const names = runs.map((run) => run.split(".").filter(Boolean).join(".")).filter((name) => name.includes("."));
  return { domains: [...new Set(names.flatMap((name) => asDomain(name) ?? []))], isClear: false };
}

/** IDNA maps full-width letters and invisible characters to what a reader sees (RFC 5895). */
function asDomain(text: string): string | undefined {
  // domainToASCII would decode octets after a % and stop at a slash.
  if (text.length > 1_000 || /[\x00-\x2c/:-@[-^`{-\x7f]/.test(text)) return undefined;
  const domain = domainToASCII(text).toLowerCase().replace(/\.$/, "");
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(domain) ? domain : undefined;
}
