import { lexeme } from "./lexeme.ts";
import { prefixMark, SearchRows } from "./search-rows.ts";
import { signPairs, signRuns } from "./signs.ts";
import { words } from "./words.ts";

/** Fields of a message that a search can name, and the letter their terms carry. */
export const fieldLetters = { from: "f", to: "t", cc: "c", bcc: "b", subject: "s", attachment: "a" } as const;
export type SearchField = keyof typeof fieldLetters;
/** Every word is also there plain, so that `text` needs one look. */
export const plainLetter = "w";

/**
 * What the index has of one message: rows in the text form of a tsvector, with `prefixMark` where the account's prefix
 * comes when they are stored. Most messages are one row.
 */
export type SearchTerms = string[];

export interface SearchableText {
  fields: { field: SearchField; text: string }[];
  /** No phrase spans two of them. */
  body: string[];
}

/** All terms of one message, header words first. */
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

/** Where signs are to be found too: elsewhere they are many and say little. */
const signed = new Set<SearchField>(["subject", "attachment"]);

function addSigns(rows: SearchRows, letter: string, text: string, weight: "A" | "B"): void {
  for (const signs of signRuns(text)) {
    for (const pair of signPairs(signs)) rows.add(plainLetter + quoted(pair), letter + quoted(pair), weight);
    rows.part();
  }
}

/** As it is written between the quotes of a term. */
export function quoted(signs: string): string {
  return signs.replace(/['\\]/g, "$&$&");
}

const blockLength = 50_000;

/** The words of a long text, all at once, would take much memory. */
function* blocks(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = blockEnd(text, start + blockLength);
    yield start === 0 && end === text.length ? text : text.slice(start, end);
    start = end;
  }
}

/** The first white space from there on: words never span it, but for a byte order mark, which they may. */
function blockEnd(text: string, from: number): number {
  if (from >= text.length) return text.length;
  const space = /[^\S\ufeff]/g;
  space.lastIndex = from;
  return space.exec(text)?.index ?? text.length;
}

const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Four characters that keep one account's terms together in the index; accounts that share them only cost time. */
export function accountPrefix(accountId: number): string {
  let prefix = "";
  for (let rest = accountId, i = 0; i < 4; i++, rest = Math.floor(rest / digits.length)) {
    prefix = digits[rest % digits.length] + prefix;
  }
  return prefix;
}

/** The rows as the text form of tsvectors for one account. */
export function tsvectorTexts(terms: SearchTerms, accountId: number): string[] {
  const start = `'${accountPrefix(accountId)}`;
  return terms.map((row) => row.replaceAll(prefixMark, start));
}
