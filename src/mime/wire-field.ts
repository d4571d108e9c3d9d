import { asGroupedAddresses, type EmailAddress, type EmailAddressGroup } from "./addresses.ts";
import { asciiAddress, asciiDomain, asciiUrl, isAsciiText } from "./ascii-address.ts";
import { encodeHeader, encodeParameters, fold } from "./encode.ts";
import { unfold } from "./field.ts";
import { asMessageIds, asText, asUrls } from "./forms.ts";
import { parameter, parseParameterised } from "./params.ts";
import { eachToken, type Token } from "./tokens.ts";
import { Unsendable } from "./unsendable.ts";
import { maxLineOctets } from "./wire-scan.ts";
import { encodeWords } from "./words.ts";

type Kind = "addresses" | "ids" | "urls" | "url" | "parameters" | "structured" | "text";

const named = (kind: Kind, names: string): [string, Kind][] => names.split(" ").map((name) => [name, kind]);

/** The kinds of fields whose values are not plain text. */
const kinds = new Map<string, Kind>([
  ...named("addresses", "from sender reply-to to cc bcc return-path errors-to mail-followup-to mail-reply-to"),
  ...named("addresses", "resent-from resent-sender resent-reply-to resent-to resent-cc resent-bcc"),
  ...named("addresses", "disposition-notification-to return-receipt-to delivered-to apparently-to"),
  ...named("ids", "message-id in-reply-to references resent-message-id content-id original-message-id"),
  ...named("urls", "list-help list-unsubscribe list-subscribe list-post list-owner list-archive"),
  ...named("url", "content-location content-base"),
  ...named("parameters", "content-type content-disposition"),
  ...named("structured", "date resent-date received mime-version content-transfer-encoding content-language"),
  ...named("structured", "list-id auto-submitted authentication-results dkim-signature"),
]);

const kindOf = (name: string): Kind => kinds.get(name.toLowerCase()) ?? "text";

export interface FieldRules {
  /** RFC 6532: the message is sent with SMTPUTF8, so addresses stay unchanged. */
  keepUtf8: boolean;
  /** The field belongs to an attached message, which is not sent by it, so its authors may be written in any form. */
  isAttached: boolean;
}

/** Longer words are split. */
const maxWordLength = 800;

/** RFC 5322 §2.2.3: folds at blanks; undefined if that is not enough. */
function refolded(value: string): string | undefined {
  const text = unfold(value);
  const pieces = text.match(/[ \t]*[^ \t]+/g) ?? [];
  return isAsciiText(text) && pieces.every((piece) => piece.length <= maxWordLength) ? fold(pieces) : undefined;
}

/** Text in angle brackets, and a URL, may be split anywhere (RFC 2369 §2, RFC 2557 §4.4.1). */
function broken(line: string): string {
  let out = "";
  let rest = line;
  for (; rest.length > maxWordLength; rest = rest.slice(maxWordLength)) out += `${rest.slice(0, maxWordLength)}\r\n `;
  return out + rest;
}

/** RFC 5322 §2.2: a header field in a form that can be sent. `raw`: its value in Raw form. Throws Unsendable. */
export function wireField(name: string, raw: string, rules: FieldRules): string {
  const value = (refolded(raw) ?? rendered(name, raw, rules)).split("\r\n").map(broken).join("\r\n");
  const [first] = value.split("\r\n", 1);
  const gap = name.length + 1 + Buffer.byteLength(first!) > maxLineOctets - 1 ? "\r\n" : "";
  return `${name}:${gap}${/^[ \t]/.test(value) ? "" : " "}${value}\r\n`;
}

function rendered(name: string, raw: string, rules: FieldRules): string {
  switch (kindOf(name)) {
    case "addresses":
      return addressList(name, raw, rules) ?? structured(raw);
    case "ids": {
      const ids = asMessageIds(raw);
      return ids ? encodeHeader("MessageIds", ids.map(asciiId)) : text(raw);
    }
    case "urls": {
      const urls = asUrls(raw);
      return urls ? encodeHeader("URLs", urls.map(asciiUrl)) : structured(raw);
    }
    case "url":
      return ` ${asciiUrl(unfold(raw).replace(/\s+/g, ""))}`;
    case "parameters":
      return parameters(name, raw);
    case "structured":
      return structured(raw);
    case "text":
      return text(raw);
  }
}

/** RFC 2047: re-encodes text; `asText` still returns the same. */
const text = (raw: string): string => encodeHeader("Text", asText(raw));

/** RFC 6857 §3.2.1: an address without an ASCII form becomes the name of an empty group. */
function addressList(name: string, raw: string, { keepUtf8, isAttached }: FieldRules): string | undefined {
  const out: EmailAddressGroup[] = [];
  const add = (address: EmailAddress, to: EmailAddressGroup): void => void to.addresses.push(address);
  for (const { name: title, addresses } of asGroupedAddresses(raw)) {
    let current: EmailAddressGroup = { name: title, addresses: [] };
    out.push(current);
    for (const address of addresses) {
      const email = keepUtf8 ? address.email : asciiAddress(address.email);
      if (email !== undefined && email.length <= maxWordLength) {
        if (title === null && current.name !== null) {
          current = { name: null, addresses: [] };
          out.push(current);
        }
        add({ ...address, email }, current);
        continue;
      }
      if (/^(from|sender)$/i.test(name) && !isAttached) {
        throw new Unsendable("5.6.7", `the address ${address.email} needs SMTPUTF8`, [name.toLowerCase()]);
      }
      const nobody = { name: [address.name, address.email].filter(Boolean).join(" "), addresses: [] };
      out.push(nobody);
      if (title === null) current = nobody;
    }
  }
  const written = out.filter((group) => group.name !== null || group.addresses.length > 0);
  return written.length === 0 ? undefined : encodeHeader("GroupedAddresses", written);
}

/** True when the addresses of a field need SMTPUTF8. */
export function needsUtf8(name: string, raw: string): boolean {
  if (kindOf(name) !== "addresses") return false;
  return asGroupedAddresses(raw).some(({ addresses }) =>
    addresses.some(({ email }) => asciiAddress(email) === undefined),
  );
}

/**
 * RFC 5322 §3.6.4: always maps an id to the same ASCII id, since replies name it. The characters of encoded words are
 * atext.
 */
function asciiId(id: string): string {
  if (isAsciiText(id)) return id;
  const at = id.lastIndexOf("@");
  const left = id.slice(0, at === -1 ? id.length : at);
  const right = id.slice(left.length + 1);
  const encoded = (part: string): string => (isAsciiText(part) ? part : encodeWords(part).join(""));
  return at === -1 ? encoded(left) : `${encoded(left)}@${asciiDomain(right) ?? encoded(right)}`;
}

/** RFC 2231 */
function parameters(name: string, raw: string): string {
  const parsed = parseParameterised(raw);
  const isType = /^content-type$/i.test(name);
  const names = [...new Set([...parsed.params.keys()].map((key) => key.replace(/\*.*$/s, "")))];
  const boundary = parsed.value.startsWith("multipart/") ? parsed.params.get("boundary") : undefined;
  if (boundary !== undefined && (!isAsciiText(boundary) || boundary.length > 200)) {
    throw new Unsendable("5.6.3", "the boundary of its parts cannot be sent", ["bodyStructure"]);
  }
  const values = names
    .filter((key) => /^[\w!#$&+\-.^`{|}~]{1,100}$/.test(key))
    .map((key): [string, string] => [key, (key === "boundary" && boundary) || (parameter(parsed, key) ?? "")]);
  const isToken = /^[\w!#$&+\-.^`{|}~]{1,100}(\/[\w!#$&+\-.^`{|}~]{1,100})?$/.test(parsed.value);
  return encodeParameters(isToken ? parsed.value : isType ? "text/plain" : "attachment", values);
}

/** RFC 2047 §5: puts encoded words where a phrase or a comment is allowed. */
function structured(raw: string): string {
  const pieces: string[] = [];
  let wasEncoded = false;
  eachToken(unfold(raw), (token) => {
    const plain = isAsciiText(token.raw) && token.raw.length <= maxWordLength && !/[\r\n]/.test(token.raw);
    const parts = plain ? [token.raw] : encodedToken(token);
    const isGlued = pieces.length > 0 && !token.space && plain && !(wasEncoded && token.kind !== "special");
    for (const [index, part] of parts.entries()) {
      if (index === 0 && isGlued) pieces[pieces.length - 1] += part;
      else pieces.push(` ${part}`);
    }
    wasEncoded = !plain;
  });
  return fold(pieces) || " ";
}

function encodedToken({ kind, value }: Token): string[] {
  const words = encodeWords(value);
  if (kind !== "comment") return words;
  return words.map((word, index) => `${index === 0 ? "(" : ""}${word}${index === words.length - 1 ? ")" : ""}`);
}
