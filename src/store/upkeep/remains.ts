import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { read } from "../core/declare.ts";
import { unprepared } from "../core/sql.ts";
import { type Erased, patternOf } from "./erasure.ts";

/** Rows that still name what was erased. */
export interface Remains {
  table: string;
  column: string;
  rows: number;
  /** Rows of the installation itself (user_id 0), of other accounts, or of the account. */
  of: "installation" | "others" | "account";
}

interface Column {
  table: string;
  name: string;
  type: string;
}

/** Of every table, also one that a newer program has added. */
const allColumns = read(
  "remains.columns",
  () => sql<Column>`
  SELECT quote_ident(c.table_name) AS "table", quote_ident(c.column_name) AS name, c.udt_name::text AS type
  FROM information_schema.columns c
  JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
  WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name <> 'citus_tables'
  ORDER BY c.table_name, c.ordinal_position`,
);

/** Columns whose numbers are those of accounts. */
const idColumns = /^(user_id|account_id|sender_id|uploaders)$/;

/** How a column is compared: $1 the number, $2 the pattern of the addresses, $3 the hashes of bodies. */
function conditionOf({ name, type }: Column): string | undefined {
  if (type === "int8" && idColumns.test(name)) return `${name} = $1`;
  if (type === "_int8" && idColumns.test(name)) return `$1 = ANY(${name})`;
  if (type === "text") return `${name} ~* $2`;
  if (type === "_text") return `array_to_string(${name}, ' ') ~* $2`;
  if (type === "jsonb" || type === "json") {
    return `(${name}::text ~* $2 OR ${name}::text ~ ('"(userId|account|accountId)": ' || $1::bigint || '[,}]'))`;
  }
  if (type === "bytea") return `(${name} = ANY($3::bytea[]) OR encode(${name}, 'escape') ~* $2)`;
  return undefined;
}

/**
 * Looks for the account's number, its addresses and the hashes of its bodies in every row of every table, on all nodes. It reads
 * all of the database: call it rarely.
 */
export async function findRemains(
  database: Database,
  { userId, addresses, hashes }: Erased & { hashes: readonly Buffer[] },
  tell: (progress: string) => void = () => {},
): Promise<Remains[]> {
  const found: Remains[] = [];
  const tables = [...Map.groupBy(await database.run(allColumns), ({ table }) => table)];
  // What matches nothing stands for no addresses.
  const pattern = addresses.length > 0 ? patternOf(addresses) : "(?!)";
  for (const [index, [table, columns]] of tables.entries()) {
    tell(`looking in ${table}: table ${index + 1} of ${tables.length}`);
    const whose = columns.some(({ name }) => name === "user_id")
      ? "CASE user_id WHEN 0 THEN 'installation' WHEN $1 THEN 'account' ELSE 'others' END"
      : "'installation'";
    const looked = columns.flatMap((column) => {
      const condition = conditionOf(column);
      return condition === undefined ? [] : [{ column: column.name, condition }];
    });
    if (looked.length === 0) continue;
    const counts = looked.map(({ condition }, at) => `count(*) FILTER (WHERE ${condition}) AS "c${at}"`);
    const text = `-- crosses accounts\nSELECT ${whose} AS "of", ${counts.join(", ")} FROM ${table}
      WHERE $1::bigint IS NOT NULL AND $2::text IS NOT NULL AND $3::bytea[] IS NOT NULL GROUP BY 1`;
    const rows = await database.run(unprepared<Record<string, number> & { of: Remains["of"] }>(text), [
      userId,
      pattern,
      hashes,
    ]);
    for (const row of rows) {
      looked.forEach(({ column }, at) => {
        const count = row[`c${at}`]!;
        if (count > 0) found.push({ table, column, rows: count, of: row.of });
      });
    }
  }
  return found;
}
