import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLog } from "../src/base/log.ts";
import { Database } from "../src/store/core/database.ts";
import { migrate } from "../src/store/core/migrate.ts";
import { bare, crossing, unboundTables } from "../src/store/core/unbound-tables.ts";
import { createTestDatabase } from "./support/postgres.ts";

/** Runs after all other tests: checks every statement that they ran. */
const folder = process.env.STATEMENT_LOG as string;
const recorded = new Map(
  readdirSync(folder)
    .flatMap((file) => readFileSync(join(folder, file), "utf8").trim().split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { text: string; values: unknown[] })
    .map(({ text, values }) => [text, values]),
);
/** Statements that a test runs itself, or that use a table of a test. */
const isOfTests = (text: string) => text.startsWith("/* test */ ") || /\btoy\b/.test(text);
/** URL of a Citus coordinator, to check the plans there too. */
const citus = process.env.CITUS_URL;
/** A statement that reads across accounts says so in its first words. */
const isOurs = (text: string) =>
  /^(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(bare(text)) && !text.startsWith(crossing) && !isOfTests(text);

test("the other tests ran statements worth looking at", () => {
  expect([...recorded.keys()].filter(isOurs).length).toBeGreaterThan(0);
});

test("each account table in each statement is bound to its own user_id = $n", () => {
  const faults = [...recorded.keys()]
    .filter(isOurs)
    .map((text) => ({ text, tables: unboundTables(text) }))
    .filter(({ tables }) => tables.length > 0);
  expect(faults).toEqual([]);
});

/** What Citus does not support, or runs on several shards. */
const refused: [string, RegExp][] = [
  ["an INSERT inside a WITH", /\bAS\s*(MATERIALIZED\s*)?\(\s*INSERT\b/i],
  ["MERGE", /^\s*(WITH\b.*)?\bMERGE\s+INTO\b/is],
  ["a volatile function", /\b(clock_timestamp|random|gen_random_uuid|statement_timestamp|timeofday)\s*\(/i],
  ["a function in RETURNING that is not immutable", /\bRETURNING\b.*\b(now|to_char)\s*\(/is],
  // Only migrations lock the node that they are connected to, which creates the tables.
  ["an account's lock where the account may not be", /^\s*SELECT\s+pg_advisory_xact_lock\(\s*\$[^)]*\)\s*;?\s*$/i],
];

test.each(refused)("no statement has %s", (_, form) => {
  expect([...recorded.keys()].filter(isOurs).filter((text) => form.test(bare(text)))).toEqual([]);
});

/** On Citus each statement must be one task on one shard; plain Postgres shows at least that it can be planned. */
test(`each statement can be planned${citus ? ", as one task" : ""}`, async () => {
  const connection = citus ? { connectionString: citus } : (await createTestDatabase()).connection;
  const database = new Database({ ...connection, max: 1 }, silentLog);
  await migrate(database, silentLog);
  const client = await database.nodes.main.connect();
  const faults: string[] = [];
  for (const [text, values] of recorded) {
    if (!isOurs(text) || !/user_id = \$\d/.test(bare(text))) continue;
    await client.query("BEGIN");
    try {
      const plan = await client.query({ text: `EXPLAIN (FORMAT TEXT) ${text}`, values, rowMode: "array" });
      const lines = plan.rows.flat().join("\n");
      if (citus && !isOneTask(lines)) faults.push(text);
    } catch (error) {
      faults.push(`${(error as Error).message}: ${text}`);
    }
    await client.query("ROLLBACK");
  }
  client.release();
  await database.close();
  expect(faults).toEqual([]);
});

function isOneTask(plan: string): boolean {
  const counts = [...plan.matchAll(/Task Count: (\d+)/g)].map((match) => Number(match[1]));
  if (/Distributed Subplan|pull to coordinator/.test(plan)) return false;
  return counts.length > 0 && counts.every((count) => count === 1);
}
