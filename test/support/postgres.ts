import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { type ConnectionOptions, Database, type StatementObserver } from "../../src/store/core/database.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import { Store, type StoreOptions } from "../../src/store/core/store.ts";
import { createAccount } from "../../src/store/directory/directory.ts";
import { createDefaultMailboxes } from "../../src/store/mail/mailboxes.ts";
import { afterwards } from "./afterwards.ts";
import { cloneOnCitus, isOnCitus } from "./citus.ts";
import { type Template, type TestServer, templates } from "./postgres-setup.ts";

export interface TestDatabase<Connection extends ConnectionOptions = ConnectionOptions> {
  database: Database;
  /** Options of pg, for other connections. */
  connection: Connection;
}

/** A database for the test file, on Citus if the tests run there; it is dropped after the file. */
export async function createTestDatabase(
  observe?: StatementObserver,
  template: Template = "migrated",
): Promise<TestDatabase> {
  if (!isOnCitus) return createPlainDatabase(template, observe);
  const clone = await cloneOnCitus(template);
  return opened({ connectionString: clone.url }, clone.drop, observe);
}

/** A database on plain Postgres, also where the tests run on Citus. */
export async function createPlainDatabase(
  template: Template = "migrated",
  observe?: StatementObserver,
): Promise<TestDatabase<TestServer>> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  const admin = new Database({ ...inject("postgres"), max: 1 }, silentLog);
  await admin.run(unprepared(`CREATE DATABASE ${name} TEMPLATE ${templates[template]}`));
  const drop = async () => {
    await admin.run(unprepared(`DROP DATABASE ${name} WITH (FORCE)`));
    await admin.close();
  };
  return opened({ ...inject("postgres"), database: name }, drop, observe);
}

/** Its URL, for other processes. */
export function urlOf(connection: ConnectionOptions): string {
  if ("connectionString" in connection) return connection.connectionString;
  const { host, user, database } = connection;
  return `postgres://${user}@/${database}?host=${encodeURIComponent(host)}`;
}

function opened<Connection extends ConnectionOptions>(
  connection: Connection,
  drop: () => Promise<void>,
  observe: StatementObserver | undefined,
): TestDatabase<Connection> {
  const database = new Database({ ...connection, max: 10 }, silentLog, observe);
  afterwards(async () => {
    await database.close();
    await drop();
  });
  return { database, connection };
}

type TestStoreOptions = { observe?: StatementObserver } & Partial<StoreOptions>;

export async function createTestStore({ observe, ...options }: TestStoreOptions = {}): Promise<Store> {
  const { database } = await createTestDatabase(observe);
  return new Store({ database, clock: systemClock, log: silentLog, ...options });
}

/**
 * Runs statements where a table's rows are: as they stand on plain Postgres, once for each shard on Citus. `%s` is the
 * name of the table or shard.
 */
export async function whereItLies(database: Database, table: string, statements: string[]): Promise<void> {
  // A worker makes nothing, nor changes a shard, unless told that the coordinator need not know of it.
  const onShards = unprepared<{ success: boolean; result: string }>(`
    /* test */ SELECT success, result FROM run_command_on_shards($1::text::regclass, format('DO %L', format(
      'BEGIN SET LOCAL citus.enable_ddl_propagation = off; SET LOCAL citus.enable_manual_changes_to_shards = on; EXECUTE %L; END',
      $2::text)), false)`);
  for (const text of statements) {
    if (!isOnCitus) {
      await database.run(unprepared(`/* test */ ${text.replaceAll("%s", table)}`));
      continue;
    }
    const told = await database.run(onShards, [table, text]);
    const failed = told.find(({ success }) => !success);
    if (failed) throw new Error(`${text}: ${failed.result}`);
  }
}

let accounts = 0;

/** A new account with the usual mailboxes and no valid password. */
export async function createTestAccount(store: Store, address = `user${++accounts}@example.com`): Promise<number> {
  return createAccount(store, { address, passwordHash: "", fill: createDefaultMailboxes });
}
