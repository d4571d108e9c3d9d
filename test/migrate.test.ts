import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { version } from "../src/base/version.ts";
import { Database } from "../src/store/core/database.ts";
import { SchemaRefused } from "../src/store/core/errors.ts";
import { migrate } from "../src/store/core/migrate.ts";
import { readMigrations } from "../src/store/core/migration-files.ts";
import { unprepared } from "../src/store/core/sql.ts";
import { Store } from "../src/store/core/store.ts";
import { afterwards } from "./support/afterwards.ts";
import { createEmailWorld } from "./support/email-world.ts";
import { testServices } from "./support/jmap.ts";
import { createMailServices } from "./support/mail.ts";
import { createTestDatabase } from "./support/postgres.ts";

const own = new URL("../migrations/", import.meta.url);
const baseline = (await readMigrations(own)).map(({ name }) => name);

/** The migrations of a newer program: ours and more. */
function otherFolder(files: Record<string, string> = {}): { path: string; folder: URL } {
  const path = mkdtempSync(join(tmpdir(), "posthorn-migrations-"));
  afterwards(() => rmSync(path, { recursive: true }));
  cpSync(own, path, { recursive: true });
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(path, name), sql);
  return { path, folder: pathToFileURL(`${path}/`) };
}

const expand = { "000900_note.sql": `-- oldest program: ${version}\nALTER TABLE email ADD COLUMN note text;\n` };
const contract = { "000910_no_note.sql": "-- oldest program: 99.1.0\nALTER TABLE email DROP COLUMN note;\n" };

test("migrations are applied once when two programs start at the same time", async () => {
  const { database } = await createTestDatabase(undefined, "empty");
  const told: string[] = [];
  const both = await Promise.all([1, 2].map(() => migrate(database, silentLog, { tell: (name) => told.push(name) })));
  expect(both.flat()).toEqual(baseline);
  expect(told).toEqual(baseline);
  expect(await migrate(database, silentLog)).toEqual([]);
});

test("when one migration fails, none of them is applied", async () => {
  const { database } = await createTestDatabase();
  const broken = { "000905_broken.sql": `-- oldest program: ${version}\nCREATE TABLE a (b int);\nSELECT 1 / 0;\n` };
  const { folder } = otherFolder({ ...expand, ...broken });
  await expect(migrate(database, silentLog, { folder })).rejects.toThrow("division by zero");
  expect(await migrate(database, silentLog, otherFolder(expand))).toEqual(Object.keys(expand));
});

test("a migration that was edited after it was applied is refused, and both versions are named", async () => {
  const { database } = await createTestDatabase();
  const { path, folder } = otherFolder();
  appendFileSync(join(path, baseline[0]!), "-- edited\n");
  const [before, after] = [(await readMigrations(own))[0]!, (await readMigrations(folder))[0]!];
  const refused = migrate(database, silentLog, { folder });
  await expect(refused).rejects.toThrow(SchemaRefused);
  await expect(refused).rejects.toThrow(
    `${after.name} differs from ${before.name} as applied to the database: ` +
      `its SHA-256 is ${after.checksum}, the applied one's ${before.checksum}`,
  );
});

test("a migration must name the oldest program that may run on it", async () => {
  const { database } = await createTestDatabase();
  const { folder } = otherFolder({ "000900_silent.sql": "SELECT 1;\n" });
  await expect(migrate(database, silentLog, { folder })).rejects.toThrow("000900_silent.sql does not begin with");
});

test("an old program works beside a new one on a migrated database; a program that is too old is refused", async () => {
  const { connection } = await createTestDatabase();
  const open = () => {
    const database = new Database({ ...connection, max: 4 }, silentLog);
    afterwards(() => database.close());
    return database;
  };
  const process = async (database: Database) => {
    const store = new Store({ database, clock: systemClock, log: silentLog });
    return createEmailWorld(testServices(store, createMailServices(store)));
  };
  const newer = { program: "99.0.0", folder: otherFolder(expand).folder };
  const newest = { program: "99.1.0", folder: otherFolder({ ...expand, ...contract }).folder };

  const old = open();
  await migrate(old, silentLog);
  const oldWorld = await process(old);
  const write = (subject: string) => oldWorld.create({ subject });
  expect(await write("before")).toHaveProperty("id");

  const next = open();
  expect(await migrate(next, silentLog, newer)).toEqual(Object.keys(expand));
  const nextWorld = await process(next);
  for (const world of [oldWorld, nextWorld]) {
    const { id } = await world.create({ subject: "after" });
    expect(await world.get(id, ["subject"])).toMatchObject({ subject: "after" });
  }
  // The old program may also restart.
  expect(await migrate(open(), silentLog)).toEqual([]);

  expect(await migrate(open(), silentLog, newest)).toEqual(Object.keys(contract));
  const [name] = Object.keys(contract);
  for (const [program, folder] of [
    [version, own],
    ["99.0.0", newer.folder],
  ] as const) {
    const refused = migrate(open(), silentLog, { program, folder });
    await expect(refused).rejects.toThrow(SchemaRefused);
    await expect(refused).rejects.toThrow(
      `this is Posthorn ${program}, but the database has ${name}, which needs Posthorn 99.1.0 or newer`,
    );
  }
});

test("a program that the baseline does not allow is refused", async () => {
  const { database } = await createTestDatabase();
  const [row] = await database.run(
    unprepared<{ oldest: string }>("SELECT min(oldest_program) AS oldest FROM migration"),
  );
  expect(row!.oldest).toBe("0.2.0");
  expect(await migrate(database, silentLog, { program: "0.2.0" })).toEqual([]);
  await expect(migrate(database, silentLog, { program: "0.1.9" })).rejects.toThrow(
    `this is Posthorn 0.1.9, but the database has ${baseline[0]}, which needs Posthorn 0.2.0 or newer`,
  );
});
