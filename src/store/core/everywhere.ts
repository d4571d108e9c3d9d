import type { Log } from "../../base/log.ts";
import { Slots } from "../../base/slots.ts";
import { type Node, nameOf } from "./cluster.ts";
import type { Database } from "./database.ts";
import { columnTypes, type DB } from "./db.ts";
import { type Given, inOrder, type Statement, unprepared } from "./sql.ts";

/** A read across accounts that each server can run on its own shards: see `everywhere`. */
export interface ReadEverywhere<Row, P> {
  statement: Statement<Row, P>;
  table: string;
  /** For Postgres's format(): its first value stands for the table, the others are those of the statement. */
  template: string;
  columns: readonly string[];
  types: readonly string[];
}

/**
 * Lets `readEverywhere` ask each server for the rows of a table that it has. The statement reads only this table, without
 * an alias, and returns these of its columns.
 */
export function everywhere<Table extends keyof DB, Column extends keyof DB[Table] & string, Row, P>(
  table: Table,
  columns: readonly Column[],
  statement: Statement<Row & { [C in Column]: unknown }, P>,
): ReadEverywhere<Row, P> {
  const name = table.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const template = statement.text
    .replaceAll("%", "%%")
    .replace(new RegExp(`\\bFROM "?${name}\\b"?`, "gi"), `FROM (%1$s) AS ${name}`)
    .replace(/\$(\d+)/g, (_, number: string) => `%${Number(number) + 1}$L`);
  return { statement, table: name, template, columns, types: columns.map((column) => columnTypes[table][column]) };
}

export interface FoundEverywhere<Row> {
  rows: Row[];
  /** Whether every server answered. */
  isComplete: boolean;
}

const shardsOf = unprepared<Node & { shards: string[] }>(`
  SELECT n.nodename AS host, n.nodeport AS port, array_agg(shard_name(s.logicalrelid, s.shardid)) AS shards
  FROM pg_dist_shard s JOIN pg_dist_placement p ON p.shardid = s.shardid JOIN pg_dist_node n ON n.groupid = p.groupid
  WHERE s.logicalrelid = to_regclass($1) AND n.noderole = 'primary' GROUP BY n.nodename, n.nodeport`);

/** So many servers are asked at a time, each over a connection of the pool. */
const maxAsked = 4;

/**
 * Reads across all accounts. On Citus each server is asked by itself, with one command: one that does not answer is
 * logged, and costs only the rows of its own accounts. A limit applies to each server.
 */
export async function readEverywhere<Row, P>(
  database: Database,
  log: Log,
  read: ReadEverywhere<Row, P>,
  ...given: Given<P>
): Promise<FoundEverywhere<Row>> {
  if (!(await database.nodes.isCitus()))
    return { rows: await database.run(read.statement, ...given), isComplete: true };
  const nodes = await database.run(shardsOf, [read.table]);
  const values = inOrder(read.statement.parameters, given[0]);
  const slots = new Slots(maxAsked);
  let isComplete = true;
  const found = await Promise.all(
    nodes.map((node) =>
      slots
        .run(() => readNode(database, node, read, values))
        .catch((error: Error) => {
          isComplete = false;
          log.warn({ node: nameOf(node), table: read.table, reason: error.message }, "a node did not answer");
          return [];
        }),
    ),
  );
  return { rows: found.flat(), isComplete };
}

async function readNode<Row, P>(
  database: Database,
  { host, port, shards }: Node & { shards: string[] },
  { template, columns, types }: ReadEverywhere<Row, P>,
  values: unknown[],
): Promise<Row[]> {
  const returned = columns.map((column, at) => `"${column}" ${types[at]}`).join(", ");
  // What is added to the columns has names that no column of a table has.
  // format() quotes the values, which the driver has turned into texts.
  const texts = ["$4", ...values.map((_, at) => `$${at + 5}`)].map((parameter) => `${parameter}::text`).join(", ");
  const statement = unprepared<Row & { "node success": boolean; "node error": string | null; nth: number | null }>(`
    SELECT t.success AS "node success", CASE WHEN NOT t.success THEN t.result END AS "node error", r.*
    FROM master_run_on_worker(ARRAY[$1::text], ARRAY[$2::integer],
      ARRAY[format('SELECT coalesce(json_agg(r), ''[]'') FROM (%s) r', format($3::text, ${texts}))], false) t
    LEFT JOIN LATERAL ROWS FROM (
      json_to_recordset(CASE WHEN t.success THEN t.result::json ELSE '[]' END) AS (${returned})
    ) WITH ORDINALITY AS r (${[...columns, "nth"].map((column) => `"${column}"`).join(", ")}) ON true`);
  const all = shards.map((shard) => `SELECT * FROM ${shard}`).join(" UNION ALL ");
  const rows = await database.run(statement, [host, port, template, all, ...values]);
  if (!rows[0]!["node success"]) throw new Error(rows[0]!["node error"] ?? "no answer");
  return rows
    .filter(({ nth }) => nth !== null)
    .map(({ "node success": _, "node error": __, nth: ___, ...row }) => row as unknown as Row);
}
