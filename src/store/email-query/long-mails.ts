import { sql } from "kysely";
import { account, ask, type Fragment, join } from "../core/compose.ts";
import { read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";
import { createList, type EmailList } from "./list.ts";
import { isTerms, type Node, type TermsLiteral } from "./normal.ts";
import { anywhere, isMeant, phrasesOf } from "./sought.ts";

/**
 * Adds to each condition on words the long mails (those with several rows of terms) that meet it; with `since`, only those
 * received since then, and no other rows are read. The words of a condition may be in different rows of a mail, and an
 * excluded word in any of them. So each phrase is looked up on its own, and each mail is judged by all phrases it has.
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

/** The list with its conditions resolved for long mails. */
export async function withLongMails(reader: Reader, list: EmailList, since?: Date): Promise<EmailList> {
  const { conditions, sort, choice, dropRepeats, byPlace } = list;
  const before = { all: conditions };
  const node = await resolveLongMails(reader, before, since);
  if (node === before) return list;
  const collapseThreads = dropRepeats || choice.collapsed;
  return createList((node as typeof before).all, { sort, collapseThreads, byPlace });
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

/** The phrases that each long mail has, by message number; mails with none are absent. */
type Found = Map<number, Set<string>>;

/** FROM and WHERE of the rows of search_part that have a phrase; the caller selects `p.no`. */
type Rows = (phrase: string) => Fragment;

const matches = (phrase: string) => sql`p.terms @@ ${phrase}::tsquery`;
/** In a subquery, so that the planner does not see a common word and read all rows: the index is faster. */
const isListed = (phrase: string) => sql`p.terms @@ (SELECT ${phrase}::tsquery)`;

const rowsOfAll: Rows = (phrase) => sql`search_part p WHERE p.user_id = ${account} AND ${isListed(phrase)}`;

/** Up to this many pairs of row and phrase are tested row by row; for more, the index names the candidates. */
const mostWalked = 100;
const selectLong = read(
  "emailQuery.longMails",
  (_, $: { accountId: number; since: Date }) => sql<{ no: number; rows: number }>`
  SELECT s.no, p.rows FROM search s CROSS JOIN LATERAL (SELECT count(*) AS rows FROM (
    SELECT 1 FROM search_part q WHERE q.user_id = ${$.accountId} AND q.no = s.no LIMIT ${sql.lit(mostWalked + 1)}) q) p
  WHERE s.user_id = ${$.accountId} AND s.received_at >= ${$.since} AND p.rows > 0`,
);

async function findSince(reader: Reader, phrases: string[], since: Date): Promise<Found> {
  const long = await reader.run(selectLong, { accountId: reader.accountId, since });
  if (long.length === 0) return new Map();
  const looks = phrases.length * long.reduce((sum, { rows }) => sum + rows, 0);
  const nos = long.map(({ no }) => no);
  return findPhrases(reader, phrases, looks <= mostWalked ? allRowsOf(nos) : likelyRowsOf(nos));
}

/** OFFSET 0 keeps the planner from using the index, which would return rows of the whole account. */
function allRowsOf(nos: number[]): Rows {
  return (phrase) => sql`unnest(${nos}::bigint[]) AS c (no)
    CROSS JOIN LATERAL (SELECT q.no, q.terms FROM search_part q WHERE q.user_id = ${account} AND q.no = c.no OFFSET 0) p
    WHERE ${matches(phrase)}`;
}

/** The index names the rows that have all words of a phrase; only those of the given mails are read for their positions. */
function likelyRowsOf(nos: number[]): Rows {
  return (phrase) => {
    const words = anywhere(phrase);
    const held = sql`(SELECT p.no, p.part FROM search_part p WHERE p.user_id = ${account}
      AND ${isListed(words)} AND p.no = ANY (${nos}::bigint[]) OFFSET 0)`;
    if (words === phrase) return sql`${held} p`;
    return sql`${held} c CROSS JOIN LATERAL (SELECT q.no, q.terms FROM search_part q
      WHERE q.user_id = ${account} AND q.no = c.no AND q.part = c.part OFFSET 0) p WHERE ${matches(phrase)}`;
  };
}

/** How many phrases one statement looks up. */
const atOnce = 50;

async function findPhrases(reader: Reader, phrases: string[], rowsFor: Rows): Promise<Found> {
  const found: Found = new Map();
  for (let start = 0; start < phrases.length; start += atOnce) {
    const some = phrases.slice(start, start + atOnce);
    const looks = some.map(
      (phrase, index) => sql`SELECT ${sql.raw(String(index))} AS index, p.no FROM ${rowsFor(phrase)} GROUP BY p.no`,
    );
    const rows = await ask(reader, sql<{ index: number; no: number }>`${join(looks, sql` UNION ALL `)}`);
    for (const { index, no } of rows) {
      const held = found.get(no) ?? new Set();
      found.set(no, held.add(some[index]!));
    }
  }
  return found;
}
