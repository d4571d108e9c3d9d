import { decodePart, rawBody, textOfHead } from "./decode.ts";
import { htmlToText } from "./html.ts";
import { leaves, type Part } from "./structure.ts";
import { decodeTransfer } from "./transfer.ts";

export { htmlToText } from "./html.ts";

const searchLength = 1_000_000;

/** The start of a part, HTML as it is, from at most `maxRaw` raw bytes. */
function startOf(message: Uint8Array, part: Part, maxRaw: number): string {
  return decodedStart(rawBody(message, part), part, maxRaw);
}

/** From a part's raw bytes; HTML as it is. */
export function decodedStart(raw: Buffer, part: Part, maxRaw: number): string {
  if (raw.length > maxRaw) return textOfHead(raw.subarray(0, maxRaw), part);
  return decodePart(decodeTransfer(raw, part.encoding), part).text;
}

function cutAt(text: string, length: number): string {
  if (text.length <= length) return text;
  const split = /[\ud800-\udbff]/.test(text[length - 1]!);
  return text.slice(0, split ? length - 1 : length).trimEnd();
}

/** RFC 8621 §4.4.1: what a search in the body and in attachment names looks at. At most a million characters. */
export function searchText(message: Uint8Array, root: Part): { body: string; attachmentNames: string[] } {
  const found: string[] = [];
  const attachmentNames: string[] = [];
  let room = searchLength;
  for (const part of leaves(root)) {
    if (part.name !== null) attachmentNames.push(part.name);
    if (room <= 0 || !part.type.startsWith("text/") || part.size === 0) continue;
    const source = startOf(message, part, 4 * room);
    const text = (part.type === "text/html" ? htmlToText(source, { attributes: true }) : source)
      .slice(0, room)
      .replaceAll("\0", "");
    if (text.trim() === "") continue;
    found.push(text);
    room -= text.length + 1;
  }
  return { body: cutAt(found.join("\n").toWellFormed(), searchLength), attachmentNames };
}
