import { normalized } from "../base/normalize.ts";
import { unfold } from "./field.ts";
import { eachToken } from "./tokens.ts";
import { decodeWords } from "./words.ts";

/** RFC 8621 §4.1.2.2 */
export function asText(raw: string): string {
  return normalized(decodeWords(unfold(raw).replace(/^[ \t]+/, "")), "NFC");
}

interface Bracketed {
  /** The text between < and >, without white space and comments. */
  inner: string;
  /** A comma precedes it, or nothing. */
  afterComma: boolean;
  /** Other text precedes it. */
  afterText: boolean;
}

function bracketed(raw: string): Bracketed[] {
  const found: Bracketed[] = [];
  let inner: string | null = null;
  let afterComma = true;
  let afterText = false;
  eachToken(unfold(raw), (token) => {
    if (token.kind === "comment") {
      // Parentheses in a URL or an id belong to it.
      if (inner !== null) inner += token.raw;
    } else if (token.raw === "<") {
      inner = "";
    } else if (inner !== null && token.raw === ">") {
      if (inner !== "") found.push({ inner, afterComma, afterText });
      inner = null;
      afterComma = false;
      afterText = false;
    } else if (inner !== null) {
      inner += token.raw;
    } else if (token.raw === ",") {
      afterComma = true;
    } else {
      afterText = true;
    }
  });
  return found;
}

/**
 * RFC 8621 §4.1.2.5: a list of msg-id (RFC 5322 §3.6.4). The obsolete syntax allows phrases between them. Null without
 * any id in brackets.
 */
export function asMessageIds(raw: string): string[] | null {
  const ids = bracketed(raw).map((id) => id.inner);
  return ids.length === 0 ? null : ids;
}

/** RFC 8621 §4.1.2.7: ignores everything from the first item that is not a URL in brackets, as RFC 2369 §2 says. */
export function asUrls(raw: string): string[] | null {
  const urls: string[] = [];
  for (const { inner, afterComma, afterText } of bracketed(raw)) {
    if (!afterComma || afterText) break;
    urls.push(inner);
  }
  return urls.length === 0 ? null : urls;
}
