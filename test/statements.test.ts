import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { columnTypes } from "../src/store/core/db.ts";
import { statementsOf } from "../src/store/core/migration-files.ts";
import { bare, crossing, unboundTables } from "../src/store/core/unbound-tables.ts";
import { isOnCitus } from "./support/citus.ts";
import { createTestDatabase } from "./support/postgres.ts";

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
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
const ourTables = new RegExp(`\\b(${Object.keys(columnTypes).map(snake).join("|")})\\b`);
/** The migration that takes over a database of 0.1 runs on plain Postgres alone. */
const adoption = new Set(statementsOf(readFileSync(new URL("../migrations/adopt-0.1.sql", import.meta.url), "utf8")));
const isPlanned = (text: string) =>
  /^\(?(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(bare(text)) &&
  ourTables.test(bare(text)) &&
  !isOfTests(text) &&
  !adoption.has(text);
/** `everywhere` passes a statement that crosses accounts on to each node of Citus: its tables are none of this text's. */
const isPassedOn = (text: string) => text.includes("master_run_on_worker(");
/** A statement that reads across accounts says so in its first words. */
const isOurs = (text: string) => isPlanned(text) && !text.startsWith(crossing) && !isPassedOn(text);

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

/**
 * On Citus a statement is one task, except those that cross accounts; what only the coordinator or every node has needs
 * none. Plain Postgres shows at least that it can be planned.
 */
test(`each statement can be planned${isOnCitus ? ", as one task unless it crosses accounts" : ""}`, async () => {
  const { database } = await createTestDatabase();
  const client = await database.nodes.main.connect();
  const faults: string[] = [];
  const several: string[] = [];
  for (const [text, values] of recorded) {
    if (!isPlanned(text)) continue;
    await client.query("BEGIN");
    try {
      const plan = await client.query({ text: `EXPLAIN (FORMAT TEXT) ${text}`, values, rowMode: "array" });
      if (asksSeveral(plan.rows.flat().join("\n"))) (text.startsWith(crossing) ? several : faults).push(text);
    } catch (error) {
      faults.push(`${(error as Error).message}: ${text}`);
    }
    await client.query("ROLLBACK");
  }
  client.release();
  expect(faults).toEqual([]);
  if (isOnCitus) console.log(`${several.length} statements ask several nodes:\n${several.map(bare).join("\n")}`);
}, 120_000);

/** Whether a plan of Citus has several tasks, or reads rows to the coordinator to send them on. */
function asksSeveral(plan: string): boolean {
  const counts = [...plan.matchAll(/Task Count: (\d+)/g)].map((match) => Number(match[1]));
  return counts.some((count) => count > 1) || /Distributed Subplan|pull to coordinator/.test(plan);
}
