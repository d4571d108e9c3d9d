import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { isOnCitus } from "../../../test/support/citus.ts";
import { createTestDatabase, urlOf } from "../../../test/support/postgres.ts";
import { type Log, silentLog } from "../../base/log.ts";
import { Database } from "../core/database.ts";
import { unprepared } from "../core/sql.ts";
import { MatchPrice } from "./match-price.ts";

const operator = "pg_catalog.ts_match_vq(tsvector, tsquery)";

/** Runs a command on each server. */
async function onAll(database: Database, command: string): Promise<string[]> {
  const text = isOnCitus
    ? `SELECT result FROM run_command_on_all_nodes('${command.replaceAll("'", "''")}')`
    : command.replace("SELECT procost", "SELECT procost::text AS result");
  return (await database.run(unprepared<{ result: string }>(`/* test */ ${text}`))).map(({ result }) => result);
}
const prices = (database: Database) =>
  onAll(database, `SELECT procost FROM pg_proc WHERE oid = '${operator}'::regprocedure`);

test("the price of @@ is set again on servers that lost it or never had it", async () => {
  const { database } = await createTestDatabase();
  await onAll(database, `ALTER FUNCTION ${operator} COST 1`);
  expect(new Set(await prices(database))).toEqual(new Set(["1"]));
  await new MatchPrice(database, silentLog).keep();
  expect(new Set(await prices(database))).toEqual(new Set(["800"]));
});

test("a role that may not set it is told once what a superuser must run", async () => {
  const { database, connection } = await createTestDatabase();
  await onAll(database, `ALTER FUNCTION ${operator} COST 1`);
  const role = `limited_${randomBytes(4).toString("hex")}`;
  await database.run(unprepared(`/* test */ CREATE ROLE ${role} LOGIN`));
  const url = `${urlOf(connection)}${isOnCitus ? "?" : "&"}options=${encodeURIComponent(`-c role=${role}`)}`;
  const other = new Database({ connectionString: url, max: 1 }, silentLog);
  const told: string[] = [];
  const log: Log = { ...silentLog, warn: (_, event) => void told.push(event) };
  const price = new MatchPrice(other, log);
  await price.keep();
  const first = told.length;
  await price.keep();
  await other.close();
  await database.run(unprepared(`/* test */ DROP ROLE ${role}`));
  expect(told[0]).toBe(`searches are planned badly until a superuser runs there: ALTER FUNCTION ${operator} COST 800`);
  expect(told).toHaveLength(first);
  expect(await prices(database)).toContain("1");
});
