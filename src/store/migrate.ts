import { readdir, readFile } from "node:fs/promises";
import type { Log } from "../base/log.ts";
import type { Database } from "./database.ts";
import { statement, unprepared } from "./sql.ts";

const folder = new URL("../../migrations/", import.meta.url);

const createLedger = unprepared(
  "CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL)",
);
const lockLedger = unprepared("SELECT pg_advisory_xact_lock(7206901)");
/** Citus: tables that refer to reference tables take one change at a time in a transaction. Means nothing elsewhere. */
const oneByOne = unprepared("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'");
const applied = statement<{ number: number }>("SELECT number FROM migration");
const record = statement("INSERT INTO migration (number, name, applied_at) VALUES ($1, $2, now())");

/** Applies the numbered files of `migrations/` that this database lacks, all in one transaction; `tell` hears of each before. Their names. */
export async function migrate(database: Database, log: Log, tell?: (name: string) => void): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => /^\d{6}_\w+\.sql$/.test(name)).sort();
  return database.transaction("BEGIN", async (executor) => {
    await executor.run(lockLedger);
    await executor.run(oneByOne);
    await executor.run(createLedger);
    const done = new Set((await executor.run(applied)).map((row) => row.number));
    const fresh = files.filter((name) => !done.has(Number(name.slice(0, 6))));
    for (const name of fresh) {
      tell?.(name);
      await executor.run(unprepared(await readFile(new URL(name, folder), "utf8")));
      await executor.run(record, [Number(name.slice(0, 6)), name]);
      log.info({ migration: name }, "migrated");
    }
    return fresh;
  });
}
