import { isAscii, isUtf8 } from "node:buffer";
import { decodeCharset, isKnownCharset } from "./charset.ts";
import { type FieldPlace, scanHeader } from "./scan.ts";
import { Unsendable } from "./unsendable.ts";
import { type FieldRules, needsUtf8, wireField } from "./wire-field.ts";
import { isCarried, wireFaults, withCrlfIfBare } from "./wire-scan.ts";

export interface HeaderRules extends FieldRules {
  /** What raw text that is not UTF-8 is most likely written in. */
  charset: string | null;
  /** 8-bit octets stay as they are: the block is content for who carries it. */
  keepRaw: boolean;
}

/** What the body's new form asks of the header that describes it. */
export interface BodyFields {
  /** RFC 2045 §6.1 */
  encoding?: string;
  type?: string;
  /** RFC 2045 §4: a message must say that it is MIME. */
  isMessage: boolean;
}

interface RawField {
  name: string;
  value: Buffer;
  /** With its CRLF. */
  bytes: Buffer;
}

/** With room for a colon and more. */
export const longestName = 900;
/** No server takes more, and it would take long to write anew. */
const longestHeader = 1_000_000;

/** The fields of a block, and whether all of the block was fields. */
function rawFields(block: Buffer): { fields: RawField[]; isWhole: boolean } {
  const fields: RawField[] = [];
  let at = 0;
  let isWhole = true;
  const take = ({ name, start, value, end }: FieldPlace): void => {
    const bytes = block.subarray(start, end);
    // A byte order mark or NUL may stand before the name.
    if (start !== at || !bytes.toString("latin1", 0, name.length).startsWith(name)) isWhole = false;
    fields.push({ name, value: block.subarray(value, end), bytes });
    at = end;
  };
  scanHeader(block, take, { isContinued: true });
  return { fields, isWhole: isWhole && at === block.length };
}

/** RFC 5322 §2.2: a header block as it may be sent; the same object where it may be as it is. Throws Unsendable. */
export function wireHeader(block: Buffer, rules: HeaderRules, body: BodyFields): Buffer {
  if (block.length > longestHeader && !isCarried(wireFaults(block), rules.keepRaw)) {
    throw new Unsendable("5.6.3", "its header is too long to be put into a form that can be sent", ["headers"]);
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
  if (name.length > longestName) throw new Unsendable("5.6.3", "the name of a header field is too long", ["headers"]);
  return Buffer.from(wireField(name, textOf(value, rules.charset), rules), "utf8");
}

/** NUL goes, as for who reads it (RFC 8621 §4.1.2.1); a CR that ends no line parts words. */
function textOf(value: Buffer, charset: string | null): string {
  const text = isUtf8(value) ? value.toString("utf8") : decodeCharset(value, fallback(charset)).text;
  return text
    .replaceAll("\0", "")
    .replace(/\r(?!\n)/g, " ")
    .trimEnd();
}

/** A charset of single octets, or one in which no octet is lost. */
function fallback(charset: string | null): string {
  return charset !== null && isKnownCharset(charset) && !/^(utf|us-ascii|ascii)/i.test(charset)
    ? charset
    : "windows-1252";
}

/** Whether the header of a message has an address that only SMTPUTF8 carries. */
export function headerNeedsUtf8(block: Buffer): boolean {
  if (isAscii(block)) return false;
  return rawFields(block).fields.some(
    ({ name, value }) => !isAscii(value) && isUtf8(value) && needsUtf8(name, value.toString("utf8")),
  );
}

/** Whether a header block has nothing but fields that any server takes. */
export function isPlainHeader(block: Buffer): boolean {
  return isAscii(block) && rawFields(block).isWhole;
}
