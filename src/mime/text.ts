import { bodyParts } from "./body.ts";
import { wholeCharacters } from "./charset.ts";
import { decodePart, rawBody } from "./decode.ts";
import { joinFlowed } from "./flowed.ts";
import { htmlToText } from "./html.ts";
import type { Part } from "./structure.ts";
import { decodeTransfer } from "./transfer.ts";

export { htmlToText } from "./html.ts";

const previewLength = 256;

/** The start of a part, HTML as it is, from at most `maxRaw` raw bytes. */
function startOf(message: Uint8Array, part: Part, maxRaw: number): string {
  return decodedStart(rawBody(message, part), part, maxRaw);
}

/** From a part's raw bytes; HTML as it is. */
export function decodedStart(raw: Buffer, part: Part, maxRaw: number): string {
  const cut = raw.length > maxRaw;
  const bytes = decodeTransfer(cut ? raw.subarray(0, maxRaw) : raw, part.encoding);
  const { text } = decodePart(cut ? wholeCharacters(bytes) : bytes, part);
  return part.delSp ? joinFlowed(text) : text;
}

const attribution = /^(on|am|le|el|il|op)\b.{0,300}:$/i;
const separator =
  /^(-{2,} ?(original message|forwarded message|ursprüngliche nachricht)|_{10,}$|begin forwarded message:)/i;

/** Without quoted lines, the line that introduces them, and the signature. */
function ownWords(text: string): string {
  const kept: string[] = [];
  let length = 0;
  for (const line of text.split("\n")) {
    if (length > 4 * previewLength) break;
    const trimmed = line.trim();
    if (line.trimEnd() === "--" && kept.some((other) => other !== "")) break;
    if (separator.test(trimmed)) break;
    if (trimmed.startsWith(">")) {
      while (kept.length > 0 && kept.at(-1) === "") kept.pop();
      // The introduction is often wrapped to two lines.
      if (attribution.test(kept.at(-1) ?? "")) kept.pop();
      else if (attribution.test(kept.slice(-2).join(" "))) kept.splice(-2);
      continue;
    }
    kept.push(trimmed);
    length += trimmed.length;
  }
  return kept.join(" ");
}

/** White space collapsed, invisible fillers and control characters gone. */
function collapse(text: string): string {
  return text
    .replace(/(?:\u034f|[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff])+/g, "")
    .replace(/[\s\x00-\x1f\x7f-\x9f]+/g, " ")
    .trim();
}

function cutAt(text: string, length: number): string {
  if (text.length <= length) return text;
  const split = /[\ud800-\udbff]/.test(text[length - 1]!);
  return text.slice(0, split ? length - 1 : length).trimEnd();
}

const previewText = (text: string): string => collapse(ownWords(text.slice(0, 16_384)));

function previewOf(message: Uint8Array, part: Part, maxRaw: number): string {
  const source = startOf(message, part, maxRaw);
  if (part.type !== "text/html") return previewText(source) || collapse(source.slice(0, 2000));
  const quote = source.search(/<blockquote\b|<div class="gmail_quote/i);
  // As a quoted line, so that the line that introduces it goes too.
  const own = quote === -1 ? "" : previewText(`${htmlToText(source.slice(0, quote))}\n>`);
  if (own !== "") return own;
  const all = htmlToText(source);
  return previewText(all) || collapse(all.slice(0, 2000));
}

/** RFC 8621 §4.1.4: the beginning of what the sender wrote, at most 256 characters. */
export function preview(message: Uint8Array, root: Part): string {
  const { textBody, htmlBody } = bodyParts(root);
  const isText = (part: Part): boolean => part.type.startsWith("text/");
  // The text version beside HTML is often empty.
  const parts = new Set([...textBody.filter(isText).slice(0, 10), ...htmlBody.filter(isText).slice(0, 10)]);
  for (const part of parts) {
    // HTML often begins with much style; only then is more of it read.
    const found = previewOf(message, part, 16_384) || (part.type === "text/html" && previewOf(message, part, 262_144));
    if (found) return cutAt(found.toWellFormed(), previewLength);
  }
  return "";
}
