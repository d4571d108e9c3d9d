import { sql } from "kysely";
import { expect, test } from "vitest";
import { createTestDatabase } from "../../../test/support/postgres.ts";
import { silentLog } from "../../base/log.ts";
import { Database, isRetryable } from "./database.ts";
import { across, read, write } from "./declare.ts";
import { CommitError } from "./errors.ts";
import { unprepared } from "./sql.ts";

test("a date is returned as YYYY-MM-DD, whatever the database's DateStyle", async () => {
  const { database, connection } = await createTestDatabase();
  const [own] = await database.run(unprepared<{ name: string }>("SELECT current_database() AS name"));
  await database.run(unprepared(`ALTER DATABASE ${own!.name} SET datestyle = 'SQL, DMY'`));
  const other = new Database({ ...connection, max: 1 }, silentLog);
  try {
    const rows = await other.run(unprepared("SELECT DATE '2026-02-03' AS day, NULL::date AS none"));
    expect(rows).toEqual([{ day: "2026-02-03", none: null }]);
  } finally {
    await other.close();
  }
});

/** Terminates its own connection if its backend is `pid`. */
const end = ($: { pid: number }) => sql<{ pid: number }>`
  SELECT pg_backend_pid() AS pid, CASE WHEN pg_backend_pid() = ${$.pid} THEN pg_terminate_backend(${$.pid}) END AS ended`;
const find = read("test.find", () => sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`);

async function connect() {
  const { connection } = await createTestDatabase();
  const database = new Database({ ...connection, max: 1 }, silentLog);
  const [row] = await database.run(find);
  return { database, pid: row!.pid };
}

test.each([
  ["read", read("test.endRead", (_, $: { pid: number }) => end($))],
  ["read across accounts", read("test.endSweep", (_, $: { pid: number }) => end($), across("a test"))],
])("a statement declared to %s runs again when its connection is lost", async (_, statement) => {
  const { database, pid } = await connect();
  const [row] = await database.run(statement, { pid });
  expect(row!.pid).not.toBe(pid);
  await database.close();
});

test("a statement declared to write does not run again, even if it begins with SELECT", async () => {
  const { database, pid } = await connect();
  const statement = write("test.endWrite", (_, $: { pid: number }) => end($));
  await expect(database.run(statement, { pid })).rejects.toMatchObject({ code: "57P01" });
  await database.close();
});

test("an undeclared statement does not run again, even if it begins with SELECT", async () => {
  const { database, pid } = await connect();
  const endBackend = unprepared("SELECT CASE WHEN pg_backend_pid() = $1 THEN pg_terminate_backend($1) END");
  await expect(database.run(endBackend, [pid])).rejects.toMatchObject({ code: "57P01" });
  await database.close();
});

test("a commit with an unknown outcome is not retried, whatever the cause", () => {
  const lost = Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" });
  expect(isRetryable(lost)).toBe(true);
  expect(isRetryable(new CommitError(lost))).toBe(false);
});

test("dates and arrays of dates stay text", async () => {
  const { database } = await connect();
  const day = read(
    "test.day",
    () => sql<{ day: string; days: string[] }>`
    SELECT '2024-02-29'::date AS day, ARRAY['2024-02-29'::date] AS days`,
  );
  expect(await database.run(day)).toEqual([{ day: "2024-02-29", days: ["2024-02-29"] }]);
  await database.close();
});

const divide = unprepared<{ n: number }>("SELECT 1 / $1::int AS n");

test("a sent statement that fails fails the transaction with its own error", async () => {
  const { database } = await connect();
  const late = database.transaction("BEGIN", async (executor) => executor.send(divide, [0]));
  await expect(late).rejects.toMatchObject({ code: "22012" });
  const meanwhile = database.transaction("BEGIN", async (executor) => {
    executor.send(divide, [0]);
    await executor.run(divide, [1]);
  });
  await expect(meanwhile).rejects.toMatchObject({ code: "22012" });
  expect(await database.run(divide, [1])).toEqual([{ n: 1 }]);
  await database.close();
});

test("a sent statement that fails in a savepoint fails only the savepoint", async () => {
  const { database } = await connect();
  const rows = await database.transaction("BEGIN", async (executor) => {
    const failing = executor.savepoint(async () => executor.send(divide, [0]));
    await expect(failing).rejects.toMatchObject({ code: "22012" });
    return executor.run(divide, [1]);
  });
  expect(rows).toEqual([{ n: 1 }]);
  await database.close();
});

test("a sent statement whose failure was answered before the savepoint ends fails the savepoint", async () => {
  const { database } = await connect();
  const rows = await database.transaction("BEGIN", async (executor) => {
    const failing = executor.savepoint(async () => {
      executor.send(divide, [0]);
      await executor.run(divide, [1]).catch(() => {});
    });
    await expect(failing).rejects.toMatchObject({ code: "22012" });
    return executor.run(divide, [1]);
  });
  expect(rows).toEqual([{ n: 1 }]);
  await database.close();
});

test("a savepoint that could not be set fails with the error of the statement before it", async () => {
  const { database } = await connect();
  const failing = database.transaction("BEGIN", async (executor) => {
    executor.send(divide, [0]);
    await executor.savepoint(() => executor.run(divide, [1]));
  });
  await expect(failing).rejects.toMatchObject({ code: "22012" });
  await database.close();
});

test("nothing of a transaction that has ended reaches the next borrower of its connection", async () => {
  const { database } = await connect();
  const ended = new Error("the transaction has ended");
  const late = Promise.withResolvers<void>();
  const strays: Promise<unknown>[] = [];
  const failed = database.transaction("BEGIN", async (executor) => {
    const within = executor.savepoint(async () => {
      await late.promise;
      throw new Error("of its own");
    });
    strays.push(
      within,
      late.promise.then(() => executor.run(divide, [0])),
      late.promise.then(() => executor.savepoint(async () => "never")),
    );
    for (const stray of strays) stray.catch(() => {});
    throw new Error("first");
  });
  await expect(failed).rejects.toThrow("first");
  const rows = await database.transaction("BEGIN", async (executor) => {
    await executor.run(divide, [1]);
    late.resolve();
    const outcomes = await Promise.allSettled(strays);
    expect(outcomes.map((outcome) => "reason" in outcome && outcome.reason)).toEqual([
      new Error("of its own"),
      ended,
      ended,
    ]);
    return executor.run(divide, [1]);
  });
  expect(rows).toEqual([{ n: 1 }]);
  await database.close();
});
