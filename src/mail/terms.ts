import { words } from "./words.ts";

/** Fields of a message that a search can name, and the letter their terms carry. */
export const fieldLetters = { from: "f", to: "t", cc: "c", bcc: "b", subject: "s", attachment: "a" } as const;
export type SearchField = keyof typeof fieldLetters;
/** Every word is also there plain, so that `text` needs one look. */
export const plainLetter = "w";

const maxTerms = 20_000;
const maxBytes = 500_000;
/** Postgres keeps 14 bits of a position. */
const maxPosition = 16_383;
/** Between fields, so that no phrase spans two of them. */
const gap = 5;

/** A term and its positions as tsvector writes them ("7A": a header word); the account's prefix comes when stored. */
export type SearchTerms = Map<string, string[]>;

export interface SearchableText {
  fields: { field: SearchField; text: string }[];
  body: string;
}

/** The terms of one message: at most 20,000 and 500 KB, header words first. */
export function searchTerms({ fields, body }: SearchableText): SearchTerms {
  const terms: SearchTerms = new Map();
  let bytes = 0;
  let position = 1;
  const add = (term: string, weight: "A" | "B" | "") => {
    const at = Math.min(position, maxPosition) + weight;
    const known = terms.get(term);
    if (known) {
      if (known.length < 255 && known.at(-1) !== at) known.push(at);
      return;
    }
    bytes += term.length * 2 + 16;
    if (terms.size < maxTerms && bytes <= maxBytes) terms.set(term, [at]);
  };
  for (const { field, text } of fields) {
    const weight = field === "attachment" ? "B" : "A";
    for (const found of words(text)) {
      add(fieldLetters[field] + found, weight);
      add(plainLetter + found, weight);
      position++;
    }
    position += gap;
  }
  for (const found of words(body)) {
    if (terms.size >= maxTerms || bytes > maxBytes) break;
    add(plainLetter + found, "");
    position++;
  }
  return terms;
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

/** The terms as the text form of a tsvector for one account. */
export function tsvectorText(terms: SearchTerms, accountId: number): string {
  const prefix = accountPrefix(accountId);
  let text = "";
  for (const [term, positions] of terms) text += `'${prefix}${term}':${positions.join(",")} `;
  return text;
}
