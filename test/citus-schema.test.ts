import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { silentLog } from "../src/base/log.ts";
import { migrate } from "../src/store/core/migrate.ts";
import { unprepared } from "../src/store/core/sql.ts";
import { createPlainDatabase } from "./support/postgres.ts";

/** Checks what Citus requires of tables on plain Postgres, after all migrations. */
const folder = new URL("../migrations/", import.meta.url);
const sql = readdirSync(folder)
  .filter((file) => /^\d/.test(file))
  .sort()
  .map((file) => readFileSync(new URL(file, folder), "utf8"))
  .join("\n");

const created = [...sql.matchAll(/^CREATE TABLE (\w+)/gm)].map(([, table]) => table!);
const placed = new Map(
  [...sql.matchAll(/^SELECT distribute\('(\w+)', '(\w+)', '(\w+)'\);/gm)].map(([, table, key, beside]) => [
    table!,
    { key: key!, beside: beside! },
  ]),
);
const replicated = [...sql.matchAll(/^SELECT replicate\('(\w+)'\);/gm)].map(([, table]) => table!);
/** Tables that lie on the coordinator alone. */
const local = [
  "due",
  "greylist",
  "incoming",
  "mail_event",
  "push_holder",
  "quarantine",
  "received_report",
  "received_report_row",
  "removed_account",
  "report_count",
  "sent_report",
  "source_address",
  "source_day",
  "sts_policy",
  "traffic",
];

const { database } = await createPlainDatabase();
const query = <Row extends object>(text: string) => database.run(unprepared<Row>(text));
const group = (table: string): string => {
  const { beside } = placed.get(table)!;
  return beside === "none" ? table : beside;
};

test("each table's placement is stated before the next table is created", async () => {
  const tables = await query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
  );
  const known = [...placed.keys(), ...replicated, ...local];
  expect(tables.map(({ name }) => name).sort()).toEqual(known.sort());
  const order = [...sql.matchAll(/^(?:CREATE TABLE|SELECT (?:distribute|replicate)\(') ?(\w+)/gm)].map(
    ([, name]) => name,
  );
  // The list of migrations makes itself, before them all; it is placed by a migration that makes no table.
  const expected = created.flatMap((table) => (local.includes(table) ? [table] : [table, table]));
  expect(order.filter((table) => table !== "migration")).toEqual(expected);
});

test("where Citus is installed, the same files distribute or replicate each table", async () => {
  // npm has no Citus: these functions have the names and parameters of the ones it offers.
  const { database: other } = await createPlainDatabase("empty");
  await other.transaction("BEGIN", async (executor) => {
    const run = (text: string) => executor.run(unprepared(text));
    await run("SET LOCAL allow_system_table_mods = on");
    await run(`INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
      VALUES (99999, 'citus', 10, 'pg_catalog'::regnamespace, false, '13.2')`);
    await run("CREATE TABLE public.told (call text NOT NULL)");
    await run(`CREATE FUNCTION create_distributed_table(table_name regclass, distribution_column text,
      distribution_type text DEFAULT 'hash', colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL)
      RETURNS void LANGUAGE sql AS $$
        INSERT INTO told VALUES (concat_ws(' ', table_name, coalesce(distribution_column, '-'), colocate_with)) $$`);
    await run(`CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE sql AS $$
      INSERT INTO told VALUES (table_name::text) $$`);
    await run(`CREATE FUNCTION run_command_on_workers(command text) RETURNS TABLE (success bool) LANGUAGE sql AS
      $$ SELECT true $$`);
  });
  await migrate(other, silentLog);
  const told = await other.run(unprepared<{ call: string }>("SELECT call FROM told"));
  const distributed = [...placed].map(([table, { key, beside }]) => `${table} ${key} ${beside}`);
  expect(told.map(({ call }) => call).sort()).toEqual([...distributed, ...replicated].sort());
});

test("tables that operators change, and the list of migrations, are on every node; a login's credentials lie beside its account", () => {
  expect(replicated.toSorted()).toEqual([
    "account_access",
    "address",
    "dkim_key",
    "domain",
    "general_suppression",
    "invite",
    "legal_hold",
    "login",
    "migration",
    "oauth_client",
    "operator",
    "retention_rule",
    "setting",
  ]);
  for (const table of ["app_password", "token", "push_subscription", "oauth_grant"])
    expect(placed.get(table), table).toEqual({ key: "user_id", beside: "account" });
});

test("each table is colocated with one created before it", () => {
  for (const [table, { beside }] of placed)
    if (beside !== "none") expect([...placed.keys()].indexOf(beside)).toBeLessThan([...placed.keys()].indexOf(table));
});

test("every unique index contains the distribution key", async () => {
  const indexes = await query<{ table: string; columns: string[] }>(`
    SELECT i.indrelid::regclass::text AS table,
      (SELECT array_agg(a.attname::text) FROM pg_attribute a
       WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey::smallint[])) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace`);
  expect(indexes.length).toBeGreaterThan(placed.size);
  const faults = indexes.filter(({ table, columns }) => placed.has(table) && !columns.includes(placed.get(table)!.key));
  expect(faults).toEqual([]);
});

test("foreign keys stay within a shard", async () => {
  const keys = await query<{ table: string; other: string; columns: string[]; others: string[]; rule: string }>(`
    SELECT conrelid::regclass::text AS table, confrelid::regclass::text AS other, confdeltype::text AS rule,
      (SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey)) AS columns,
      (SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = confrelid AND attnum = ANY(confkey)) AS others
    FROM pg_constraint WHERE contype = 'f'`);
  for (const { table, other, columns, others, rule } of keys) {
    expect(rule, `${table}: no ON DELETE SET NULL`).not.toBe("n");
    // Those on the coordinator are all on one server.
    if (replicated.includes(other) || (local.includes(table) && local.includes(other))) continue;
    expect(group(table), `${table} beside ${other}`).toBe(group(other));
    expect(columns).toContain(placed.get(table)!.key);
    expect(others).toContain(placed.get(other)!.key);
  }
});

test("there are no triggers and no nullable keys", async () => {
  expect(await query("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")).toEqual([]);
  const nullable = await query<{ table: string; column: string }>(`
    SELECT attrelid::regclass::text AS table, attname::text AS column FROM pg_attribute
    JOIN pg_class c ON c.oid = attrelid
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attnotnull`);
  expect(nullable.filter(({ table, column }) => placed.get(table)?.key === column)).toEqual([]);
});
