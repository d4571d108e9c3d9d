import { isAscii } from "node:buffer";
import { encodeHeader, encodeParameters, safeRaw } from "./encode.ts";
import type { HeaderField } from "./field.ts";
import { encodeBase64, encodeQuotedPrintable, view } from "./transfer.ts";

export { encodeHeader } from "./encode.ts";

/** RFC 8621 §4.6: a body part to be written. */
export interface BuildPart {
  type: string;
  charset?: string | null;
  name?: string | null;
  disposition?: string | null;
  cid?: string | null;
  language?: string[] | null;
  location?: string | null;
  /** More fields, values in Raw form. */
  headers: HeaderField[];
  content: { text: string } | { bytes: Uint8Array } | { parts: BuildPart[] };
  /** Of the type, besides those that are chosen here. */
  params?: [string, string][];
}

export interface BuildMessage {
  headers: HeaderField[];
  body: BuildPart;
}

type Encoding = "7bit" | "8bit" | "binary" | "quoted-printable" | "base64";

interface Built {
  header: string;
  body: Buffer[];
  encoding: Encoding;
}

const fieldName = /^[\x21-\x39\x3b-\x7e]+$/;

const field = (name: string, value: string): string => `${name}:${value}\r\n`;

/** The identity encoding that tells the truth about these bytes (RFC 2045 §2.7 to §2.9). */
function identity(bytes: Buffer): Encoding {
  if (bytes.includes(0)) return "binary";
  let start = 0;
  for (let lf = bytes.indexOf(0x0a); ; lf = bytes.indexOf(0x0a, start)) {
    const end = lf === -1 ? bytes.length : lf;
    if (end - start > 999 || (lf !== -1 && bytes[lf - 1] !== 0x0d)) return "binary";
    if (lf === -1) break;
    start = lf + 1;
  }
  for (let cr = bytes.indexOf(0x0d); cr !== -1; cr = bytes.indexOf(0x0d, cr + 1)) {
    if (bytes[cr + 1] !== 0x0a) return "binary";
  }
  return isAscii(bytes) ? "7bit" : "8bit";
}

function encodeText(type: string, text: string): { body: Buffer; encoding: Encoding } {
  const bytes = Buffer.from(text.replace(/\r?\n/g, "\r\n"), "utf8");
  if (isOpaque(type)) return encodeBytes(type, bytes);
  if (identity(bytes) === "7bit" && !/^From /m.test(text)) return { body: bytes, encoding: "7bit" };
  let high = 0;
  for (const byte of bytes) if (byte > 0x7e) high++;
  // Base64 is the shorter one for most scripts but Latin; else the text had better stay legible.
  const useBase64 = high * 3 > bytes.length;
  return useBase64
    ? { body: encodeBase64(bytes), encoding: "base64" }
    : { body: encodeQuotedPrintable(bytes), encoding: "quoted-printable" };
}

/** RFC 2046 §5.2: these may have no other encoding than the identity. RFC 6532 §3.7 lets message/global have any. */
const isOpaque = (type: string) => type.startsWith("message/") && !type.startsWith("message/global");

function encodeBytes(type: string, bytes: Buffer): { body: Buffer; encoding: Encoding } {
  if (isOpaque(type)) return { body: bytes, encoding: identity(bytes) };
  return { body: encodeBase64(bytes), encoding: "base64" };
}

/** RFC 2046 §5.1.1: the boundary must not be in what it parts. Encoded content cannot hold "=_". */
function chooseBoundary(children: Built[], random: (bytes: number) => Buffer): string {
  for (let attempt = 0; ; attempt++) {
    const boundary = `=_${random(12).toString("hex")}${attempt === 0 ? "" : attempt}`;
    const clash = children.some(
      (child) => child.header.includes(boundary) || child.body.some((chunk) => chunk.includes(boundary)),
    );
    if (!clash) return boundary;
  }
}

function multipart(
  parts: BuildPart[],
  random: (bytes: number) => Buffer,
): { boundary: string; body: Buffer[]; encoding: Encoding } {
  const children = parts.map((part) => buildPart(part, random));
  const boundary = chooseBoundary(children, random);
  const body: Buffer[] = [];
  for (const child of children) {
    const lineBreak = body.length === 0 ? "" : "\r\n";
    body.push(Buffer.from(`${lineBreak}--${boundary}\r\n${child.header}\r\n`, "utf8"), ...child.body);
  }
  body.push(Buffer.from(`${body.length === 0 ? "" : "\r\n"}--${boundary}--\r\n`, "utf8"));
  const has = (encoding: Encoding): boolean => children.some((child) => child.encoding === encoding);
  return { boundary, body, encoding: has("binary") ? "binary" : has("8bit") ? "8bit" : "7bit" };
}

const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;

function leafType({ type }: BuildPart): string {
  return mediaType.test(type) && !/^multipart\//i.test(type) ? type : "application/octet-stream";
}

/** The type of the first leaf: what multipart/related must name (RFC 2387 §3.1). */
function firstType(part: BuildPart): string {
  return "parts" in part.content ? part.type : leafType(part);
}

function buildContent(
  part: BuildPart,
  random: (bytes: number) => Buffer,
): { type: string; params: [string, string][]; body: Buffer[]; encoding: Encoding } {
  const { content } = part;
  if ("parts" in content) {
    const type = /^multipart\//i.test(part.type) && mediaType.test(part.type) ? part.type : "multipart/mixed";
    const { boundary, body, encoding } = multipart(content.parts, random);
    const first = content.parts[0];
    const related: [string, string][] =
      /\/related$/i.test(type) && first !== undefined ? [["type", firstType(first)]] : [];
    return { type, params: [...(part.params ?? []), ...related, ["boundary", boundary]], body, encoding };
  }
  const type = leafType(part);
  const isText = "text" in content;
  const { body, encoding } = isText
    ? encodeText(type.toLowerCase(), content.text)
    : encodeBytes(type.toLowerCase(), view(content.bytes));
  const charset = isText ? (/^text\//i.test(type) ? "utf-8" : null) : part.charset;
  return {
    type,
    params: [...(charset ? [["charset", charset] as [string, string]] : []), ...(part.params ?? [])],
    body: [body],
    encoding,
  };
}

/** RFC 2045 §3: a part's header (without the empty line) and body. */
function buildPart(part: BuildPart, random: (bytes: number) => Buffer): Built {
  const { type, params, body, encoding } = buildContent(part, random);
  const isMultipart = "parts" in part.content;
  const own = new Set(part.headers.map(({ name }) => name.toLowerCase()));
  const name = part.name ?? null;
  const inDisposition = name !== null && typeof part.disposition === "string" && part.disposition !== "";
  if (name !== null && !inDisposition) params.push(["name", name]);
  let header = "";
  const add = (fieldTitle: string, value: string): void => {
    if (!own.has(fieldTitle.toLowerCase())) header += field(fieldTitle, value);
  };
  for (const { name: extra, value } of part.headers) {
    // What tells how to read the body is ours to say.
    const ours =
      /^(content-transfer-encoding|mime-version)$/i.test(extra) || (isMultipart && /^content-type$/i.test(extra));
    if (fieldName.test(extra) && !ours) header += field(extra, safeRaw(value));
  }
  if (isMultipart) own.delete("content-type");
  own.delete("content-transfer-encoding");
  add("Content-Type", encodeParameters(type, params));
  if (part.disposition) {
    const disposition = part.disposition.replace(/[^\w!#$&^.+-]/g, "") || "attachment";
    add("Content-Disposition", encodeParameters(disposition, name === null ? [] : [["filename", name]]));
  }
  if (part.cid) add("Content-ID", encodeHeader("MessageIds", [part.cid]));
  if (part.language?.length)
    add("Content-Language", safeRaw(` ${part.language.map((tag) => tag.replace(/[\s,()]/g, "")).join(", ")}`));
  if (part.location) add("Content-Location", safeRaw(` ${part.location.replace(/\s/g, "")}`));
  if (!isMultipart || encoding !== "7bit") add("Content-Transfer-Encoding", ` ${encoding}`);
  return { header, body, encoding };
}

/** RFC 5322, RFC 2045: the bytes of a message. `random` makes the boundaries. */
export function buildMessage(message: BuildMessage, random: (bytes: number) => Buffer): Buffer {
  const { header, body } = buildPart(message.body, random);
  let top = "";
  for (const { name, value } of message.headers) {
    if (fieldName.test(name) && name.toLowerCase() !== "mime-version") top += field(name, safeRaw(value));
  }
  return Buffer.concat([Buffer.from(`${top}${field("MIME-Version", " 1.0")}${header}\r\n`, "utf8"), ...body]);
}
