import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import pg from "pg";
import { beforeAll, expect, test } from "vitest";
import { declared } from "../src/store/core/declare.ts";
import { declaredTypes, storeModules } from "./support/declared-types.ts";
import { Describer } from "./support/described.ts";
import { createTestDatabase } from "./support/postgres.ts";
import { differences } from "./support/row-differences.ts";

const planted = "test/support/planted-statements.ts";
const faults = new Map<string, string[]>();

beforeAll(async () => {
  const files = [...storeModules, planted];
  for (const file of files) await import(pathToFileURL(resolve(file)).href);
  const { connection } = await createTestDatabase();
  // A connection outside the pool, whose connections accept declared statements only.
  const client = new pg.Client(connection);
  await client.connect();
  const describer = await Describer.of(client);
  const types = declaredTypes(files);
  for (const [name, statement] of declared) {
    const [, found] = types.find(([pattern]) => pattern.test(name)) ?? [];
    const described = await describer.describe(statement.text).catch((error: Error) => error);
    if (described instanceof Error) faults.set(name, [described.message]);
    else faults.set(name, found ? differences(statement, found, described) : ["its declaration was not found"]);
  }
  await client.end();
});

const isPlanted = (name: string) => name.startsWith("planted.");

test("each statement takes and returns what its types say", () => {
  const ours = [...faults].filter(([name]) => !isPlanted(name));
  expect(ours.length).toBeGreaterThan(0);
  expect(ours.filter(([, lines]) => lines.length > 0)).toEqual([]);
});

test("a statement with wrong types is detected", () => {
  expect(Object.fromEntries([...faults].filter(([name]) => isPlanted(name)))).toEqual({
    "planted.name": ["threadid is not returned", "threadId is returned, and not declared"],
    "planted.type": ["receivedAt is declared string, and is timestamptz"],
    "planted.sum": ["octets is declared number, and is numeric"],
    "planted.null": ["parentId may be null"],
    "planted.neverNull": ["id is never null"],
    "planted.optional": ["id is declared optional", "id is never null"],
    "planted.parameters": ["$.accountId is string, Postgres takes int8", "$.limit is not used"],
    "planted.column": ['column "nowhere" does not exist'],
    "planted.right": [],
    "planted.known": [],
  });
});
