import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type pg from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { crossings, declared } from "../src/store/core/declare.ts";
import { isOnCitus } from "./support/citus.ts";
import { storeModules } from "./support/declared-types.ts";
import { createTestDatabase } from "./support/postgres.ts";

/** A value of each type that parameters have, also as an element of an array. */
const samples: Record<string, string> = {
  bigint: "1",
  boolean: "true",
  bytea: "\\x00",
  date: "2026-01-01",
  "double precision": "1",
  integer: "1",
  json: "{}",
  jsonb: "{}",
  numeric: "1",
  smallint: "1",
  text: "a",
  "timestamp with time zone": "2026-01-01T00:00:00Z",
  tsvector: "a",
};

function sampleOf(type: string): string {
  const sample = samples[type.replace("[]", "")];
  if (sample === undefined) throw new Error(`no sample of ${type}`);
  const literal = `'${type.endsWith("[]") ? `{${JSON.stringify(sample)}}` : sample}'`;
  return `${literal}::${type}`;
}

/** How Citus would run a statement, with values of the types that Postgres infers. */
async function planOf(client: pg.ClientBase, text: string): Promise<string> {
  await client.query("BEGIN");
  try {
    await client.query(`PREPARE asked AS ${text}`);
    const { rows } = await client.query<{ types: string[] }>(
      "/* test */ SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = 'asked'",
    );
    const values = rows[0]!.types.map(sampleOf).join(", ");
    const explain = `EXPLAIN EXECUTE asked${values && `(${values})`}`;
    return (await client.query({ text: explain, rowMode: "array" })).rows.flat().join("\n");
  } finally {
    await client.query("ROLLBACK");
    await client.query("DEALLOCATE ALL");
  }
}

const isOneTask = (plan: string) =>
  [...plan.matchAll(/Task Count: (\d+)/g)].every(([, tasks]) => Number(tasks) <= 1) &&
  !/Distributed Subplan|pull to coordinator/.test(plan);

describe.runIf(isOnCitus)("on Citus", () => {
  beforeAll(async () => {
    for (const file of storeModules) await import(pathToFileURL(resolve(file)).href);
  });

  test("every declared statement can be run, as one task unless it crosses accounts", async () => {
    const { database } = await createTestDatabase();
    const client = await database.nodes.main.connect();
    const faults: string[] = [];
    for (const [name, { text }] of declared) {
      if (!/^\(?(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(text.replace(/^--.*\n/, "").trim())) continue;
      try {
        const plan = await planOf(client, text);
        if (!isOneTask(plan) && !crossings.has(name)) faults.push(`${name}: ${plan}`);
      } catch (error) {
        faults.push(`${name}: ${(error as Error).message}`);
      }
    }
    client.release();
    expect(faults).toEqual([]);
  }, 120_000);
});
