import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLog } from "../src/base/log.ts";
import { Database } from "../src/store/core/database.ts";
import { migrate } from "../src/store/core/migrate.ts";
import { bare, crossing, unboundTables } from "../src/store/core/unbound-tables.ts";
import { createTestDatabase } from "./support/postgres.ts";

/** Runs after all other tests: the statements that they made the store run (citus.md A1 to A3). */
const folder = process.env.STATEMENT_LOG as string;
const recorded = new Map(
  readdirSync(folder)
    .flatMap((file) => readFileSync(join(folder, file), "utf8").trim().split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { text: string; values: unknown[] })
    .map(({ text, values }) => [text, values]),
);
/** What a test asks for itself, and a table that one makes for itself. */
const isOfTests = (text: string) => text.startsWith("/* test */ ") || /\btoy\b/.test(text);
/** The address of a Citus coordinator, to see the plans there too. */
const citus = process.env.CITUS_URL;
/** What looks across accounts says so in its first words. */
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

/** citus.md A5, A6, B10. */
const refused: [string, RegExp][] = [
  ["an INSERT inside a WITH", /\bAS\s*(MATERIALIZED\s*)?\(\s*INSERT\b/i],
  ["MERGE", /^\s*(WITH\b.*)?\bMERGE\s+INTO\b/is],
  ["a volatile function", /\b(clock_timestamp|random|gen_random_uuid|statement_timestamp|timeofday)\s*\(/i],
  ["a function in RETURNING that is not immutable", /\bRETURNING\b.*\b(now|to_char)\s*\(/is],
  // Migrations alone lock the node they are connected to: it makes the tables.
  ["an account's lock where the account may not be", /^\s*SELECT\s+pg_advisory_xact_lock\(\s*\$[^)]*\)\s*;?\s*$/i],
];

test.each(refused)("no statement has %s", (_, form) => {
  expect([...recorded.keys()].filter(isOurs).filter((text) => form.test(bare(text)))).toEqual([]);
});

/** citus.md A3: on Citus each statement is one task on one shard; plain Postgres shows at least that it has a plan. */
test(`each statement can be planned${citus ? ", as one task" : ""}`, async () => {
  const connection = citus ? { connectionString: citus } : (await createTestDatabase()).connection;
  const database = new Database({ ...connection, max: 1 }, silentLog);
  await migrate(database, silentLog);
  const client = await database.pool.connect();
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
