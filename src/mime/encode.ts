import type { EmailAddress, EmailAddressGroup } from "./addresses.ts";
import { encodeDate } from "./date.ts";
import type { HeaderForm } from "./headers.ts";
import { encodeWords, looksEncoded } from "./words.ts";

/** RFC 2047 §2: the limit for lines with encoded words. RFC 5322 §2.1.1 allows two more for others. */
const lineLength = 76;
/** Assumed length of a field's name and colon when it is not given; most are shorter. */
const usualName = 20;
/** Longer words are encoded, since they cannot be folded: a line may have at most 998 octets. */
const maxWordLength = 200;

const isPrintable = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** Turns line breaks and tabs into spaces and removes other control characters. */
const clean = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\r\n|[\r\n\t]/g, " ")
    .replace(/[\x00-\x1f\x7f-\x9f]/g, "");

/**
 * RFC 5322 §2.2.3: joins pieces into lines of 76 if possible. Each piece begins with the white space before it.
 * `nameLength`: of the field's name and colon.
 */
export function fold(pieces: string[], nameLength = usualName): string {
  let out = "";
  let column = nameLength;
  for (const piece of pieces) {
    if (column > nameLength && column + piece.length > lineLength) {
      out += "\r\n";
      column = 0;
    }
    out += piece;
    column += piece.length;
  }
  return out;
}

/**
 * The words, each with the spaces before it. Trimmed first, since the expression would scan a last run of spaces
 * repeatedly.
 */
const words = (text: string): string[] => text.trimEnd().match(/ *[^ ]+/g) ?? [];

/** True for a run of spaces too long for a line. */
const isStretched = (text: string): boolean => / {60}/.test(text);

/** RFC 8621 §4.1.2.2: the inverse of `asText`; uses encoded words only if needed. */
function encodeText(value: string, nameLength: number): string {
  const text = clean(value);
  const stretched = isStretched(text);
  const all = text.split(" ");
  const needs = (word: string, index: number): boolean =>
    stretched ||
    !isPrintable(word) ||
    looksEncoded(word) ||
    word.length > maxWordLength ||
    (word === "" && all.length > 1 && (index === 0 || index === all.length - 1));
  const first = all.findIndex(needs);
  if (first === -1) return fold(words(` ${all.join(" ")}`), nameLength) || " ";
  const last = all.findLastIndex(needs);
  const encoded = encodeWords(all.slice(first, last + 1).join(" "), first === 0 ? nameLength : 0);
  // A run of spaces beside an encoded word is kept.
  const before = first === 0 ? "" : ` ${all.slice(0, first).join(" ")}`;
  const gap = before.slice(before.trimEnd().length);
  const after = last === all.length - 1 ? "" : ` ${all.slice(last + 1).join(" ")}`;
  const pieces = encoded.map((word, index) => `${index === 0 ? gap : ""} ${word}`);
  return fold([...words(before), ...pieces, ...words(after)], nameLength);
}

const atoms = /^[\w!#$%&'*+\-/=?^`{|}~]+(?: [\w!#$%&'*+\-/=?^`{|}~]+)*$/;

/** RFC 5322 §3.2.5: a display name in pieces. `taken`: how much of its line is used. */
function phrase(name: string, taken: number): string[] {
  const text = clean(name);
  const short = text.split(" ").every((word) => word.length <= maxWordLength);
  if (!isPrintable(text) || !short || isStretched(text)) return encodeWords(text, taken).map((word) => ` ${word}`);
  if (atoms.test(text) && !looksEncoded(text)) return words(` ${text}`);
  return words(` "${text.replace(/["\\]/g, "\\$&")}"`);
}

/** RFC 5322 §3.4.1. Keeps a draft's invalid address if it cannot break out of the brackets. */
function addrSpec(email: string): string {
  const text = clean(email).trim();
  const at = text.lastIndexOf("@");
  const plain = (part: string): string => part.replace(/["(),:;<>@[\\\]]/g, "");
  if (at === -1) return plain(text);
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  const goodLocal = /^[^\s"(),:;<>@[\\\]]*$/.test(local) || /^"(?:[^"\\]|\\.)*"$/.test(local);
  const goodDomain = /^\[[^\s"()<>[\\\]]*\]$/.test(domain);
  return `${goodLocal ? local : `"${local.replace(/["\\]/g, "\\$&")}"`}@${goodDomain ? domain : plain(domain)}`;
}

function mailbox({ name, email }: EmailAddress, taken: number): string[] {
  const spec = addrSpec(email);
  const named = name !== null && clean(name).trim() !== "";
  if (!named && /^[^\s"@]+@[^\s"@[]+$/.test(spec)) return [` ${spec}`];
  return [...(named ? phrase(name, taken) : []), ` <${spec}>`];
}

/** Joins items, with the separator at the end of each except the last. */
function list(items: string[][], separator: string): string[] {
  return items.flatMap((pieces, index) => {
    const end = index === items.length - 1 ? "" : separator;
    return [...pieces.slice(0, -1), `${pieces.at(-1) ?? ""}${end}`];
  });
}

const mailboxes = (addresses: EmailAddress[], taken: number): string[][] =>
  addresses.map((address, index) => mailbox(address, index === 0 ? taken : 0));

function group({ name, addresses }: EmailAddressGroup, taken: number): string[][] {
  if (name === null) return mailboxes(addresses, taken);
  const title = phrase(name, taken);
  const pieces = [...title.slice(0, -1), `${title.at(-1) ?? ' ""'}:`, ...list(mailboxes(addresses, 0), ",")];
  return [[...pieces.slice(0, -1), `${pieces.at(-1)};`]];
}

const bracketed = (values: string[]): string[] => values.map((value) => ` <${clean(value).replace(/[\s<>]/g, "")}>`);

/** RFC 8621 §4.1.2.1: makes a Raw value safe for a message: it can neither end the field nor contain NUL. */
export function safeRaw(value: string): string {
  const lines = value
    .toWellFormed()
    .replaceAll("\0", "")
    .split(/\r\n|\r|\n/);
  let out = lines[0]!;
  for (const line of lines.slice(1)) {
    if (line.trim() === "") continue;
    out += `\r\n${/^[ \t]/.test(line) ? line : ` ${line}`}`;
  }
  return out;
}

/**
 * RFC 8621 §4.1.2, §4.6: the folded Raw value of a JMAP value in a form. The value must have the type of the form.
 * `nameLength`: of the field's name and colon.
 */
export function encodeHeader(form: HeaderForm, value: unknown, nameLength = usualName): string {
  const folded = (pieces: string[]): string => fold(pieces, nameLength) || " ";
  switch (form) {
    case "Raw":
      return safeRaw(value as string);
    case "Text":
      return encodeText(value as string, nameLength);
    case "Addresses":
      return folded(list(mailboxes(value as EmailAddress[], nameLength), ","));
    case "GroupedAddresses": {
      const groups = value as EmailAddressGroup[];
      return folded(
        list(
          groups.flatMap((one, index) => group(one, index === 0 ? nameLength : 0)),
          ",",
        ),
      );
    }
    case "MessageIds":
      return folded(bracketed(value as string[]));
    case "Date":
      return ` ${encodeDate(value as string) ?? ""}`;
    case "URLs":
      return folded(
        list(
          bracketed(value as string[]).map((url) => [url]),
          ",",
        ),
      );
  }
}

const token = /^[\w!#$%&'*+\-.^`{|}~]+$/;

/** RFC 2231 §3, §4: the value, in percent-encoded pieces if it is not plain. */
function extended(name: string, value: string): string[] {
  const room = 55;
  const pieces: string[] = [""];
  for (const byte of Buffer.from(value, "utf8")) {
    const char = String.fromCharCode(byte);
    const text = /[\w!#$&+\-.^`{|}~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    if (pieces.at(-1)!.length + text.length > room) pieces.push("");
    pieces[pieces.length - 1] += text;
  }
  if (pieces.length === 1) return [`${name}*=utf-8''${pieces[0]}`];
  return pieces.map((piece, index) => `${name}*${index}*=${index === 0 ? "utf-8''" : ""}${piece}`);
}

/** RFC 2045 §5.1, RFC 2231: a value with parameters, folded. */
export function encodeParameters(value: string, params: [string, string][]): string {
  const pieces = params.flatMap(([name, text]) => {
    const plain = clean(text);
    const isShort = plain.length <= 60 || name === "boundary";
    if (isShort && token.test(plain)) return [`${name}=${plain}`];
    if (isShort && isPrintable(plain) && (name === "boundary" || !looksEncoded(plain))) {
      return [`${name}="${plain.replace(/["\\]/g, "\\$&")}"`];
    }
    return extended(name, plain);
  });
  return fold([value, ...pieces].map((piece, index) => ` ${piece}${index < pieces.length ? ";" : ""}`));
}
