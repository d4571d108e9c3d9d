import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { Database, type StatementObserver } from "../../src/store/core/database.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import { Store, type StoreOptions } from "../../src/store/core/store.ts";
import { createAccount } from "../../src/store/directory/directory.ts";
import { createDefaultMailboxes } from "../../src/store/mail/mailboxes.ts";
import { afterwards } from "./afterwards.ts";
import { type TestServer, templateName } from "./postgres-setup.ts";

export interface TestDatabase {
  database: Database;
  /** Options of pg, for other processes. */
  connection: TestServer;
}

/** A database for the test file, migrated unless it is made from "template0"; it is dropped after the file. */
export async function createTestDatabase(observe?: StatementObserver, template = templateName): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  const admin = new Database({ ...inject("postgres"), max: 1 }, silentLog);
  await admin.run(unprepared(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  const connection = { ...inject("postgres"), database: name };
  const database = new Database({ ...connection, max: 10 }, silentLog, observe);
  afterwards(async () => {
    await database.close();
    await admin.run(unprepared(`DROP DATABASE ${name} WITH (FORCE)`));
    await admin.close();
  });
  return { database, connection };
}

type TestStoreOptions = { observe?: StatementObserver } & Partial<StoreOptions>;

export async function createTestStore({ observe, ...options }: TestStoreOptions = {}): Promise<Store> {
  const { database } = await createTestDatabase(observe);
  return new Store({ database, clock: systemClock, log: silentLog, ...options });
}

let accounts = 0;

/** A new account with the usual mailboxes and no valid password. */
export async function createTestAccount(store: Store, address = `user${++accounts}@example.com`): Promise<number> {
  return createAccount(store, { address, passwordHash: "", fill: createDefaultMailboxes });
}
