import type { EmailAddress } from "../../shared/jmap/types.ts";

/** What was typed into a field of recipients: addresses, and texts that are none. */
export interface Parsed {
  addresses: EmailAddress[];
  /** Texts that are no address. */
  faults: string[];
}

/** Reads `Ann Lee <ann@here.test>, "Lee, Bob" <bob@there.test>; eve@there.test`, also from lines of a spreadsheet. */
export function parseAddresses(text: string): Parsed {
  const found: Parsed = { addresses: [], faults: [] };
  for (const part of split(text)) {
    const address = parseOne(part);
    if (address) found.addresses.push(address);
    else found.faults.push(part);
  }
  return found;
}

/** At commas, semicolons and line ends outside quotes, brackets and comments. */
function split(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  let closing = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (closing === '"' && char === "\\") part += char + (text[++at] ?? "");
    else {
      if (closing !== "") closing = char === closing ? "" : closing;
      else if (char === '"' || char === "<") closing = char === "<" ? ">" : '"';
      const isEnd = closing === "" && /[,;\n\r\t]/.test(char);
      if (isEnd) parts.push(part);
      part = isEnd ? "" : part + char;
    }
  }
  parts.push(part);
  const whole = parts.map((one) => one.trim()).filter((one) => one !== "");
  // Addresses parted by spaces alone, as some lists have them.
  return whole.flatMap((one) => (/^\S+@\S+(\s+\S+@\S+)+$/.test(one) ? one.split(/\s+/) : [one]));
}

function parseOne(text: string): EmailAddress | undefined {
  const named = /^(.*?)<([^<>]*)>$/s.exec(text);
  const email = (named ? named[2]! : text).trim().replace(/^mailto:/i, "");
  if (!isAddress(email)) return undefined;
  const name = named ? unquoted(named[1]!.trim()) : "";
  return { name: name === "" || name.toLowerCase() === email.toLowerCase() ? null : name, email };
}

function unquoted(name: string): string {
  const inner = /^"(.*)"$/s.exec(name)?.[1] ?? /^'(.*)'$/s.exec(name)?.[1];
  return inner === undefined ? name : inner.replace(/\\(.)/gs, "$1").trim();
}

/** Whether it looks like an address that mail can be sent to: RFC 5321 §4.1.2, with letters of all scripts (RFC 6531). */
export function isAddress(text: string): boolean {
  const at = text.lastIndexOf("@");
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || text.length > 254 || local.length > 64) return false;
  const isLocal = /^[^\s"(),:;<>@[\\\]]+$/u.test(local) ? !/^\.|\.\.|\.$/.test(local) : /^"[^"\\\r\n]+"$/.test(local);
  const isLiteral = /^\[(\d{1,3}(\.\d{1,3}){3}|IPv6:[\da-f:.]+)\]$/i.test(domain);
  const labels = domain.split(".");
  const isName =
    labels.length > 1 &&
    labels.every((label) => /^[\p{L}\p{N}]([\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u.test(label));
  return isLocal && (isLiteral || (isName && !/^\d+$/.test(labels.at(-1)!)));
}

/** As a header field has it. */
export function formatAddress({ name, email }: EmailAddress): string {
  if (!name) return email;
  return `${/[^\p{L}\p{M}\p{N} '.-]/u.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name} <${email}>`;
}

export const formatAddresses = (list: readonly EmailAddress[] | null): string =>
  (list ?? []).map(formatAddress).join(", ");

export const isSame = (one: EmailAddress, other: EmailAddress): boolean =>
  one.email.toLowerCase() === other.email.toLowerCase();

/** Each address once, the first time that it comes. */
export function unique(addresses: readonly EmailAddress[]): EmailAddress[] {
  return addresses.filter((address, at) => addresses.findIndex((other) => isSame(address, other)) === at);
}
