import { isIPv4, isIPv6 } from "node:net";
import { maxPathOctets } from "../../mail/submit/submit.ts";

/**
 * Never part of an address: control and invisible characters. Joiners are allowed, since the names of some scripts need
 * them.
 */
const unsafe = /[\x00-\x1f\x7f-\x9f\u200b\u2060\ufeff]/;
/**
 * RFC 5321 §4.1.2: quoted strings, and dots in more places than allowed, since many senders write `ilo.@` and `a..b@`.
 */
const localPart = String.raw`(?:[^\s"<>@\\]|\\.|"(?:[^"\\]|\\.)*")+`;
const domainPart = String.raw`\[[^\]\s]+\]|[\w\u0080-\uffff-]+(?:\.[\w\u0080-\uffff-]+)*`;
const hop = String.raw`@(?:\[[^\]\s]+\]|[^\s,:@<>[]+)`;
/** The source route of RFC 5321 appendix C is accepted and ignored. */
const command = new RegExp(
  String.raw`^(\w+\s+\w+)\s*:\s*<\s*(?:${hop}(?:,${hop})*:)?(?:(${localPart})@(${domainPart})(?:(?<!\])\.)?|(postmaster|))\s*>(\s.*)?$`,
  "is",
);

/**
 * RFC 5321 §4.1.1.2, §4.1.1.3: the path of `MAIL FROM` or `RCPT TO` as written, without a dot after the domain, which
 * §4.1.2 does not allow but some peers send. Undefined when it is not a path.
 */
export function parsePath(name: string, line: string): { address: string; parameters: string } | undefined {
  const match = command.exec(line);
  if (match?.[1]?.replace(/\s+/, " ").toUpperCase() !== name.toUpperCase()) return undefined;
  const [, , local, domain, plain = "", rest = ""] = match;
  if (local === undefined || domain === undefined) {
    // RFC 5321 §4.1.1.3: as a recipient, the postmaster needs no domain.
    return plain === "" || /^rcpt/i.test(name) ? { address: plain, parameters: rest } : undefined;
  }
  const address = `${local}@${domain}`;
  if (Buffer.byteLength(address) > maxPathOctets || unsafe.test(address) || !isDomain(domain)) return undefined;
  return { address, parameters: rest };
}

/** RFC 5321 §4.1.2, §4.1.3. */
function isDomain(text: string): boolean {
  const literal = /^\[(IPv6:)?(.*)\]$/i.exec(text);
  if (literal) return literal[1] ? isIPv6(literal[2]!) : isIPv4(literal[2]!);
  return !/^-|-$|\.-|-\./.test(text);
}
