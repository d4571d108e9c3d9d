import { isAscii, isUtf8 } from "node:buffer";
import { decodeCharset, isKnownCharset } from "./charset.ts";
import { Unsendable } from "./unsendable.ts";
import { type FieldRules, needsUtf8, wireValue } from "./wire-field.ts";
import { isCarried, wireFaults, withCrlf } from "./wire-scan.ts";

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

const fieldStart = /^[\x21-\x39\x3b-\x7e]+[ \t]*:/;
const longestName = 900;
/** No server takes more, and it would take long to write anew. */
const longestHeader = 1_000_000;

/** The fields of a block as `parseHeader` takes them, and whether all of the block was fields. */
function rawFields(block: Buffer): { fields: RawField[]; isWhole: boolean } {
  const fields: RawField[] = [];
  let isWhole = true;
  const take = (bytes: Buffer): void => {
    const match = fieldStart.exec(bytes.toString("latin1"));
    if (match) fields.push({ name: match[0].slice(0, -1).trimEnd(), value: bytes.subarray(match[0].length), bytes });
    else isWhole = false;
  };
  const mark = block.toString("latin1", 0, 3) === "\xef\xbb\xbf" ? 3 : 0;
  if (mark > 0) isWhole = false;
  for (let start = mark, at = mark; at < block.length; ) {
    const lf = block.indexOf(0x0a, at);
    at = lf === -1 ? block.length : lf + 1;
    if (block[at] === 0x20 || block[at] === 0x09) continue;
    take(block.subarray(start, at));
    start = at;
  }
  return { fields, isWhole };
}

/** NUL goes, as for who reads it (RFC 8621 §4.1.2.1); a CR that ends no line parts words. */
function cleaned(block: Buffer): Buffer {
  const faults = wireFaults(block);
  if (!faults.nul && !faults.bareBreak) return block;
  const text = withCrlf(block).toString("latin1").replaceAll("\0", "");
  return Buffer.from(text.replace(/\r(?!\n)/g, " "), "latin1");
}

/** RFC 5322 §2.2: a header block as it may be sent; the same object where it may be as it is. Throws Unsendable. */
export function wireHeader(block: Buffer, rules: HeaderRules, body: BodyFields): Buffer {
  if (block.length > longestHeader && !isCarried(wireFaults(block), rules.keepRaw)) {
    throw new Unsendable("5.6.3", "its header is too long to be put into a form that can be sent", ["headers"]);
  }
  const clean = cleaned(block);
  const { fields, isWhole } = rawFields(clean);
  let isSame = clean === block && isWhole;
  const out: Buffer[] = [];
  for (const field of fields) {
    if (isReplaced(field.name, body)) {
      isSame = false;
      continue;
    }
    const bytes = wireField(field, rules);
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

function wireField({ name, value, bytes }: RawField, rules: HeaderRules): Buffer {
  const keepsHigh = rules.keepRaw || (rules.keepUtf8 && isUtf8(value));
  if (isCarried(wireFaults(bytes), keepsHigh)) return bytes;
  if (name.length > longestName) throw new Unsendable("5.6.3", "the name of a header field is too long", ["headers"]);
  const raw = (isUtf8(value) ? value.toString("utf8") : decodeCharset(value, fallback(rules.charset)).text).trimEnd();
  const text = wireValue(name, raw, rules);
  const first = text.split("\r\n", 1)[0]!;
  const gap = name.length + 1 + Buffer.byteLength(first) > 990 ? "\r\n" : "";
  return Buffer.from(`${name}:${gap}${/^[ \t]/.test(text) ? "" : " "}${text}\r\n`, "utf8");
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
