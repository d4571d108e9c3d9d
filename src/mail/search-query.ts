import { accountPrefix, fieldLetters, plainLetter, type SearchField } from "./terms.ts";
import { words } from "./words.ts";

/** Where a filter looks: a header field, the body alone, or everywhere. */
export type SearchScope = Exclude<SearchField, "attachment"> | "body" | "text";

/**
 * A tsquery and whether it must not match: an index finds nothing by an absent word, so a text that only excludes is the
 * negation of what it excludes. "all": the text asks for nothing; "none": it asks for something that holds no word.
 */
export type SearchQuery = { query: string; negated: boolean } | "all" | "none";

export class TooManyWords extends Error {}
const maxWords = 200;

/**
 * RFC 8621 §4.4.1: the text of a filter as a tsquery over one account's terms. Tokens are parted by white space and
 * all must match. One of several words (an address, "e-mail") and a quoted phrase match these words side by side,
 * `word*` matches what begins so, `-token` what lacks it. Tokens without any word (a lone dash) are passed over; when
 * there are no others nothing matches, while blank text matches everything. Throws TooManyWords.
 */
export function searchQuery(text: string, scope: SearchScope, accountId: number): SearchQuery {
  const tokens = tokenise(text).filter(({ text }) => text.trim() !== "");
  if (tokens.length === 0) return "all";
  const prefix = accountPrefix(accountId) + (scope === "body" || scope === "text" ? plainLetter : fieldLetters[scope]);
  // A header word is there plain too, with a weight: "D" is what the body alone has.
  const weight = scope === "body" ? "D" : "";
  let count = 0;
  const parts = tokens.flatMap((token) => {
    const found = words(token.text);
    count += found.length;
    if (count > maxWords) throw new TooManyWords(`more than ${maxWords} words`);
    if (found.length === 0) return [];
    const terms = found.map((word, index) => {
      const open = token.open && index === found.length - 1 ? "*" : "";
      return `'${prefix}${word}'${open || weight ? `:${open}${weight}` : ""}`;
    });
    const phrase = terms.length === 1 ? terms[0]! : `(${terms.join(" <-> ")})`;
    return [{ phrase, negated: token.negated }];
  });
  if (parts.length === 0) return "none";
  if (parts.every((part) => part.negated)) {
    return { query: parts.map((part) => part.phrase).join(" | "), negated: true };
  }
  return { query: parts.map((part) => (part.negated ? `!${part.phrase}` : part.phrase)).join(" & "), negated: false };
}

/** Words side by side that a text is to hold; `open`: the last one is only the beginning of one. */
export interface SearchPhrase {
  words: string[];
  open: boolean;
  /** How the first word is likely to be written, but for capitals: not folded. */
  written: string;
}

/** What `searchQuery` looks for, without what must not be there. */
export function searchPhrases(text: string): SearchPhrase[] {
  return tokenise(text)
    .filter(({ negated }) => !negated)
    .map(({ text, open }) => ({ words: words(text), open, written: firstWritten(text) }))
    .filter((phrase) => phrase.words.length > 0);
}

function firstWritten(text: string): string {
  return /[\p{L}\p{N}\p{M}]+/u.exec(text.normalize("NFC").toLowerCase())?.[0] ?? "";
}

interface Token {
  text: string;
  negated: boolean;
  /** Its last word is only the beginning of one. */
  open: boolean;
}

const token = /\s*(-?)(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|'((?:[^'\\]|\\.)*)'(?=\s|$)|(\S+))/gsu;

function tokenise(text: string): Token[] {
  return [...text.matchAll(token)].map(([, dash, double, single, plain]) => {
    const quoted = double ?? single;
    if (quoted !== undefined) return { text: quoted.replace(/\\(.)/gsu, "$1"), negated: dash === "-", open: false };
    return { text: plain!, negated: dash === "-", open: plain!.endsWith("*") };
  });
}
