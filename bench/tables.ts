import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { table } from "./report.ts";

type Relation = { table: string; index: string | null; bytes: string; rows: string };

/** Of each table its rows and its bytes with TOAST, then its indexes. The catalogue's count of rows is exact after VACUUM ANALYZE of a small database. */
const relations = `
  SELECT t.relname AS table, NULL AS index, pg_table_size(t.oid) AS bytes, greatest(t.reltuples, 0) AS rows
  FROM pg_class t WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT t.relname, i.relname, pg_relation_size(i.oid), 0
  FROM pg_class t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE t.relnamespace = 'public'::regnamespace ORDER BY 1, 2 NULLS FIRST`;

/** What a mail takes in each table and index of the embedded database of a running server, which has so many mails. */
export async function printTables(dataFolder: string, mails: number): Promise<string> {
  const pointer = join(dataFolder, "run.path");
  const host = existsSync(pointer) ? readFileSync(pointer, "utf8").trim() : join(dataFolder, "run");
  const client = new pg.Client({ host, port: 5432, user: "posthorn", database: "posthorn" });
  await client.connect();
  try {
    // Also brings what is pending into the GIN indexes.
    await client.query("VACUUM ANALYZE");
    const { rows } = await client.query<Relation>(relations);
    const large = rows.filter(({ bytes }) => Number(bytes) / mails >= 1);
    const sum = rows.reduce((total, { bytes }) => total + Number(bytes), 0);
    const line = (name: string, ofTable: string, bytes: number): string[] => [
      name,
      ofTable,
      (bytes / mails).toFixed(0),
    ];
    return table(
      ["a mail in", "rows", "bytes"],
      [
        ...large.map(({ table, index, bytes, rows: count }) =>
          line(index ? `  ${index}` : table, index ? "" : (Number(count) / mails).toFixed(2), Number(bytes)),
        ),
        line("all", "", sum),
      ],
    );
  } finally {
    await client.end();
  }
}
