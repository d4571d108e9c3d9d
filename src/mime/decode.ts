import { decodeCharset, isAsciiName, isKnownCharset } from "./charset.ts";
import { isTagStart, tagEnd } from "./html.ts";
import type { Part } from "./structure.ts";
import { decodeTransfer, view } from "./transfer.ts";

export { decodedSize, decodeTransfer } from "./transfer.ts";

export interface DecodedText {
  text: string;
  isEncodingProblem: boolean;
}

/** RFC 8621 §4.1.4: the value of a text part: the charset decoded, CRLF to LF, no byte order mark. */
export function decodeText(bytes: Uint8Array, charset: string | null): DecodedText {
  const { text: decoded, problem } = decodeCharset(bytes, charset);
  const text = decoded.startsWith("\ufeff") ? decoded.slice(1) : decoded;
  return { text: text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text, isEncodingProblem: problem };
}

/** What HTML says of itself, in the 1024 bytes the HTML standard looks at. */
const metaCharset = /<meta\b[^>]{0,200}?\bcharset\s*=\s*["']?\s*([^\s"'>;/]{1,40})/i;

/** The same of a text part; HTML without a charset of its own is asked for it, as browsers do. */
export function decodePart(bytes: Uint8Array, { type, charset }: Pick<Part, "type" | "charset">): DecodedText {
  if (type === "text/html" && (charset === null || isAsciiName(charset))) {
    const found = metaCharset.exec(view(bytes).toString("latin1", 0, 1024))?.[1];
    if (found !== undefined && isKnownCharset(found) && !/^utf-?(16|32)/i.test(found)) return decodeText(bytes, found);
  }
  return decodeText(bytes, charset);
}

/** The raw bytes of a part, transfer encoding and all. */
export function rawBody(message: Uint8Array, part: Part): Buffer {
  return view(message).subarray(part.body.start, part.body.end);
}

/** RFC 8621 §4.1.4: what the part's blob holds. */
export function partBytes(message: Uint8Array, part: Part): Buffer {
  return decodeTransfer(rawBody(message, part), part.parts === null ? part.encoding : "binary");
}

/** Where to cut HTML so that no tag is cut in two. */
function outsideTag(html: string, cut: number): number {
  for (let open = html.indexOf("<"); open !== -1 && open < cut; ) {
    const end = isTagStart(html, open) ? tagEnd(html, open) : open + 1;
    // A tag that never ends is no tag, nor is one after it.
    if (end === -1) return cut;
    if (end > cut) return open;
    open = html.indexOf("<", end);
  }
  return cut;
}

/** RFC 8621 §4.2: at most `maxBytes` of UTF-8 (0: no limit), never inside a character nor inside an HTML tag. */
export function truncateText(text: string, maxBytes: number, isHtml: boolean): { value: string; isTruncated: boolean } {
  if (maxBytes === 0 || text.length * 3 <= maxBytes) return { value: text, isTruncated: false };
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.min(maxBytes, text.length * 3)));
  if (read >= text.length) return { value: text, isTruncated: false };
  return { value: text.slice(0, isHtml ? outsideTag(text, read) : read), isTruncated: true };
}

/** RFC 8621 §4.1.4: the EmailBodyValue of a text part. */
export function bodyValue(
  message: Uint8Array,
  part: Part,
  maxBytes: number,
): { value: string; isEncodingProblem: boolean; isTruncated: boolean } {
  const { text, isEncodingProblem } = decodePart(partBytes(message, part), part);
  const { value, isTruncated } = truncateText(text, maxBytes, part.type === "text/html");
  return { value, isEncodingProblem: isEncodingProblem || part.encoding === "unknown", isTruncated };
}
