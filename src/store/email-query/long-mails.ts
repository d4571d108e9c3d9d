import { statement, unprepared } from "../sql.ts";
import type { Reader } from "../store.ts";
import { Bindings } from "./bindings.ts";
import { createList, type EmailList } from "./list.ts";
import { asRare, holds } from "./match.ts";
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

const matches = (phrase: string, bindings: Bindings) =>
  holds({ terms: "p.terms", no: "p.no" }, { query: phrase, longMails: [] }, bindings);
const matchesRarely = (phrase: string, bindings: Bindings) =>
  holds({ terms: "p.terms", no: "p.no" }, asRare({ query: phrase, longMails: [] }), bindings);

const rowsOfAll: Rows = (phrase, bindings) =>
  `search_part p WHERE p.user_id = $1 AND ${matchesRarely(phrase, bindings)}`;

/** So many looks into rows are taken one by one; for more, the index tells which rows have the words. */
const mostWalked = 100;
const selectRows = statement<{ no: number; part: number }>(`
  SELECT p.no, p.part FROM search s
  CROSS JOIN LATERAL (SELECT q.no, q.part FROM search_part q WHERE q.user_id = $1 AND q.no = s.no OFFSET 0) p
  WHERE s.user_id = $1 AND s.received_at >= $2 LIMIT ${mostWalked + 1}`);

async function findSince(reader: Reader, phrases: string[], since: Date): Promise<Found> {
  const rows = await reader.run(selectRows, [reader.accountId, since]);
  if (rows.length === 0) return new Map();
  const isWalked = rows.length * phrases.length <= mostWalked;
  return findPhrases(reader, phrases, isWalked ? rowsNamed(rows) : rowsSince(since));
}

/** Without OFFSET the planner would ask the index, which names rows of the whole mailbox. */
function rowsNamed(rows: readonly { no: number; part: number }[]): Rows {
  const nos = rows.map(({ no }) => no);
  const parts = rows.map(({ part }) => part);
  return (
    phrase,
    bindings,
  ) => `unnest(${bindings.add(nos, "bigint[]")}, ${bindings.add(parts, "int[]")}) AS c (no, part)
    ${eachRow} WHERE ${matches(phrase, bindings)}`;
}

const eachRow = `CROSS JOIN LATERAL (SELECT q.no, q.terms FROM search_part q
  WHERE q.user_id = $1 AND q.no = c.no AND q.part = c.part OFFSET 0) p`;

/** The index tells which rows have all words of a phrase, and only those of these mails are read to know where they stand. */
function rowsSince(since: Date): Rows {
  return (phrase, bindings) => {
    const words = anywhere(phrase);
    const held = `(SELECT p.no, p.part FROM search_part p WHERE p.user_id = $1 AND ${matchesRarely(words, bindings)}
      AND p.no IN (SELECT s.no FROM search s
        WHERE s.user_id = $1 AND s.received_at >= ${bindings.add(since, "timestamptz")}) OFFSET 0)`;
    if (words === phrase) return `${held} p`;
    return `${held} c ${eachRow} WHERE ${matches(phrase, bindings)}`;
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
