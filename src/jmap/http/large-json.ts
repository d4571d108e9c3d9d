import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";

/** Strings of at least this length are written in slices. */
const slice = 1_000_000;

/**
 * The JSON of an answer as bytes. Strings of many megabytes are written with pauses, in which other requests proceed.
 * `octets`: about how many octets of messages the value holds.
 */
export async function jsonBytes(value: unknown, octets: number): Promise<Buffer> {
  if (octets < slice || !hasLongText(value)) return Buffer.from(JSON.stringify(value));
  const mark = randomUUID();
  const texts: string[] = [];
  const outline = JSON.stringify(value, (_name, item: unknown) => {
    if (typeof item !== "string" || item.length < slice) return item;
    texts.push(item);
    return mark;
  });
  const [first = "", ...after] = outline.split(mark);
  const pieces = [Buffer.from(first)];
  for (const [at, text] of texts.entries()) {
    for (let start = 0; start < text.length; ) {
      const end = sliceEnd(text, start);
      pieces.push(Buffer.from(JSON.stringify(text.slice(start, end)).slice(1, -1)));
      start = end;
      await setImmediate();
    }
    pieces.push(Buffer.from(after[at]!));
  }
  return Buffer.concat(pieces);
}

/** Never cuts between the two halves of a surrogate pair. */
function sliceEnd(text: string, start: number): number {
  const end = Math.min(start + slice, text.length);
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last < 0xdc00 ? end - 1 : end;
}

function hasLongText(value: unknown): boolean {
  if (typeof value === "string") return value.length >= slice;
  if (typeof value !== "object" || value === null) return false;
  for (const name in value) if (hasLongText(value[name as keyof typeof value])) return true;
  return false;
}
