import { sql } from "kysely";
import { account, type Fragment, join } from "../core/compose.ts";
import { holds, matchOf } from "./match.ts";
import { type Atom, isTerms, type Node } from "./normal.ts";
import { and, type Source } from "./source.ts";

/** A condition of a list as SQL. `byRow`: few emails remain, so the words are tested in each one's own row. */
export function toListCondition(node: Node, source: Source, byRow: boolean): Fragment {
  if (byRow && isTerms(node) && source.driver.kind !== "terms") {
    return negate(node.negated, holds({ terms: source.terms, no: source.email("no") }, matchOf(node.atom)));
  }
  return toCondition(node, source);
}

const negate = (negated: boolean, condition: Fragment) => (negated ? sql`NOT ${condition}` : condition);

const or = sql` OR `;

/** A condition as SQL over the tables of `source`. */
function toCondition(node: Node, source: Source): Fragment {
  if (typeof node === "boolean") return node ? sql`true` : sql`false`;
  const several = (nodes: Node[]) => nodes.map((one) => toCondition(one, source));
  if ("all" in node) return sql`(${join(several(node.all), and)})`;
  if ("any" in node) return sql`(${join(several(node.any), or)})`;
  return negate(node.negated, toAtom(node.atom, source));
}

function toAtom(atom: Atom, source: Source): Fragment {
  switch (atom.kind) {
    case "inMailbox":
      return sql`(${atom.mailboxId}::bigint = ANY (${source.email("mailbox_ids")}))`;
    case "inMailboxOtherThan":
      return sql`(NOT ${source.email("mailbox_ids")} <@ ${atom.mailboxIds}::bigint[])`;
    case "before":
      return sql`(${source.receivedAt} < ${atom.at}::timestamptz)`;
    case "minSize":
      return sql`(${source.email("size")} >= ${atom.size}::bigint)`;
    case "hasAttachment":
      return source.email("has_attachment");
    case "authentication":
      return sql`coalesce(${source.message("authentication")} @> ${atom.part}::jsonb, false)`;
    case "hasKeyword":
      return hasKeyword(atom.keyword, source);
    case "someInThread":
      return someInThread(atom.keyword, source);
    case "someInThreadLacks":
      return someInThreadLacks(atom.keyword, source);
    case "terms":
      // As a set that the index finds once: reading the terms of each email costs far more.
      return sql`(${source.email("no")} IN (SELECT x.no FROM search x WHERE x.user_id = ${account}
        AND ${holds({ terms: sql`x.terms`, no: sql`x.no` }, matchOf(atom))}))`;
    case "messages":
      return sql`(${source.email("no")} = ANY (${atom.nos}::bigint[]))`;
    case "header":
      throw new Error("header conditions are resolved before");
  }
}

/** Whether the email itself has the keyword. */
export function hasKeyword(keyword: string, source: Source): Fragment {
  if (source.driver.kind === "mailbox") {
    if (keyword === "$seen") return sql`em.seen`;
    if (keyword === "$draft") return sql`em.draft`;
  }
  return sql`(${keyword}::text = ANY (${source.email("keywords")}))`;
}

/** Few emails have a keyword, and email_keyword lists them; it does not list $seen. */
export function someInThread(keyword: string, source: Source): Fragment {
  if (keyword === "$seen") {
    return sql`EXISTS (SELECT 1 FROM email x WHERE x.user_id = ${account} AND x.thread_id = ${source.threadId}
      AND ${keyword}::text = ANY (x.keywords))`;
  }
  return sql`(${source.threadId} IN (SELECT x.thread_id FROM email_keyword y
    JOIN email x ON x.user_id = ${account} AND x.id = y.email_id WHERE y.user_id = ${account} AND y.keyword = ${keyword}::text))`;
}

export function someInThreadLacks(keyword: string, source: Source): Fragment {
  return sql`EXISTS (SELECT 1 FROM email x WHERE x.user_id = ${account} AND x.thread_id = ${source.threadId}
    AND NOT (${keyword}::text = ANY (x.keywords)))`;
}
