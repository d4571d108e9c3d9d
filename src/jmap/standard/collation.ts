import { normalized } from "../../base/normalize.ts";

/** RFC 5051: ignores case and decomposition. */
const unicodeKey = (text: string) => normalized(text, "NFKD").toUpperCase();
const asciiKey = (text: string) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());

function numericKey(text: string): number {
  const digits = /^\d+/.exec(text);
  return digits ? Number(digits[0]) : Number.POSITIVE_INFINITY;
}

/** Compares by a collation of RFC 4790; the default is i;unicode-casemap. */
export function compareText(a: string, b: string, collation: string | undefined): number {
  if (collation === "i;ascii-numeric") return compare(numericKey(a), numericKey(b));
  const key = collation === "i;ascii-casemap" ? asciiKey : unicodeKey;
  return compare(key(a), key(b));
}

export function compare<T extends string | number | boolean>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
