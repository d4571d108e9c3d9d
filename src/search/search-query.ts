import type { Sought } from "../store/email-query/sought.ts";
import { isTellingStart, keptOctets, lexeme } from "./lexeme.ts";
import { maxPhrase } from "./search-rows.ts";
import { signPairs, signRuns } from "./signs.ts";
import { accountPrefix, fieldLetters, plainLetter, quoted, type SearchField } from "./terms.ts";
import { type SoughtWord, soughtWords } from "./words.ts";

/** What a filter searches: a header field, the body alone, or everything. */
export type SearchScope = Exclude<SearchField, "attachment"> | "body" | "text";

/**
 * The words to look for, and whether they must be absent. An index finds nothing by an absent word, so a text that only
 * excludes becomes the negation of what it excludes. "all": the text asks for nothing; "none": it asks for something
 * without any word.
 */
export type SearchQuery = { sought: Sought; negated: boolean } | "all" | "none";

/** A text asks for more words than the index supports. */
export class TooManyWords extends Error {}
const maxWords = 200;

/**
 * RFC 8621 §4.4.1: turns the text of a filter into a query on one account's terms. Tokens are separated by white space,
 * and all must match. A token of several words (an address, "e-mail") and a quoted phrase match these words side by
 * side, `word*` matches words that begin so, and `-token` excludes. Tokens without a word (a lone dash) are ignored; if
 * there are no others, their signs are searched literally. Blank text matches everything. Throws TooManyWords.
 */
export function searchQuery(text: string, scope: SearchScope, accountId: number): SearchQuery {
  const tokens = tokenise(text).filter(({ text }) => text.trim() !== "");
  if (tokens.length === 0) return "all";
  const prefix = accountPrefix(accountId) + (scope === "body" || scope === "text" ? plainLetter : fieldLetters[scope]);
  // Words of the header are also indexed as plain terms, with a weight; only words of the body have weight "D".
  const weight = scope === "body" ? "D" : "";
  const phrase = (found: SoughtWord[]): Sought => {
    const terms = found.map((one) => termOf(one, prefix, weight));
    return { phrase: terms.length === 1 ? terms[0]! : `(${terms.join(" <-> ")})` };
  };
  const sought = tokens.map((token) => ({ words: wordsOf(token), negated: token.negated }));
  const named = sought.filter(({ words }) => words.length > 0);
  refuseTooMany(named.map(({ words }) => words));
  if (named.length > 0) return joined(named.map(({ words, negated }) => ({ sought: phrase(words), negated })));
  const signs = tokens.flatMap(signsOf);
  refuseTooMany(signs.map(({ pairs }) => pairs));
  return signs.length === 0 ? "none" : joined(signs.map(({ pairs, negated }) => ({ sought: phrase(pairs), negated })));
}

function refuseTooMany(phrases: SoughtWord[][]): void {
  if (phrases.flat().length > maxWords) throw new TooManyWords(`more than ${maxWords} words`);
  const isLong = phrases.some((words) => words.length > maxPhrase);
  if (isLong) throw new TooManyWords(`more than ${maxPhrase} words side by side`);
}

function joined(parts: { sought: Sought; negated: boolean }[]): SearchQuery {
  const negated = parts.every((part) => part.negated);
  const all = parts.map((part) => (part.negated === negated ? part.sought : { not: part.sought }));
  if (all.length === 1) return { sought: all[0]!, negated };
  return { sought: negated ? { any: all } : { all }, negated };
}

/** The runs of signs that a token asks for. An unquoted leading dash is one more sign. */
function signsOf({ text, negated, isQuoted }: Token): { signs: string; pairs: SoughtWord[]; negated: boolean }[] {
  const isDash = negated && !isQuoted;
  return signRuns(isDash ? `-${text}` : text).map((signs) => {
    const pairs = [...signPairs(signs)].map((word) => ({ word, open: false }));
    // A single sign may be the first of a pair.
    const sought = pairs.length === 1 ? [{ word: signs, open: true }] : pairs.slice(0, -1);
    return { signs, pairs: sought, negated: negated && isQuoted };
  });
}

/** The signs that `searchQuery` looks for when a text asks for nothing else. */
export function searchSigns(text: string): string[] {
  const tokens = tokenise(text);
  if (tokens.some((token) => wordsOf(token).length > 0)) return [];
  return tokens.flatMap(signsOf).flatMap(({ signs, negated }) => (negated ? [] : [signs]));
}

/** One term of a tsquery. */
function termOf({ word, open }: SoughtWord, prefix: string, weight: string): string {
  if (open && !isTellingStart(word)) throw new TooManyWords(`more than ${keptOctets} octets before *`);
  const flags = `${open ? "*" : ""}${weight}`;
  return `'${prefix}${quoted(open ? word : lexeme(word))}'${flags && `:${flags}`}`;
}

function wordsOf(token: Token): SoughtWord[] {
  const found = soughtWords(token.text);
  return found.map((one, index) => (token.open && index === found.length - 1 ? { ...one, open: true } : one));
}

/** The words side by side of each token that `searchQuery` looks for, without excluded tokens. */
export function searchPhrases(text: string): SoughtWord[][] {
  return tokenise(text)
    .filter(({ negated }) => !negated)
    .map(wordsOf)
    .filter((phrase) => phrase.length > 0);
}

interface Token {
  text: string;
  negated: boolean;
  /** The last word is only a prefix. */
  open: boolean;
  isQuoted: boolean;
}

const token = /\s*(-?)(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|'((?:[^'\\]|\\.)*)'(?=\s|$)|(\S+))/gsu;

function tokenise(text: string): Token[] {
  // A pattern counts it as white space, but it separates no words.
  return [...text.replaceAll("\ufeff", "").matchAll(token)].map(([, dash, double, single, plain]) => {
    const quotedText = double ?? single;
    const isQuoted = quotedText !== undefined;
    const text = isQuoted ? quotedText.replace(/\\(.)/gsu, "$1") : plain!;
    return { text, negated: dash === "-", open: !isQuoted && text.endsWith("*"), isQuoted };
  });
}
