import { isAscii, isUtf8 } from "node:buffer";
import { decodeCharset, isKnownCharset } from "./charset.ts";
import { type FieldPlace, scanHeader } from "./scan.ts";
import { Unsendable } from "./unsendable.ts";
import { type FieldRules, needsUtf8, wireField } from "./wire-field.ts";
import { isCarried, wireFaults, withCrlfIfBare } from "./wire-scan.ts";

export interface HeaderRules extends FieldRules {
  /** The most likely charset of raw text that is not UTF-8. */
  charset: string | null;
  /** 8-bit octets stay unchanged: the block is content to the server that carries it. */
  keepRaw: boolean;
}

/** What the new form of the body requires in the header that describes it. */
export interface BodyFields {
  /** RFC 2045 §6.1 */
  encoding?: string;
  type?: string;
  /** RFC 2045 §4: a message must declare that it is MIME. */
  isMessage: boolean;
}

interface RawField {
  name: string;
  value: Buffer;
  /** Including its CRLF. */
  bytes: Buffer;
}

/** Leaves room for a colon and more. */
export const maxNameLength = 900;
/** No server accepts a longer header, and rewriting it would take long. */
const maxHeaderOctets = 1_000_000;

/** The fields of a block, and whether the block consists of fields only. */
function rawFields(block: Buffer): { fields: RawField[]; isWhole: boolean } {
  const fields: RawField[] = [];
  let at = 0;
  let isWhole = true;
  const take = ({ name, start, value, end }: FieldPlace): void => {
    const bytes = block.subarray(start, end);
    // A byte order mark or NUL may precede the name.
    if (start !== at || !bytes.toString("latin1", 0, name.length).startsWith(name)) isWhole = false;
    fields.push({ name, value: block.subarray(value, end), bytes });
    at = end;
  };
  scanHeader(block, take, { isContinued: true });
  return { fields, isWhole: isWhole && at === block.length };
}

/** RFC 5322 §2.2: a header block in a form that can be sent; the same object if it already is. Throws Unsendable. */
export function wireHeader(block: Buffer, rules: HeaderRules, body: BodyFields): Buffer {
  if (block.length > maxHeaderOctets && !isCarried(wireFaults(block), rules.keepRaw)) {
    throw new Unsendable("5.6.3", "its header is too long to be converted", ["headers"]);
  }
  const { fields, isWhole } = rawFields(block);
  let isSame = isWhole;
  const out: Buffer[] = [];
  for (const field of fields) {
    if (isReplaced(field.name, body)) {
      isSame = false;
      continue;
    }
    const bytes = legalField(field, rules);
    if (bytes !== field.bytes) isSame = false;
    out.push(bytes);
  }
  const has = (name: string) => fields.some((field) => field.name.toLowerCase() === name);
  const more = [
    ...(body.encoding !== undefined && body.isMessage && !has("mime-version") ? ["MIME-Version: 1.0"] : []),
    ...(body.type === undefined ? [] : [`Content-Type: ${body.type}`]),
    ...(body.encoding === undefined ? [] : [`Content-Transfer-Encoding: ${body.encoding}`]),
  ];
  if (isSame && more.length === 0) return block;
  return Buffer.concat([...out.map(ended), ...more.map((line) => Buffer.from(`${line}\r\n`))]);
}

const isReplaced = (name: string, { encoding, type }: BodyFields): boolean =>
  (encoding !== undefined && /^content-transfer-encoding$/i.test(name)) ||
  (type !== undefined && /^content-type$/i.test(name));

const ended = (bytes: Buffer): Buffer =>
  bytes[bytes.length - 1] === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from("\r\n")]);

function legalField({ name, value, bytes }: RawField, rules: HeaderRules): Buffer {
  const lines = withCrlfIfBare(bytes);
  const keepsHigh = rules.keepRaw || (rules.keepUtf8 && isUtf8(value));
  const isNamed = lines.toString("latin1", 0, name.length) === name;
  if (isNamed && isCarried(wireFaults(lines), keepsHigh)) return lines;
  if (name.length > maxNameLength) throw new Unsendable("5.6.3", "the name of a header field is too long", ["headers"]);
  return Buffer.from(wireField(name, textOf(value, rules.charset), rules), "utf8");
}

/** Removes NUL, as readers do (RFC 8621 §4.1.2.1); a CR that ends no line becomes a space. */
function textOf(value: Buffer, charset: string | null): string {
  const text = isUtf8(value) ? value.toString("utf8") : decodeCharset(value, fallback(charset)).text;
  return text
    .replaceAll("\0", "")
    .replace(/\r(?!\n)/g, " ")
    .trimEnd();
}

/** A charset of single octets, or one that loses no octet. */
function fallback(charset: string | null): string {
  return charset !== null && isKnownCharset(charset) && !/^(utf|us-ascii|ascii)/i.test(charset)
    ? charset
    : "windows-1252";
}

/** True when the header of a message has an address that needs SMTPUTF8. */
export function headerNeedsUtf8(block: Buffer): boolean {
  if (isAscii(block)) return false;
  return rawFields(block).fields.some(
    ({ name, value }) => !isAscii(value) && isUtf8(value) && needsUtf8(name, value.toString("utf8")),
  );
}

/** True when a header block consists only of fields that any server accepts. */
export function isPlainHeader(block: Buffer): boolean {
  return isAscii(block) && rawFields(block).isWhole;
}
