import { readFile } from "node:fs/promises";
import { sql } from "kysely";
import type { Log } from "../../base/log.ts";
import { isOlder, version } from "../../base/version.ts";
import type { Database } from "./database.ts";
import { type Row, read, write } from "./declare.ts";
import { SchemaRefused } from "./errors.ts";
import { type Migration, readMigrations, statementsOf } from "./migration-files.ts";
import { type Executor, unprepared } from "./sql.ts";

const ownFolder = new URL("../../../migrations/", import.meta.url);

/** Another process may be migrating. */
const patiently = unprepared("SET LOCAL lock_timeout = 0");
const lockLedger = unprepared("SELECT pg_advisory_xact_lock(7206901)");
/** Citus requires this for tables that refer to reference tables. Plain Postgres ignores it. */
const oneByOne = unprepared("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'");
const createLedger = unprepared(`
  CREATE TABLE IF NOT EXISTS migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    oldest_program text NOT NULL,
    applied_at timestamptz NOT NULL
  )`);
type Applied = Row<"migration", "number" | "name" | "checksum" | "oldestProgram">;
const selectApplied = read("migrations.applied", (db) =>
  db.selectFrom("migration").select(["number", "name", "checksum", "oldestProgram"]).orderBy("number"),
);
const record = write("migrations.record", (db, $: Applied) =>
  db.insertInto("migration").values({
    number: $.number,
    name: $.name,
    checksum: $.checksum,
    oldestProgram: $.oldestProgram,
    appliedAt: sql`now()`,
  }),
);

export interface MigrateOptions {
  /** Called with each file's name before it is applied. */
  tell?: ((name: string) => void) | undefined;
  /** The version of the program that will run on the database. (Default: this program's) */
  program?: string;
  folder?: URL;
}

/**
 * Applies the numbered files of `migrations/` that this database lacks, in one transaction, and returns their names.
 * Throws SchemaRefused when this program must not run on the database.
 */
export async function migrate(
  database: Database,
  log: Log,
  { tell = () => {}, program = version, folder = ownFolder }: MigrateOptions = {},
): Promise<string[]> {
  const migrations = await readMigrations(folder);
  return database.transaction("BEGIN", async (executor) => {
    const done: string[] = [];
    const apply = async (name: string, statements: string[]) => {
      tell(name);
      for (const text of statements) await executor.run(unprepared(text));
      done.push(name);
      log.info({ migration: name }, "migrated");
    };
    const note = ({ number, name, checksum, oldestProgram }: Migration) =>
      executor.run(record, { number, name, checksum, oldestProgram });

    await executor.run(patiently);
    await executor.run(lockLedger);
    await executor.run(oneByOne);
    const isBefore = await isBeforeBaseline(executor);
    if (isBefore) await apply(adoption, statementsOf(await readFile(new URL(adoption, ownFolder), "utf8")));
    await executor.run(createLedger);
    if (isBefore) for (const migration of migrations.filter(({ isBaseline }) => isBaseline)) await note(migration);
    const applied = await executor.run(selectApplied);
    refuseOthers(applied, migrations, program);
    const known = new Set(applied.map(({ number }) => number));
    for (const migration of migrations.filter(({ number }) => !known.has(number))) {
      await apply(migration.name, migration.statements);
      await note(migration);
    }
    return done;
  });
}

/**
 * For a database that cannot be migrated now: throws SchemaRefused unless it has all that this program needs. Any node of
 * Citus can tell.
 */
export async function checkMigrated(database: Database, folder = ownFolder): Promise<void> {
  const migrations = await readMigrations(folder);
  const applied = await database.run(selectApplied).catch((error: Error & { code?: string }): Applied[] => {
    // Before the migration that puts the list on every node, only the coordinator has it.
    if (error.code === "42P01") return [];
    throw error;
  });
  refuseOthers(applied, migrations, version);
  const known = new Set(applied.map(({ number }) => number));
  const lacking = migrations.filter(({ number }) => !known.has(number)).map(({ name }) => name);
  if (lacking.length > 0) {
    throw new SchemaRefused(
      `the database lacks ${lacking.join(", ")}: start a Posthorn that writes first, while the database is all there`,
    );
  }
}

/** Accepts migrations of newer programs unless they exclude this version; a migration that both have must be identical. */
function refuseOthers(applied: Applied[], migrations: Migration[], program: string): void {
  const own = new Map(migrations.map((migration) => [migration.number, migration]));
  for (const { number, name, checksum, oldestProgram: oldest } of applied) {
    if (isOlder(program, oldest)) {
      throw new SchemaRefused(
        `this is Posthorn ${program}, but the database has ${name}, which needs Posthorn ${oldest} or newer`,
      );
    }
    const ours = own.get(number);
    if (ours && ours.checksum !== checksum) {
      throw new SchemaRefused(
        `${ours.name} differs from ${name} as applied to the database: ` +
          `its SHA-256 is ${ours.checksum}, the applied one's ${checksum}`,
      );
    }
  }
}

const adoption = "adopt-0.1.sql";
/** The migrations of 0.1. */
const before = [1, 2, 3, 4, 10, 11, 12, 20, 30, 40, 50, 60, 70, 80, 100];
const findLedger = unprepared<{ column: string }>(
  "SELECT attname AS column FROM pg_attribute WHERE attrelid = to_regclass('migration') AND attnum > 0",
);
const selectBefore = unprepared<{ number: number }>("SELECT number FROM migration ORDER BY number");

/** Whether the database is from 0.1. Throws SchemaRefused unless it has exactly the migrations of 0.1. */
async function isBeforeBaseline(executor: Executor): Promise<boolean> {
  const columns = (await executor.run(findLedger)).map(({ column }) => column);
  if (columns.length === 0 || columns.includes("checksum")) return false;
  const numbers = (await executor.run(selectBefore)).map(({ number }) => number);
  const strange = numbers.filter((number) => !before.includes(number));
  const lacking = before.filter((number) => !numbers.includes(number));
  if (strange.length > 0) {
    throw new SchemaRefused(`the database has migrations that Posthorn 0.1 did not have: ${strange.join(", ")}`);
  }
  if (lacking.length > 0) {
    throw new SchemaRefused(
      `the database is of an early Posthorn 0.1 and lacks its migrations ${lacking.join(", ")}: ` +
        `start the last Posthorn 0.1 on it once, then Posthorn ${version}`,
    );
  }
  return true;
}
