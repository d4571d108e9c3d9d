import { lexeme } from "./lexeme.ts";
import { prefixMark, SearchRows } from "./search-rows.ts";
import { signPairs, signRuns } from "./signs.ts";
import { words } from "./words.ts";

/** Fields of a message that a search can name, and the letter of their terms. */
export const fieldLetters = { from: "f", to: "t", cc: "c", bcc: "b", subject: "s", attachment: "a" } as const;
export type SearchField = keyof typeof fieldLetters;
/** Every word is also indexed with this letter, so that `text` needs one look-up. */
export const plainLetter = "w";

/**
 * The index terms of one message: rows in the text form of a tsvector, with `prefixMark` in place of the account's
 * prefix, which is added on storing. Most messages need one row.
 */
export type SearchTerms = string[];

export interface SearchableText {
  fields: { field: SearchField; text: string }[];
  /** No phrase spans two of these texts. */
  body: string[];
}

/** All terms of one message, words of the header first. */
export function searchTerms({ fields, body }: SearchableText): SearchTerms {
  const rows = new SearchRows();
  for (const { field, text } of fields) {
    const weight = field === "attachment" ? "B" : "A";
    for (const block of blocks(text)) {
      for (const word of words(block)) {
        const term = lexeme(word);
        rows.add(plainLetter + term, fieldLetters[field] + term, weight);
      }
    }
    rows.part();
    if (signed.has(field)) addSigns(rows, fieldLetters[field], text, weight);
  }
  for (const text of body) {
    for (const block of blocks(text))
      for (const word of words(block)) rows.add(plainLetter + lexeme(word), undefined, "");
    rows.part();
  }
  return rows.finish();
}

/** Fields in which signs are searchable; elsewhere they are frequent and say little. */
const signed = new Set<SearchField>(["subject", "attachment"]);

function addSigns(rows: SearchRows, letter: string, text: string, weight: "A" | "B"): void {
  for (const signs of signRuns(text)) {
    for (const pair of signPairs(signs)) rows.add(plainLetter + quoted(pair), letter + quoted(pair), weight);
    rows.part();
  }
}

/** Escaped for the quotes of a term. */
export function quoted(signs: string): string {
  return signs.replace(/['\\]/g, "$&$&");
}

const blockLength = 50_000;

/** Splits a long text: all its words at once would take much memory. */
function* blocks(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = blockEnd(text, start + blockLength);
    yield start === 0 && end === text.length ? text : text.slice(start, end);
    start = end;
  }
}

/** The first white space from `from` on. No word spans it, unless it is a byte order mark. */
function blockEnd(text: string, from: number): number {
  if (from >= text.length) return text.length;
  const space = /[^\S\ufeff]/g;
  space.lastIndex = from;
  return space.exec(text)?.index ?? text.length;
}

const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/**
 * Four characters that keep one account's terms together in the index. Accounts may share them; that only costs time.
 */
export function accountPrefix(accountId: number): string {
  let prefix = "";
  for (let rest = accountId, i = 0; i < 4; i++, rest = Math.floor(rest / digits.length)) {
    prefix = digits[rest % digits.length] + prefix;
  }
  return prefix;
}

/** The rows in the text form of tsvectors for one account. */
export function tsvectorTexts(terms: SearchTerms, accountId: number): string[] {
  const start = `'${accountPrefix(accountId)}`;
  return terms.map((row) => row.replaceAll(prefixMark, start));
}
