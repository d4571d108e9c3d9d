import {
  type Decoded,
  decodeCharset,
  decodeCharsetHead,
  isAsciiName,
  isKnownCharset,
  wholeCharacters,
} from "./charset.ts";
import { isTagStart, tagEnd } from "./html.ts";
import type { Part } from "./structure.ts";
import { decodeTransfer } from "./transfer.ts";
import { transferDecoder } from "./transfer-stream.ts";
import { view } from "./view.ts";

export { decodedSize, decodeTransfer } from "./transfer.ts";

export interface DecodedText {
  text: string;
  isEncodingProblem: boolean;
}

/** RFC 8621 §4.1.4: decodes the text of a part: charset decoded, CRLF to LF, byte order mark removed. */
export function decodeText(bytes: Uint8Array, charset: string | null): DecodedText {
  return cleaned(decodeCharset(bytes, charset));
}

function cleaned({ text: decoded, problem }: Decoded): DecodedText {
  const text = decoded.startsWith("\ufeff") ? decoded.slice(1) : decoded;
  return { text: text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text, isEncodingProblem: problem };
}

/** The HTML standard looks no further for a charset. */
const metaWithin = 1024;
/** The charset that HTML declares in a meta element. */
const metaCharset = /<meta\b[^>]{0,200}?\bcharset\s*=\s*["']?\s*([^\s"'>;/]{1,40})/i;

/** For HTML without a charset parameter, uses the one declared in it, as browsers do. */
function charsetOf(bytes: Uint8Array, { type, charset }: Pick<Part, "type" | "charset">): string | null {
  if (type !== "text/html" || (charset !== null && !isAsciiName(charset))) return charset;
  const found = metaCharset.exec(view(bytes).toString("latin1", 0, metaWithin))?.[1];
  return found !== undefined && isKnownCharset(found) && !/^utf-?(16|32)/i.test(found) ? found : charset;
}

/** As `decodeText`, with the charset of the part. */
export function decodePart(bytes: Uint8Array, part: Pick<Part, "type" | "charset">): DecodedText {
  return decodeText(bytes, charsetOf(bytes, part));
}

/** The raw bytes of a part, still in their transfer encoding. */
export function rawBody(message: Uint8Array, part: Part): Buffer {
  return view(message).subarray(part.body.start, part.body.end);
}

/** RFC 8621 §4.1.4: the content of the part's blob. */
export function partBytes(message: Uint8Array, part: Part): Buffer {
  return decodeTransfer(rawBody(message, part), part.parts === null ? part.encoding : "binary");
}

/** The text of the first raw bytes of a part, without what may be cut at the end. HTML stays HTML. */
export function textOfHead(raw: Uint8Array, part: TextPart): string {
  const bytes = transferDecoder(part.encoding).push(raw);
  const charset = charsetOf(bytes, part);
  return cleaned(decodeCharsetHead(bytes, charset) ?? decodeCharset(wholeCharacters(bytes), charset)).text;
}

/** Where to cut HTML without cutting a tag; undefined at a tag that never ends. */
function outsideTag(html: string, cut: number): number | undefined {
  for (let open = html.indexOf("<"); open !== -1 && open < cut; ) {
    const end = isTagStart(html, open) ? tagEnd(html, open) : open + 1;
    if (end === -1) return undefined;
    if (end > cut) return open;
    open = html.indexOf("<", end);
  }
  return cut;
}

/** How much of the text fits into `maxBytes` of UTF-8. Counted by hand, since TextEncoder stops early in long texts. */
function fitting(text: string, maxBytes: number): number {
  let size = 0;
  for (let at = 0; at < text.length; ) {
    const point = text.codePointAt(at)!;
    size += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (size > maxBytes) return at;
    at += point < 0x10000 ? 1 : 2;
  }
  return text.length;
}

/** RFC 8621 §4.2: at most `maxBytes` of UTF-8 (0: no limit), never inside a character nor inside an HTML tag. */
export function truncateText(text: string, maxBytes: number, isHtml: boolean): { value: string; isTruncated: boolean } {
  if (maxBytes === 0) return { value: text, isTruncated: false };
  const cut = fitting(text, maxBytes);
  if (cut >= text.length) return { value: text, isTruncated: false };
  // A tag that never ends is not a tag, nor is any after it.
  return { value: text.slice(0, isHtml ? (outsideTag(text, cut) ?? cut) : cut), isTruncated: true };
}

/** RFC 8621 §4.1.4: an EmailBodyValue. */
export type BodyValue = { value: string; isEncodingProblem: boolean; isTruncated: boolean };

/** The properties of a text part that its value depends on. */
export type TextPart = Pick<Part, "type" | "charset" | "encoding">;

/** RFC 8621 §4.1.4: the value of a text part from its raw bytes; at most `maxBytes` of it (0: no limit). */
export function bodyValue(raw: Uint8Array, part: TextPart, maxBytes: number): BodyValue {
  const { text, isEncodingProblem } = decodePart(decodeTransfer(raw, part.encoding), part);
  const { value, isTruncated } = truncateText(text, maxBytes, part.type === "text/html");
  return { value, isEncodingProblem: isEncodingProblem || part.encoding === "unknown", isTruncated };
}

/** How many raw bytes usually suffice for `maxBytes` of text: up to 3 raw bytes make one. */
export function bodyHead(maxBytes: number): number {
  return 4 * maxBytes + 16_384;
}

/**
 * `bodyValue` from the first raw bytes of a part; undefined when they do not suffice. Does not report an encoding
 * problem in the bytes after them.
 */
export function bodyValueOfHead(raw: Uint8Array, part: TextPart, maxBytes: number): BodyValue | undefined {
  const bytes = transferDecoder(part.encoding).push(raw);
  if (bytes.length < metaWithin) return undefined;
  const decoded = decodeCharsetHead(bytes, charsetOf(bytes, part));
  if (!decoded) return undefined;
  const { text, isEncodingProblem } = cleaned(decoded);
  const sure = text.endsWith("\r") ? text.length - 1 : text.length;
  const fits = fitting(text, maxBytes);
  const cut = part.type === "text/html" && fits < sure ? outsideTag(text, fits) : fits;
  if (cut === undefined || fits >= sure) return undefined;
  const problem = isEncodingProblem || part.encoding === "unknown";
  return { value: text.slice(0, cut), isEncodingProblem: problem, isTruncated: true };
}
