import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dumpSchema, schemaFile, withTitle } from "../scripts/schema-dump.ts";
import { isOlder, version } from "../src/base/version.ts";
import { readMigrations, statementsOf } from "../src/store/core/migration-files.ts";
import { unprepared } from "../src/store/core/sql.ts";
import { createPlainDatabase } from "./support/postgres.ts";

const migrations = await readMigrations(new URL("../migrations/", import.meta.url));
const { database } = await createPlainDatabase();
const dump = await dumpSchema(database);

test("migrations/schema.sql matches the migrations (`npm run db:schema` writes it)", () => {
  expect(withTitle(dump)).toBe(readFileSync(schemaFile, "utf8"));
});

test("running the dump makes the same schema", async () => {
  const { database: other } = await createPlainDatabase("empty");
  for (const text of statementsOf(dump)) await other.run(unprepared(text));
  expect(await dumpSchema(other)).toBe(dump);
});

test("the dump fails on an object that it does not know, rather than leaving it out", async () => {
  const { database: other } = await createPlainDatabase();
  await other.run(unprepared("CREATE VIEW lost AS SELECT 1"));
  await expect(dumpSchema(other)).rejects.toThrow("relation of kind v: lost");
});

// Citus says "cannot insert multiple commands into a prepared statement", and so does the extended protocol.
test("each statement of a migration is sent as a query of its own", async () => {
  const { database: other } = await createPlainDatabase("empty");
  // The list of migrations is made before them.
  await other.run(unprepared("CREATE TABLE migration ()"));
  for (const text of migrations.flatMap(({ statements }) => statements)) {
    await other.nodes.main.query({ text, queryMode: "extended" } as { text: string });
  }
});

test("each migration names an existing program, no older than the migrations before it", () => {
  expect(migrations.length).toBeGreaterThan(0);
  for (const [index, { name, oldestProgram }] of migrations.entries()) {
    expect(isOlder(version, oldestProgram), name).toBe(false);
    expect(isOlder(oldestProgram, migrations[Math.max(0, index - 1)]!.oldestProgram), name).toBe(false);
  }
});
