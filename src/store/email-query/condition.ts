import { holds, matchOf } from "./match.ts";
import { type Atom, isTerms, type Node } from "./normal.ts";
import type { Source } from "./source.ts";

/** A condition of a list as SQL. `byRow`: few mails will be looked at, so words are sought in each of them. */
export function toListCondition(node: Node, source: Source, byRow: boolean): string {
  if (byRow && isTerms(node) && source.driver.kind !== "terms") {
    const { terms, bindings } = source;
    return `${node.negated ? "NOT " : ""}${holds({ terms, no: source.email("no") }, matchOf(node.atom), bindings)}`;
  }
  return toCondition(node, source);
}

/** A condition as SQL over the tables of `source`. */
function toCondition(node: Node, source: Source): string {
  if (typeof node === "boolean") return String(node);
  if ("all" in node) return `(${node.all.map((one) => toCondition(one, source)).join(" AND ")})`;
  if ("any" in node) return `(${node.any.map((one) => toCondition(one, source)).join(" OR ")})`;
  const text = toAtom(node.atom, source);
  return node.negated ? `NOT ${text}` : text;
}

function toAtom(atom: Atom, source: Source): string {
  const { bindings } = source;
  switch (atom.kind) {
    case "inMailbox":
      return `(${bindings.add(atom.mailboxId, "bigint")} = ANY (${source.email("mailbox_ids")}))`;
    case "inMailboxOtherThan":
      return `(NOT ${source.email("mailbox_ids")} <@ ${bindings.add(atom.mailboxIds, "bigint[]")})`;
    case "before":
      return `(${source.receivedAt} < ${bindings.add(atom.at, "timestamptz")})`;
    case "minSize":
      return `(${source.email("size")} >= ${bindings.add(atom.size, "bigint")})`;
    case "hasAttachment":
      return source.email("has_attachment");
    case "hasKeyword":
      return hasKeyword(atom.keyword, source);
    case "someInThread":
      return someInThread(atom.keyword, source);
    case "someInThreadLacks":
      return someInThreadLacks(atom.keyword, source);
    case "terms":
      // As a set, found once by the index: reading the terms of one mail after the other costs far more.
      return `(${source.email("no")} IN (SELECT x.no FROM search x WHERE x.user_id = $1
        AND ${holds({ terms: "x.terms", no: "x.no" }, matchOf(atom), bindings)}))`;
    case "messages":
      return `(${source.email("no")} = ANY (${bindings.add(atom.nos, "bigint[]")}))`;
    case "header":
      throw new Error("header conditions are resolved before");
  }
}

/** A keyword of the email itself. */
export function hasKeyword(keyword: string, source: Source): string {
  if (source.driver.kind === "mailbox") {
    if (keyword === "$seen") return "em.seen";
    if (keyword === "$draft") return "em.draft";
  }
  return `(${source.bindings.add(keyword, "text")} = ANY (${source.email("keywords")}))`;
}

/** The emails with a keyword are few and in an index of their own; $seen is the one that is not. */
export function someInThread(keyword: string, source: Source): string {
  const bound = source.bindings.add(keyword, "text");
  if (keyword === "$seen") {
    return `EXISTS (SELECT 1 FROM email x WHERE x.user_id = $1 AND x.thread_id = ${source.threadId}
      AND ${bound} = ANY (x.keywords))`;
  }
  return `(${source.threadId} IN (SELECT x.thread_id FROM email_keyword y
    JOIN email x ON x.user_id = $1 AND x.id = y.email_id WHERE y.user_id = $1 AND y.keyword = ${bound}))`;
}

export function someInThreadLacks(keyword: string, source: Source): string {
  return `EXISTS (SELECT 1 FROM email x WHERE x.user_id = $1 AND x.thread_id = ${source.threadId}
    AND NOT (${source.bindings.add(keyword, "text")} = ANY (x.keywords)))`;
}
