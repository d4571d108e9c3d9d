import { unprepared } from "../sql.ts";
import type { Reader } from "../store.ts";
import { Bindings } from "./bindings.ts";
import { asRare, holds } from "./match.ts";
import { isTerms, type Node, type TermsLiteral } from "./normal.ts";
import { isMeant, phrasesOf } from "./sought.ts";

/**
 * Tells each condition on words which mails of several rows meet it. What is sought together may stand in different rows
 * of a mail, and what must not be there in any: so each phrase is looked for on its own, and each mail is judged by all
 * that was found in it.
 */
export async function resolveLongMails(reader: Reader, node: Node): Promise<Node> {
  const conditions = termsIn(node);
  if (conditions.length === 0 || !(await reader.standing()).hasLongMails) return node;
  const phrases = [...new Set(conditions.flatMap(({ atom }) => phrasesOf(atom.sought)))];
  const found = await findPhrases(reader, phrases);
  return replaceTerms(node, ({ atom, negated }) => {
    const longMails = [...found].filter(([, held]) => isMeant(atom.sought, (phrase) => held.has(phrase)));
    return { atom: { ...atom, longMails: longMails.map(([no]) => no) }, negated };
  });
}

function termsIn(node: Node): TermsLiteral[] {
  if (isTerms(node)) return [node];
  if (typeof node === "boolean" || "atom" in node) return [];
  return ("all" in node ? node.all : node.any).flatMap(termsIn);
}

function replaceTerms(node: Node, replace: (node: TermsLiteral) => TermsLiteral): Node {
  if (isTerms(node)) return replace(node);
  if (typeof node === "boolean" || "atom" in node) return node;
  return "all" in node
    ? { all: node.all.map((one) => replaceTerms(one, replace)) }
    : { any: node.any.map((one) => replaceTerms(one, replace)) };
}

/** In one statement, so many are looked for. */
const atOnce = 50;

/** By message number, which of the phrases each mail of several rows has; without those that have none. */
async function findPhrases(reader: Reader, phrases: string[]): Promise<Map<number, Set<string>>> {
  const found = new Map<number, Set<string>>();
  for (let start = 0; start < phrases.length; start += atOnce) {
    const some = phrases.slice(start, start + atOnce);
    const bindings = new Bindings(reader.accountId);
    const looks = some.map((phrase, index) => {
      const matches = holds({ terms: "p.terms", no: "p.no" }, asRare({ query: phrase, longMails: [] }), bindings);
      return `SELECT ${index} AS index, p.no FROM search_part p WHERE p.user_id = $1 AND ${matches} GROUP BY p.no`;
    });
    const rows = await reader.run(
      unprepared<{ index: number; no: number }>(looks.join(" UNION ALL ")),
      bindings.values,
    );
    for (const { index, no } of rows) {
      const held = found.get(no) ?? new Set();
      found.set(no, held.add(some[index]!));
    }
  }
  return found;
}
