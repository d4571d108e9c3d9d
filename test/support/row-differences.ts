import type { Statement } from "../../src/store/core/sql.ts";
import { bare } from "../../src/store/core/unbound-tables.ts";
import type { DeclaredStatement, DeclaredType } from "./declared-types.ts";
import type { Described, DescribedColumn } from "./described.ts";

/** The TypeScript types that src/store/core/database.ts returns and accepts for each type of Postgres. */
const kinds: Record<string, string> = {
  bool: "boolean",
  bytea: "Buffer",
  date: "string",
  float8: "number",
  int2: "number",
  int4: "number",
  int8: "number",
  name: "string",
  numeric: "string",
  text: "string",
  timestamptz: "Date",
  tsquery: "string",
  tsvector: "string",
};
const isJson = (type: string) => /^jsonb?(\[\])?$/.test(type);
const kindOf = (type: string) => type.replace(/^\w+/, (name) => kinds[name] ?? `? (${name})`);

/** The differences between a statement's types and what Postgres says. */
export function differences(
  statement: Statement<unknown, never>,
  types: DeclaredStatement,
  described: Described,
): string[] {
  const { parameters = [], text } = statement;
  const given = parameters.flatMap((name, index) => {
    const type = described.parameters[index]!;
    const kind = types.parameters.get(name)?.kind;
    const wanted = isJson(type) ? type.replace(/^jsonb?/, "string") : kindOf(type);
    return kind === wanted ? [] : [`$.${name} is ${kind}, Postgres takes ${type}`];
  });
  const unused = [...types.parameters.keys()]
    .filter((name) => !parameters.includes(name))
    .map((name) => `$.${name} is not used`);
  const missing = [...types.row.keys()]
    .filter((name) => !described.columns.some((column) => column.name === name))
    .map((name) => `${name} is not returned`);
  const returned = described.columns.flatMap((column) => {
    const type = types.row.get(column.name);
    if (type === undefined) return [`${column.name} is returned, and not declared`];
    return columnDifferences(column, type, bare(text));
  });
  return [...given, ...unused, ...missing, ...returned];
}

function columnDifferences(
  { name, type, isNullable }: DescribedColumn,
  declared: DeclaredType,
  text: string,
): string[] {
  const kind = isJson(type) || declared.kind === kindOf(type);
  const column = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const isKnown = new RegExp(`\\b${column} IS NOT NULL\\b`, "i").test(text);
  const mayLack = /\b(LEFT|RIGHT|FULL) (OUTER )?JOIN\b|\bUNION\b/i.test(text);
  return [
    ...(kind ? [] : [`${name} is declared ${declared.kind}, and is ${type}`]),
    ...(declared.isOptional ? [`${name} is declared optional`] : []),
    ...(isNullable === true && !declared.isNullable && !isKnown ? [`${name} may be null`] : []),
    ...(isNullable === false && declared.isNullable && !mayLack ? [`${name} is never null`] : []),
  ];
}
