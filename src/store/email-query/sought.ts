import { unspacedScripts } from "../../base/scripts.ts";

/** What a search asks of one mail: a term or terms side by side ("('a' <-> 'b')"), and how these go together. */
export type Sought = { phrase: string } | { all: Sought[] } | { any: Sought[] } | { not: Sought };

/** The text form of a tsquery. */
export function tsquery(sought: Sought): string {
  if ("phrase" in sought) return sought.phrase;
  if ("not" in sought) return `!${operand(sought.not)}`;
  return "all" in sought ? sought.all.map(operand).join(" & ") : sought.any.map(operand).join(" | ");
}

function operand(sought: Sought): string {
  return "phrase" in sought || "not" in sought ? tsquery(sought) : `(${tsquery(sought)})`;
}

/** All that must be known of a mail to tell whether it is meant. */
export function phrasesOf(sought: Sought): string[] {
  if ("phrase" in sought) return [sought.phrase];
  if ("not" in sought) return phrasesOf(sought.not);
  return ("all" in sought ? sought.all : sought.any).flatMap(phrasesOf);
}

/** A phrase whose words may stand anywhere, of whatever weight: what the index alone can tell. */
export function anywhere(phrase: string): string {
  return phrase.replace(/':D/g, "'").replace(/':\*D/g, "':*").replaceAll(" <-> ", " & ");
}

const unspaced = new RegExp(`[${unspacedScripts}]`, "u");

/**
 * Where words of scripts without spaces are sought, a tsquery that the index answers alone and that few mails meet besides
 * those that are meant: a mail with these pairs of characters seldom has them elsewhere alone. Common words of other
 * scripts are in most mails. Undefined: the index tells too little.
 */
export function likely(sought: Sought): string | undefined {
  if ("not" in sought) return undefined;
  if ("phrase" in sought) return unspaced.test(sought.phrase) ? anywhere(everySecond(sought.phrase)) : undefined;
  const parts = ("all" in sought ? sought.all : sought.any).map(likely);
  const known = parts.filter((one) => one !== undefined);
  if ("all" in sought) return joinedBy(" & ", known);
  return known.length < parts.length ? undefined : joinedBy(" | ", known);
}

/** Two characters side by side, then the next two, and the last two: they hold all that lies between them. */
function everySecond(phrase: string): string {
  const words = phrase.replace(/^\(|\)$/g, "").split(" <-> ");
  return words.filter((_, index) => index % 2 === 0 || index === words.length - 1).join(" <-> ");
}

function joinedBy(operator: string, queries: string[]): string | undefined {
  return queries.length === 0 ? undefined : queries.map((query) => `(${query})`).join(operator);
}

/** Whether a mail is meant that has these phrases. */
export function isMeant(sought: Sought, has: (phrase: string) => boolean): boolean {
  if ("phrase" in sought) return has(sought.phrase);
  if ("not" in sought) return !isMeant(sought.not, has);
  return "all" in sought ? sought.all.every((one) => isMeant(one, has)) : sought.any.some((one) => isMeant(one, has));
}
