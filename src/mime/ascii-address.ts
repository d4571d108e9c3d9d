import { domainToASCII } from "node:url";

const ascii = /^[\x00-\x7f]*$/;

export const isAsciiText = (text: string): boolean => ascii.test(text);

/** RFC 5890 §2.3.2.1: the domain in A-labels; an ASCII domain is unchanged. Undefined if a label is invalid. */
export function asciiDomain(domain: string): string | undefined {
  if (isAsciiText(domain)) return domain;
  // The URL standard also decodes percent signs and drops tabs and line breaks.
  if (/[%\s/\\?#:@[\]<>]/.test(domain)) return undefined;
  const found = domainToASCII(domain).toLowerCase();
  const isDomain = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/.test(found) && found.length <= 253;
  return isDomain && found.split(".").every((label) => label.length <= 63) ? found : undefined;
}

/** RFC 6531 §3.2: the address in a form for every server; undefined when only SMTPUTF8 can carry it. */
export function asciiAddress(address: string): string | undefined {
  if (isAsciiText(address)) return address;
  const at = address.lastIndexOf("@");
  if (at === -1 || !isAsciiText(address.slice(0, at))) return undefined;
  const domain = asciiDomain(address.slice(at + 1));
  return domain === undefined ? undefined : `${address.slice(0, at)}@${domain}`;
}

/** RFC 3987 §3.1, RFC 6068 §2: a URL in ASCII, its domain in A-labels. */
export function asciiUrl(url: string): string {
  if (isAsciiText(url)) return url;
  const [, start = "", host = "", rest = url] =
    /^([a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?)([^/?#:]*)(.*)$/is.exec(url) ?? [];
  const mail = /^(mailto:)([^?]*)(.*)$/is.exec(url);
  if (mail) {
    const to = mail[2]!.split(",").map((one) => asciiAddress(one) ?? one);
    return encodePercent(`${mail[1]}${to.join(",")}${mail[3]}`);
  }
  return encodePercent(`${start}${asciiDomain(host) ?? host}${rest}`);
}

function encodePercent(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run));
}
