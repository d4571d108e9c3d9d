import { createHash } from "node:crypto";

/** A term of the index has at most this many octets. */
const maxOctets = 255;
/** A longer word keeps this many of its first octets unchanged. */
export const keptOctets = 200;

/**
 * A word as the index stores it. A word that is too long becomes its first octets and a hash of the whole, so it is
 * found by the whole word or by its beginning.
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
  // No word contains this mark.
  return `${kept}#${createHash("sha256").update(word).digest("hex").slice(0, 32)}`;
}

/** True when the words that begin with `start` can be recognised by their terms. */
export function isTellingStart(start: string): boolean {
  return Buffer.byteLength(start) <= keptOctets;
}
