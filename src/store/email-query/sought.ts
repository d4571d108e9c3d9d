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

/** Whether a mail is meant that has these phrases. */
export function isMeant(sought: Sought, has: (phrase: string) => boolean): boolean {
  if ("phrase" in sought) return has(sought.phrase);
  if ("not" in sought) return !isMeant(sought.not, has);
  return "all" in sought ? sought.all.every((one) => isMeant(one, has)) : sought.any.some((one) => isMeant(one, has));
}
