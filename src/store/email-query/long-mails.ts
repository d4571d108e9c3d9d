import { statement, unprepared } from "../core/sql.ts";
import type { Reader } from "../core/store.ts";
import { Bindings } from "./bindings.ts";
import { createList, type EmailList } from "./list.ts";
import { isTerms, type Node, type TermsLiteral } from "./normal.ts";
import { anywhere, isMeant, phrasesOf } from "./sought.ts";

/**
 * Tells each condition on words which mails of several rows meet it; with `since`, which of those received since then, and
 * no terms of others are read. What is sought together may stand in different rows of a mail, and what
 * must not be there in any: so each phrase is looked for on its own, and each mail is judged by all that was found in it.
 */
export async function resolveLongMails(reader: Reader, node: Node, since?: Date): Promise<Node> {
  const conditions = openTerms(node);
  if (conditions.length === 0 || !(await reader.standing()).hasLongMails) return node;
  const phrases = [...new Set(conditions.flatMap(({ atom }) => phrasesOf(atom.sought)))];
  const found = await (since ? findSince(reader, phrases, since) : findPhrases(reader, phrases, rowsOfAll));
  return replaceTerms(node, ({ atom, negated }) => {
    const longMails = [...found].filter(([, held]) => isMeant(atom.sought, (phrase) => held.has(phrase)));
    return { atom: { ...atom, longMails: longMails.map(([no]) => no) }, negated };
  });
}

/** The same list with the long mails that meet its conditions. */
export async function withLongMails(reader: Reader, list: EmailList, since?: Date): Promise<EmailList> {
  const { accountId, conditions, sort, choice, dropRepeats, byPlace } = list;
  const before = { all: conditions };
  const node = await resolveLongMails(reader, before, since);
  if (node === before) return list;
  const collapseThreads = dropRepeats || choice.collapsed;
  return createList(accountId, (node as typeof before).all, { sort, collapseThreads, byPlace });
}

function openTerms(node: Node): TermsLiteral[] {
  if (isTerms(node)) return node.atom.longMails ? [] : [node];
  if (typeof node === "boolean" || "atom" in node) return [];
  return ("all" in node ? node.all : node.any).flatMap(openTerms);
}

function replaceTerms(node: Node, replace: (node: TermsLiteral) => TermsLiteral): Node {
  if (isTerms(node)) return node.atom.longMails ? node : replace(node);
  if (typeof node === "boolean" || "atom" in node) return node;
  return "all" in node
    ? { all: node.all.map((one) => replaceTerms(one, replace)) }
    : { any: node.any.map((one) => replaceTerms(one, replace)) };
}

/** By message number, which of the phrases each mail of several rows has; without those that have none. */
type Found = Map<number, Set<string>>;

/** The rows of search_part to look for a phrase in: FROM and WHERE, of which `p.no` is read. */
type Rows = (phrase: string, bindings: Bindings) => string;

const matches = (phrase: string, bindings: Bindings) => `p.terms @@ ${bindings.add(phrase, "tsquery")}`;
/** By the index: the planner knows no value of a subquery, and would rather read all rows for a word that is in most. */
const isListed = (phrase: string, bindings: Bindings) => `p.terms @@ (SELECT ${bindings.add(phrase, "tsquery")})`;

const rowsOfAll: Rows = (phrase, bindings) => `search_part p WHERE p.user_id = $1 AND ${isListed(phrase, bindings)}`;

/** So many looks into rows are taken one by one; for more, the index tells which rows have the words. */
const mostWalked = 100;
const selectLong = statement<{ no: number; rows: number }>(`
  SELECT s.no, p.rows FROM search s CROSS JOIN LATERAL (SELECT count(*) AS rows FROM (
    SELECT 1 FROM search_part q WHERE q.user_id = $1 AND q.no = s.no LIMIT ${mostWalked + 1}) q) p
  WHERE s.user_id = $1 AND s.received_at >= $2 AND p.rows > 0`);

async function findSince(reader: Reader, phrases: string[], since: Date): Promise<Found> {
  const long = await reader.run(selectLong, [reader.accountId, since]);
  if (long.length === 0) return new Map();
  const looks = phrases.length * long.reduce((sum, { rows }) => sum + rows, 0);
  const nos = long.map(({ no }) => no);
  return findPhrases(reader, phrases, looks <= mostWalked ? allRowsOf(nos) : likelyRowsOf(nos));
}

/** Without OFFSET the planner would ask the index, which names rows of the whole mailbox. */
function allRowsOf(nos: number[]): Rows {
  return (phrase, bindings) => `unnest(${bindings.add(nos, "bigint[]")}) AS c (no)
    CROSS JOIN LATERAL (SELECT q.no, q.terms FROM search_part q WHERE q.user_id = $1 AND q.no = c.no OFFSET 0) p
    WHERE ${matches(phrase, bindings)}`;
}

/** The index tells which rows have all words of a phrase, and only those of these mails are read for where they stand. */
function likelyRowsOf(nos: number[]): Rows {
  return (phrase, bindings) => {
    const words = anywhere(phrase);
    const held = `(SELECT p.no, p.part FROM search_part p WHERE p.user_id = $1
      AND ${isListed(words, bindings)} AND p.no = ANY (${bindings.add(nos, "bigint[]")}) OFFSET 0)`;
    if (words === phrase) return `${held} p`;
    return `${held} c CROSS JOIN LATERAL (SELECT q.no, q.terms FROM search_part q
      WHERE q.user_id = $1 AND q.no = c.no AND q.part = c.part OFFSET 0) p WHERE ${matches(phrase, bindings)}`;
  };
}

/** In one statement, so many are looked for. */
const atOnce = 50;

async function findPhrases(reader: Reader, phrases: string[], rowsFor: Rows): Promise<Found> {
  const found: Found = new Map();
  for (let start = 0; start < phrases.length; start += atOnce) {
    const some = phrases.slice(start, start + atOnce);
    const bindings = new Bindings(reader.accountId);
    const looks = some.map(
      (phrase, index) => `SELECT ${index} AS index, p.no FROM ${rowsFor(phrase, bindings)} GROUP BY p.no`,
    );
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
