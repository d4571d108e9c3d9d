import { bodyParts } from "./body.ts";
import { decodePart, rawBody, textOfHead } from "./decode.ts";
import { joinFlowed } from "./flowed.ts";
import { htmlToText, wholeWords } from "./html.ts";
import type { Part } from "./structure.ts";
import { decodeTransfer } from "./transfer.ts";

const previewLength = 256;
/** How much of a part is read: more only if the text so far is too short, as with long styles or quotes. */
const windows = [16_384, 262_144, 2_097_152];

const attribution = /^(on|am|le|el|il|op)\b.{0,300}:$/i;
const separator =
  /^(-{2,} ?(original message|forwarded message|ursprüngliche nachricht)|_{10,}$|begin forwarded message:)/i;

interface Words {
  text: string;
  /** Reading more of the source would add nothing. */
  isWhole: boolean;
}

/** The text without quoted lines, the line that introduces them, and the signature. */
function ownWords(text: string): Words {
  const kept: string[] = [];
  let length = 0;
  let isWhole = false;
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    const isSignature = line.trimEnd() === "--" && kept.some((other) => other !== "");
    isWhole = length > 4 * previewLength || isSignature || separator.test(trimmed);
    if (isWhole) break;
    if (trimmed.startsWith(">")) {
      while (kept.length > 0 && kept.at(-1) === "") kept.pop();
      // The introduction is often wrapped onto two lines.
      if (attribution.test(kept.at(-1) ?? "")) kept.pop();
      else if (attribution.test(kept.slice(-2).join(" "))) kept.splice(-2);
      continue;
    }
    kept.push(trimmed);
    length += trimmed.length;
  }
  return { text: collapse(kept.join(" ").slice(0, windows[0])), isWhole };
}

/** Collapses white space; removes invisible fillers and control characters. */
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

/** The text of HTML before the first quote. */
function beforeQuote(html: string): Words {
  const quote = html.search(/<blockquote\b|<div class="gmail_quote/i);
  if (quote === -1) return { text: "", isWhole: false };
  // Adds a quoted line, so that the line that introduces it is removed too.
  return { text: ownWords(`${htmlToText(html.slice(0, quote))}\n>`).text, isWhole: true };
}

/** The text of a part from at most `window` of its raw bytes. HTML stays HTML. */
function startOf(raw: Buffer, part: Part, window: number): string {
  const text =
    raw.length > window
      ? textOfHead(raw.subarray(0, window), part)
      : decodePart(decodeTransfer(raw, part.encoding), part).text;
  return part.delSp ? joinFlowed(text) : text;
}

function previewOf(message: Uint8Array, part: Part, sizes: readonly number[]): string {
  const raw = rawBody(message, part);
  const isHtml = part.type === "text/html";
  let text = "";
  for (const window of sizes) {
    const isCut = raw.length > window;
    const source = startOf(raw, part, window);
    const own = isHtml ? beforeQuote(source) : undefined;
    if (own?.text) return own.text;
    const all = isHtml ? htmlToText(source, { isCut }) : isCut ? wholeWords(source) : source;
    const words = ownWords(all);
    // If the whole mail is a quote, the preview shows the quote.
    text = words.text || collapse(all.slice(0, 2000));
    if (!isCut || (words.text !== "" && (words.isWhole || words.text.length >= previewLength))) break;
  }
  return text;
}

/** RFC 8621 §4.1.4: the beginning of the sender's own text, at most 256 characters. */
export function preview(message: Uint8Array, root: Part): string {
  const { textBody, htmlBody } = bodyParts(root);
  const isText = (part: Part): boolean => part.type.startsWith("text/");
  // The text version beside HTML is often empty.
  const parts = new Set([...textBody.filter(isText).slice(0, 10), ...htmlBody.filter(isText).slice(0, 10)]);
  for (const [index, part] of [...parts].entries()) {
    // Only the first part gets the largest window, since there may be twenty.
    const found = previewOf(message, part, index === 0 ? windows : windows.slice(0, 2));
    if (found) return cutAt(found.toWellFormed(), previewLength);
  }
  return "";
}
