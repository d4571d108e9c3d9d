import { domainToASCII } from "node:url";
import { normalized } from "./normalize.ts";

/** The local part as given and the domain in lower-case ASCII; undefined if the text is not an address, or contains NUL. */
export function splitAddress(text: string): { local: string; domain: string } | undefined {
  const at = text.lastIndexOf("@");
  if (at < 0 || text.length > 320 || text.includes("\0")) return undefined;
  const local = text.slice(0, at).replace(/^"(.*)"$/, (_, quoted: string) => quoted.replace(/\\(.)/g, "$1"));
  const domain = normalizeDomain(text.slice(at + 1));
  return domain === undefined ? undefined : { local: normalized(local, "NFC"), domain };
}

/** Undefined if the text is not a domain name. */
export function normalizeDomain(text: string): string | undefined {
  // URL parsing drops tabs and line breaks, so "a.test\r\nx" would pass for "a.testx".
  if (/[\s\x00-\x1f]/.test(text)) return undefined;
  const domain = domainToASCII(text.replace(/\.$/, "")).toLowerCase();
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(domain) && domain.length <= 253 ? domain : undefined;
}

/** The form in which the directory keeps addresses and logins: all lower case. Undefined if the text is not an address. */
export function normalizeAddress(text: string): string | undefined {
  const address = splitAddress(text.trim());
  return address && `${address.local.toLowerCase()}@${address.domain}`;
}
