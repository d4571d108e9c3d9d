import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { dumpSchema } from "../scripts/schema-dump.ts";
import { createAuthenticator } from "../src/auth/authenticator.ts";
import { hashPassword, newAppPassword, tokenHash } from "../src/auth/secrets.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { OwnCounts } from "../src/base/own-counts.ts";
import { methods } from "../src/jmap/methods.ts";
import type { Database } from "../src/store/core/database.ts";
import { SchemaRefused } from "../src/store/core/errors.ts";
import { migrate } from "../src/store/core/migrate.ts";
import { readMigrations, statementsOf } from "../src/store/core/migration-files.ts";
import { unprepared } from "../src/store/core/sql.ts";
import { Store } from "../src/store/core/store.ts";
import { createAccount } from "../src/store/directory/directory.ts";
import { findPushSubscriptions } from "../src/store/directory/push-subscriptions.ts";
import { listCredentials, revokeCredential } from "../src/store/directory/tokens.ts";
import { TestClient, testLogin, testServices } from "./support/jmap.ts";
import { createMailServices } from "./support/mail.ts";
import { createPlainDatabase } from "./support/postgres.ts";

/** The schema of a database of Posthorn 0.1. */
const before = statementsOf(readFileSync(new URL("./fixtures/before-baseline.sql", import.meta.url), "utf8"));
/** The migrations after the baseline are applied to an adopted database as to any other. */
const migrations = await readMigrations(new URL("../migrations/", import.meta.url));
const later = migrations.filter(({ isBaseline }) => !isBaseline).map(({ name }) => name);

async function oldDatabase(): Promise<Database> {
  const { database } = await createPlainDatabase("empty");
  for (const text of before) await database.run(unprepared(text));
  return database;
}

const run = (database: Database, text: string, values: unknown[] = []) =>
  database.run(unprepared(`/* test */ ${text}`), values);

/** Rows as 0.1 wrote them. */
async function addOldCredentials(database: Database, login: string, hash: Buffer): Promise<void> {
  const appHash = await hashPassword(app.secret);
  await run(database, "INSERT INTO app_password VALUES ($1, $2, 'phone', $3, now())", [login, app.id, appHash]);
  await run(database, "INSERT INTO token VALUES ($1, 'tokenid1', $2, 'backup', now(), NULL)", [hash, login]);
  const push = `INSERT INTO push_subscription (login, id, credential, device_client_id, url, verification_code, created_at)
    VALUES ($1, 7, 'password', 'd', 'https://push.example/', 'c', now())`;
  await run(database, push, [login]);
}

/** Columns that this version uses with an account and a mail, and that 0.1 did not have. */
const ofLater = [
  ["account", "sending", "jsonb"],
  ["account", "is_held", "boolean NOT NULL DEFAULT false"],
  ["account", "keep_for", "integer"],
  ["blob_ref", "pack", "bytea"],
  ["message", "scan", "text"],
  ["message", "authentication", "jsonb"],
  ["email", "taught_spam", "boolean"],
] as const;

/** Tables that it asks when it makes an account. */
const tablesOfLater = {
  legal_hold: "scope text",
  retention_rule: "scope text, mailbox text, keep_for integer",
};

const address = "ann@old.example";
const app = newAppPassword(randomBytes);
const token = `posthorn_${randomBytes(32).toString("base64url")}`;
let store: Store;
let userId: number;
let client: TestClient;
let draftId: unknown;

beforeAll(async () => {
  const database = await oldDatabase();
  // Only for as long as this version writes the mail of 0.1.
  for (const [table, column, type] of ofLater) await run(database, `ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
  for (const [table, columns] of Object.entries(tablesOfLater))
    await run(database, `CREATE TABLE ${table} (${columns})`);
  store = new Store({ database, clock: systemClock, log: silentLog });
  userId = await createAccount(store, { address, passwordHash: await hashPassword("sesame") });
  client = new TestClient(methods, testServices(store, createMailServices(store)), testLogin([userId]));
  const { list } = (await client.call("Mailbox/get", { properties: ["role"] })) as {
    list: { id: string; role: string }[];
  };
  const inbox = list.find(({ role }) => role === "inbox")!.id;
  const email = { mailboxIds: { [inbox]: true }, subject: "a word from before" };
  const { created } = (await client.call("Email/set", { create: { a: email } })) as { created: { a: { id: string } } };
  draftId = created.a.id;
  for (const [table, column] of ofLater) await run(database, `ALTER TABLE ${table} DROP COLUMN ${column}`);
  for (const table of Object.keys(tablesOfLater)) await run(database, `DROP TABLE ${table}`);
  await addOldCredentials(database, address, tokenHash(token));
  // Left behind by an interrupted removal of an account.
  await addOldCredentials(database, "gone@old.example", randomBytes(32));
  expect(await migrate(database, silentLog)).toEqual(["adopt-0.1.sql", ...later]);
});

test("the adopted database has the schema of a new one", async () => {
  expect(await dumpSchema(store.database)).toBe(await dumpSchema((await createPlainDatabase()).database));
});

test("the baseline counts as applied, with the same checksums", async () => {
  const ledger = "SELECT number, name, checksum, oldest_program FROM migration ORDER BY number";
  expect(await run(store.database, ledger)).toEqual(await run((await createPlainDatabase()).database, ledger));
  expect(await migrate(store.database, silentLog)).toEqual([]);
});

test("password, app password and token of 0.1 open the account and can be revoked", async () => {
  const authenticator = createAuthenticator({
    store,
    clock: systemClock,
    log: silentLog,
    counts: new OwnCounts({ clock: systemClock }),
  });
  const found = { login: address, userId };
  expect(await authenticator.checkPassword(address, "sesame", "192.0.2.1")).toMatchObject(found);
  const byApp = () => authenticator.checkPassword(address, app.secret, "192.0.2.1");
  const byToken = () => authenticator.authenticate(`Bearer ${token}`, "192.0.2.1");
  expect(await byApp()).toMatchObject({ ...found, credential: `app:${app.id}` });
  expect(await byToken()).toMatchObject({ ...found, credential: "token:tokenid1" });
  const credentials = await listCredentials(store.database, found);
  expect(credentials.map(({ id, label }) => [id, label])).toEqual([
    [app.id, "phone"],
    ["tokenid1", "backup"],
  ]);
  for (const { id } of credentials) expect(await revokeCredential(store.database, found, id)).toBe(true);
  authenticator.forget(address);
  expect(await byApp()).toBeUndefined();
  expect(await byToken()).toBeUndefined();
});

test("push subscriptions are kept; rows without a login are removed", async () => {
  const owner = { login: address, userId, credential: "password" };
  const found = await findPushSubscriptions(store.database, owner, { ids: null, limit: 10, now: new Date() });
  expect(found.map(({ id, url }) => [id, url])).toEqual([[7, "https://push.example/"]]);
  for (const table of ["app_password", "token", "push_subscription"]) {
    expect(
      await run(store.database, `-- crosses accounts\nSELECT 1 FROM ${table} WHERE login <> $1`, [address]),
    ).toEqual([]);
  }
});

test("its mail can be searched and changed", async () => {
  expect(await client.call("Email/query", { filter: { text: "before" } })).toMatchObject({ ids: [draftId] });
  const update = { [draftId as string]: { "keywords/$flagged": true } };
  expect(await client.call("Email/set", { update })).toMatchObject({ notUpdated: null });
});

test("a database of 0.1 is refused where Citus is installed", async () => {
  const database = await oldDatabase();
  await database.transaction("BEGIN", async (executor) => {
    await executor.run(unprepared("SET LOCAL allow_system_table_mods = on"));
    await executor.run(
      unprepared(`INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
        VALUES (99999, 'citus', 10, 'pg_catalog'::regnamespace, false, '13.2')`),
    );
  });
  await expect(migrate(database, silentLog)).rejects.toThrow("it cannot be taken over where Citus is installed");
});

test("a database that lacks migrations of 0.1, or has others, is refused and stays unchanged", async () => {
  const database = await oldDatabase();
  await run(database, "DELETE FROM migration WHERE number IN (80, 100)");
  const early = migrate(database, silentLog);
  await expect(early).rejects.toThrow(SchemaRefused);
  await expect(early).rejects.toThrow(/lacks its migrations 80, 100: start the last Posthorn 0\.1 on it once, then/);
  await run(database, "INSERT INTO migration VALUES (80, '', now()), (100, '', now()), (170, '', now())");
  await expect(migrate(database, silentLog)).rejects.toThrow("migrations that Posthorn 0.1 did not have: 170");
  await run(database, "DELETE FROM migration WHERE number = 170");
  expect(await migrate(database, silentLog)).toEqual(["adopt-0.1.sql", ...later]);
});
