import { unspacedScripts } from "../../base/scripts.ts";

/** What a search demands of a mail: phrases, each of one term or of adjacent terms ("('a' <-> 'b')"), and their logic. */
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

/** The phrases that decide whether a mail matches. */
export function phrasesOf(sought: Sought): string[] {
  if ("phrase" in sought) return [sought.phrase];
  if ("not" in sought) return phrasesOf(sought.not);
  return ("all" in sought ? sought.all : sought.any).flatMap(phrasesOf);
}

/** The words of a phrase at any position and with any weight: what the index alone can answer. */
export function anywhere(phrase: string): string {
  return phrase.replace(/':D/g, "'").replace(/':\*D/g, "':*").replaceAll(" <-> ", " & ");
}

const unspaced = new RegExp(`[${unspacedScripts}]`, "u");

/**
 * For words of scripts without spaces, a tsquery that the index answers alone and that few other mails meet: a mail that
 * has all these pairs of characters usually has the word. Undefined for other scripts, whose common words are in most mails.
 */
export function likely(sought: Sought): string | undefined {
  if ("not" in sought) return undefined;
  if ("phrase" in sought) return unspaced.test(sought.phrase) ? anywhere(everySecond(sought.phrase)) : undefined;
  const parts = ("all" in sought ? sought.all : sought.any).map(likely);
  const known = parts.filter((one) => one !== undefined);
  if ("all" in sought) return joinedBy(" & ", known);
  return known.length < parts.length ? undefined : joinedBy(" | ", known);
}

/** Every second pair of characters, and the last one: together they cover the whole phrase. */
function everySecond(phrase: string): string {
  const words = phrase.replace(/^\(|\)$/g, "").split(" <-> ");
  return words.filter((_, index) => index % 2 === 0 || index === words.length - 1).join(" <-> ");
}

function joinedBy(operator: string, queries: string[]): string | undefined {
  return queries.length === 0 ? undefined : queries.map((query) => `(${query})`).join(operator);
}

/** Whether a mail matches; `has` tells which phrases it contains. */
export function isMeant(sought: Sought, has: (phrase: string) => boolean): boolean {
  if ("phrase" in sought) return has(sought.phrase);
  if ("not" in sought) return !isMeant(sought.not, has);
  return "all" in sought ? sought.all.every((one) => isMeant(one, has)) : sought.any.some((one) => isMeant(one, has));
}
