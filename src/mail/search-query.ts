import type { Sought } from "../store/email-query/sought.ts";
import { isTellingStart, keptOctets, lexeme } from "./lexeme.ts";
import { maxPhrase } from "./search-rows.ts";
import { accountPrefix, fieldLetters, plainLetter, type SearchField } from "./terms.ts";
import { type SoughtWord, soughtWords } from "./words.ts";

/** Where a filter looks: a header field, the body alone, or everywhere. */
export type SearchScope = Exclude<SearchField, "attachment"> | "body" | "text";

/**
 * What is sought and whether it must not be there: an index finds nothing by an absent word, so a text that only excludes
 * is the negation of what it excludes. "all": the text asks for nothing; "none": it asks for something that holds no word.
 */
export type SearchQuery = { sought: Sought; negated: boolean } | "all" | "none";

/** A text asks for more words than the index is made for. */
export class TooManyWords extends Error {}
const maxWords = 200;

/**
 * RFC 8621 §4.4.1: the text of a filter as a question to one account's terms. Tokens are parted by white space and
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
    const found = wordsOf(token);
    count += found.length;
    if (count > maxWords) throw new TooManyWords(`more than ${maxWords} words`);
    if (found.length > maxPhrase) throw new TooManyWords(`more than ${maxPhrase} words side by side`);
    if (found.length === 0) return [];
    const terms = found.map((one) => termOf(one, prefix, weight));
    return [{ phrase: terms.length === 1 ? terms[0]! : `(${terms.join(" <-> ")})`, negated: token.negated }];
  });
  if (parts.length === 0) return "none";
  const phrases = parts.map(({ phrase }) => ({ phrase }));
  if (parts.every((part) => part.negated)) {
    return { sought: phrases.length === 1 ? phrases[0]! : { any: phrases }, negated: true };
  }
  const all = parts.map(({ negated }, index) => (negated ? { not: phrases[index]! } : phrases[index]!));
  return { sought: all.length === 1 ? all[0]! : { all }, negated: false };
}

/** A term of a tsquery. */
function termOf({ word, open }: SoughtWord, prefix: string, weight: string): string {
  if (open && !isTellingStart(word)) throw new TooManyWords(`more than ${keptOctets} octets before *`);
  const flags = `${open ? "*" : ""}${weight}`;
  return `'${prefix}${open ? word : lexeme(word)}'${flags && `:${flags}`}`;
}

function wordsOf(token: Token): SoughtWord[] {
  const found = soughtWords(token.text);
  return found.map((one, index) => (token.open && index === found.length - 1 ? { ...one, open: true } : one));
}

/** What `searchQuery` looks for, without what must not be there: of each token, words side by side. */
export function searchPhrases(text: string): SoughtWord[][] {
  return tokenise(text)
    .filter(({ negated }) => !negated)
    .map(wordsOf)
    .filter((phrase) => phrase.length > 0);
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
