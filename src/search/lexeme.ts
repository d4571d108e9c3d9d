import { createHash } from "node:crypto";

/** A term of the index has at most so many octets. */
const maxOctets = 255;
/** Of a longer word, so many of its first octets stay as they are. */
export const keptOctets = 200;

/**
 * A word as the index has it. One that is too long is known by its first octets and a hash of the whole: found by all of
 * it, or by how it begins.
 */
export function lexeme(word: string): string {
  if (word.length * 3 <= maxOctets || Buffer.byteLength(word) <= maxOctets) return word;
  let kept = "";
  let octets = 0;
  for (const char of word) {
    octets += Buffer.byteLength(char);
    if (octets > keptOctets) break;
    kept += char;
  }
  // No word has that mark.
  return `${kept}#${createHash("sha256").update(word).digest("hex").slice(0, 32)}`;
}

/** Whether all words that begin so can be told by their terms. */
export function isTellingStart(start: string): boolean {
  return Buffer.byteLength(start) <= keptOctets;
}
