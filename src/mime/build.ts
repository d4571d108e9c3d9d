import { encodeBase64 } from "./base64.ts";
import { encodeHeader, encodeParameters, safeRaw } from "./encode.ts";
import type { HeaderField } from "./field.ts";
import { encodeText } from "./transfer.ts";
import { wireAttached } from "./transport.ts";
import { Unsendable } from "./unsendable.ts";
import { view } from "./view.ts";
import { wireField } from "./wire-field.ts";
import { maxNameLength } from "./wire-header.ts";
import { identityOf, isCarried, wireFaults } from "./wire-scan.ts";

export { encodeHeader } from "./encode.ts";

/** RFC 8621 §4.6: a body part to be built. */
export interface BuildPart {
  type: string;
  charset?: string | null;
  name?: string | null;
  disposition?: string | null;
  cid?: string | null;
  language?: string[] | null;
  location?: string | null;
  /** Additional fields; values in Raw form. */
  headers: HeaderField[];
  content: { text: string } | { bytes: Uint8Array } | { parts: BuildPart[] };
  /** Parameters of the type besides those chosen here. */
  params?: [string, string][];
}

export interface BuildMessage {
  headers: HeaderField[];
  body: BuildPart;
}

type Encoding = "7bit" | "8bit" | "binary" | "quoted-printable" | "base64";

/** RFC 5322 §2.1.1: the line length that text keeps to if possible. */
const usualLine = 78;

interface Built {
  header: string;
  body: Buffer[];
  encoding: Encoding;
}

const fieldName = new RegExp(`^[\\x21-\\x39\\x3b-\\x7e]{1,${maxNameLength}}$`);

/** RFC 6532: UTF-8 may stay until the message is sent. */
const asWritten = { keepUtf8: true, isAttached: true };

function field(name: string, value: string): string {
  const line = `${name}:${value}\r\n`;
  return wireFaults(Buffer.from(line)).longLine ? wireField(name, value, asWritten) : line;
}

/** The identity encoding that describes these bytes correctly (RFC 2045 §2.7 to §2.9). */
function identity(bytes: Buffer): Encoding {
  const faults = wireFaults(bytes);
  return isCarried(faults, true) ? identityOf(faults) : "binary";
}

const textBytes = (text: string): Buffer => Buffer.from(text.replace(/\r?\n/g, "\r\n"), "utf8");

function encodeTextBody(text: string): { body: Buffer; encoding: Encoding } {
  const bytes = textBytes(text);
  const isShort = text.split("\n").every((line) => line.length <= usualLine);
  if (isShort && identity(bytes) === "7bit" && !/^From /m.test(text)) return { body: bytes, encoding: "7bit" };
  const { bytes: body, encoding } = encodeText(bytes);
  return { body, encoding };
}

function encodeBytes(type: string, bytes: Buffer): { body: Buffer; encoding: Encoding } {
  if (!isMessageType(type)) return { body: encodeBase64(bytes), encoding: "base64" };
  const body = /^message\/(rfc822|news)$/.test(type) ? attachedMessage(bytes) : bytes;
  return { body, encoding: identity(body) };
}

/** RFC 2046 §5.2: these types must not be encoded. RFC 6532 §3.7 allows encoding for message/global. */
const isMessageType = (type: string): boolean => type.startsWith("message/") && !type.startsWith("message/global");

/** A draft may hold a message that no server would accept; it is refused when it is sent. */
function attachedMessage(bytes: Buffer): Buffer {
  try {
    return wireAttached(bytes, true);
  } catch (error) {
    if (!(error instanceof Unsendable)) throw error;
    return bytes;
  }
}

/** RFC 2046 §5.1.1: the boundary must not occur in the parts. Encoded content cannot contain "=_". */
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

/** The type of the first leaf, which multipart/related must name (RFC 2387 §3.1). */
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
  const { body, encoding } =
    isText && !isMessageType(type.toLowerCase())
      ? encodeTextBody(content.text)
      : encodeBytes(type.toLowerCase(), isText ? textBytes(content.text) : view(content.bytes));
  const charset = isText ? (/^text\//i.test(type) ? "utf-8" : null) : part.charset;
  return {
    type,
    params: [...(charset ? [["charset", charset] as [string, string]] : []), ...(part.params ?? [])],
    body: [body],
    encoding,
  };
}

/** RFC 2045 §3: the header (without the empty line) and body of a part. */
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
    // We set the fields that say how to read the body.
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

/** RFC 5322, RFC 2045: the bytes of a message. `random` is used for boundaries. */
export function buildMessage(message: BuildMessage, random: (bytes: number) => Buffer): Buffer {
  const { header, body } = buildPart(message.body, random);
  let top = "";
  for (const { name, value } of message.headers) {
    if (fieldName.test(name) && name.toLowerCase() !== "mime-version") top += field(name, safeRaw(value));
  }
  return Buffer.concat([Buffer.from(`${top}${field("MIME-Version", " 1.0")}${header}\r\n`, "utf8"), ...body]);
}
