import { decodePart, partBytes } from "./decode.ts";
import { joinFlowed } from "./flowed.ts";
import { asText, parseHeader } from "./headers.ts";
import { htmlToText } from "./html.ts";
import { leaves, type Part } from "./structure.ts";
import { walk } from "./walk.ts";

/** Messages nested deeper than this are searched as plain text, including headers and encodings. */
const maxAttached = 10;

/** The text that a search of the body and of attachment names covers. */
export interface SearchedText {
  /** Separate texts: no phrase spans two of them. */
  texts: string[];
  attachmentNames: string[];
}

/**
 * RFC 8621 §4.4.1: all text of a message. Leaves out only parts that are neither text/* nor message/*. An attached
 * message is searched like this one, including its addresses and subject.
 */
export function searchText(message: Uint8Array, root: Part): SearchedText {
  const found: SearchedText = { texts: [], attachmentNames: [] };
  collect(message, root, found, 0);
  return found;
}

function collect(message: Uint8Array, root: Part, found: SearchedText, depth: number): void {
  for (const part of leaves(root)) {
    if (part.name !== null) found.attachmentNames.push(part.name);
    if (part.size > 0 && isSearched(part.type)) collectPart(partBytes(message, part), part, found, depth);
  }
}

function collectPart(bytes: Uint8Array, part: Part, found: SearchedText, depth: number): void {
  if (isMessage(part.type) && depth < maxAttached) {
    const attached = walk(bytes);
    add(found, headerText(bytes.subarray(attached.header.start, attached.header.end), isShown));
    collect(bytes, attached, found, depth + 1);
  } else add(found, textOfPart(bytes, part));
}

/** The texts that `searchText` takes from one part, from its decoded octets. */
export function textsOfPart(bytes: Uint8Array, part: Part): string[] {
  const found: SearchedText = { texts: [], attachmentNames: [] };
  collectPart(bytes, part, found, 0);
  return found.texts;
}

function add({ texts }: SearchedText, text: string): void {
  if (text.trim() !== "") texts.push(text.replaceAll("\0", ""));
}

/** True when a part of the type has text to search. */
export function isSearched(type: string): boolean {
  return type.startsWith("text/") || type.startsWith("message/");
}

const isMessage = (type: string): boolean => type === "message/rfc822" || type === "message/global";

const shown = new Set(["from", "to", "cc", "bcc", "subject"]);
const isShown = (name: string): boolean => name.length <= 7 && shown.has(name.toLowerCase());

/** The decoded values of header fields, one per line. */
function headerText(header: Uint8Array, keep?: (name: string) => boolean): string {
  return parseHeader(header, keep)
    .map(({ value }) => asText(value))
    .join("\n");
}

const cards = /^text\/(calendar|vcard|directory|x-vcard|x-vcalendar)$/;

/** The text of a part that is not a multipart, from its decoded octets. */
function textOfPart(bytes: Uint8Array, part: Part): string {
  if (part.type === "text/rfc822-headers") return headerText(bytes);
  const { text } = decodePart(bytes, part);
  if (part.type === "text/html") return htmlToText(text, { attributes: true });
  if (part.delSp) return joinFlowed(text);
  return cards.test(part.type) ? unfolded(text) : text;
}

/**
 * RFC 5545 §3.1 and §3.3.11, RFC 6350 §3.2 and §3.4: lines may be folded inside words; line breaks and commas are
 * escaped.
 */
function unfolded(text: string): string {
  return text.replace(/\n[ \t]/g, "").replace(/\\([nN,;\\])/g, (_, char: string) => (/n/i.test(char) ? "\n" : char));
}
