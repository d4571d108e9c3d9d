import { sql } from "kysely";
import { asText, type HeaderField, parseHeader } from "../../mime/headers.ts";
import { ask } from "../core/compose.ts";
import type { Reader } from "../core/store.ts";
import type { HeaderCriterion } from "./criteria.ts";
import { createList, openList } from "./list.ts";
import { resolveLongMails } from "./long-mails.ts";
import { all, conjuncts, type Node } from "./normal.ts";

/**
 * Replaces conditions on header fields by the numbers of the messages that meet them, since values are decoded here, not
 * in the database. It reads only messages that meet the other conditions and have a field of that name.
 */
export async function resolveHeaders(reader: Reader, node: Node): Promise<Node> {
  if (!hasHeader(node)) return node;
  const conditions = conjuncts(await resolveLongMails(reader, node)) ?? [];
  const others = conditions.filter((one) => !hasHeader(one));
  const resolved: Node[] = [];
  for (const one of conditions.filter(hasHeader)) resolved.push(await resolve(reader, one, others));
  return all([...others, ...resolved]);
}

function hasHeader(node: Node): boolean {
  if (typeof node === "boolean") return false;
  if ("atom" in node) return node.atom.kind === "header";
  return ("all" in node ? node.all : node.any).some(hasHeader);
}

async function resolve(reader: Reader, node: Node, others: Node[]): Promise<Node> {
  if (typeof node === "boolean") return node;
  if ("atom" in node) {
    if (node.atom.kind !== "header") return node;
    return { atom: { kind: "messages", nos: await findMessages(reader, node.atom, others) }, negated: node.negated };
  }
  const nodes: Node[] = [];
  for (const one of "all" in node ? node.all : node.any) nodes.push(await resolve(reader, one, others));
  return "all" in node ? { all: nodes } : { any: nodes };
}

interface HeaderRow {
  no: number;
  sha256: Buffer;
  /** The fields of that name; null if the header block is not stored in the row. */
  fields: Buffer | null;
}

async function findMessages(reader: Reader, criterion: HeaderCriterion, others: Node[]): Promise<number[]> {
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(criterion.name)) return [];
  const list = createList(others, { sort: [], collapseThreads: false });
  const { source, where } = openList(list);
  const block = source.message("header");
  // "escape" turns any bytes into text, but doubles each backslash, so the pattern must do so too.
  const name = criterion.name.replaceAll("\\", "\\\\").replace(/[^A-Za-z0-9_-]/g, "\\$&");
  const field = sql`${`(?:^|\\n)(${name}[ \\t]*:[^\\n]*(?:\\n[ \\t][^\\n]*)*)`}::text`;
  const rows = await ask(
    reader,
    sql<HeaderRow>`
      SELECT m.no, m.sha256, decode((SELECT string_agg(f.field[1], E'\n') FROM
        regexp_matches(encode(${block}, 'escape'), ${field}, 'gi') AS f (field)), 'escape') AS fields
      FROM ${source.from} WHERE ${where} AND (${block} IS NULL OR encode(${block}, 'escape') ~* ${field})`,
  );
  const nos: number[] = [];
  for (const row of rows) {
    const fields = row.fields ?? (await criterion.readHeader(reader, row));
    if (fields && matches(parseHeader(fields), criterion)) nos.push(row.no);
  }
  return nos;
}

function matches(fields: HeaderField[], { name, text }: HeaderCriterion): boolean {
  const wanted = name.toLowerCase();
  const sought = text?.toLowerCase();
  return fields.some(
    (field) =>
      field.name.toLowerCase() === wanted &&
      (sought === undefined || asText(field.value).toLowerCase().includes(sought)),
  );
}
