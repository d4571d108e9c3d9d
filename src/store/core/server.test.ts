import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { DatabaseProxy } from "../../../test/support/database-proxy.ts";
import { createPlainDatabase } from "../../../test/support/postgres.ts";
import type { TestServer } from "../../../test/support/postgres-setup.ts";
import { silentLog } from "../../base/log.ts";
import { Database } from "./database.ts";
import { CommitError, Unreachable } from "./errors.ts";
import { isRetryable } from "./loss.ts";
import { unprepared } from "./sql.ts";

let connection: TestServer;
let proxy: DatabaseProxy;
let database: Database;
const told: string[] = [];
const log = { ...silentLog, warn: (_: object, event: string) => void told.push(event) };

beforeAll(async () => {
  ({ connection } = await createPlainDatabase());
});
beforeEach(async () => {
  told.length = 0;
  proxy = await DatabaseProxy.start(connection);
  database = new Database({ connectionString: proxy.url, max: 4 }, log);
  await database.nodes.start();
});
afterEach(async () => {
  proxy.resume();
  await proxy.close();
  await database.close();
});

const one = { ...unprepared<{ n: number }>("SELECT 1 AS n"), access: "read" as const };
const slow = { ...unprepared("SELECT pg_sleep(2.5)"), access: "read" as const };
const write = unprepared("CREATE TABLE IF NOT EXISTS toy (n integer)");

/** How the call ended, and after how long. */
async function timed(call: Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  const begin = performance.now();
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, ms: performance.now() - begin };
}

test("a server that hangs keeps nobody waiting for longer than two seconds, however many ask, and then nobody at all", async () => {
  proxy.stall();
  const calls = await Promise.all(Array.from({ length: 20 }, () => timed(database.run(one))));
  for (const { error, ms } of calls) {
    expect(error).toBeInstanceOf(Unreachable);
    expect(ms).toBeLessThan(2_400);
  }
  const later = await timed(database.run(one));
  expect(later.error).toBeInstanceOf(Unreachable);
  expect(later.ms).toBeLessThan(100);
  expect(told).toEqual(["database server gives no answer"]);
  proxy.resume();
  await expect.poll(() => timed(database.run(one)).then(({ error }) => error), { timeout: 4_000 }).toBeUndefined();
});

test("while a server hangs, it is not asked over more and more connections", async () => {
  proxy.stall();
  await timed(database.run(one));
  const before = proxy.connections;
  for (let count = 0; count < 50; count++) await timed(database.run(one));
  await sleep(2_000);
  expect(proxy.connections - before).toBeLessThan(4);
});

test("calls wait for a server that is back within two seconds", async () => {
  await proxy.cut();
  const calls = Promise.all(Array.from({ length: 8 }, () => timed(database.run(one))));
  await sleep(1_000);
  await proxy.mend();
  for (const { error } of await calls) expect(error).toBeUndefined();
});

test("a dead server keeps a call waiting for two seconds, and none of those after it", async () => {
  await proxy.cut();
  const first = await timed(database.run(one));
  expect(first.error).toBeInstanceOf(Unreachable);
  expect(first.ms).toBeLessThan(2_500);
  expect((await timed(database.run(one))).ms).toBeLessThan(100);
});

test("a statement may take longer than a server may hang", async () => {
  expect((await timed(database.run(slow))).error).toBeUndefined();
  expect(told).toEqual([]);
});

test("a process that is busy itself does not take the server for dead", async () => {
  const call = database.run(slow);
  for (let count = 0; count < 3; count++) {
    for (const end = performance.now() + 1_500; performance.now() < end; );
    await sleep(1);
  }
  expect((await timed(call)).error).toBeUndefined();
  expect(told).toEqual([]);
});

test("a write whose COMMIT hangs has an unknown outcome", async () => {
  const { error, ms } = await timed(
    database.transaction("BEGIN", async (executor) => {
      await executor.run(write);
      proxy.stall();
    }),
  );
  expect(error).toBeInstanceOf(CommitError);
  expect(ms).toBeLessThan(2_500);
});

test("a write that hangs before its COMMIT may run again", async () => {
  const { error } = await timed(
    database.transaction("BEGIN", async (executor) => {
      await executor.run(write);
      proxy.stall();
      await executor.run(one);
    }),
  );
  expect(error).not.toBeInstanceOf(CommitError);
  expect(isRetryable(error)).toBe(true);
});

test("a process can end while its server hangs", async () => {
  const other = new Database({ connectionString: proxy.url, max: 4 }, log);
  await other.run(one);
  proxy.stall();
  await timed(other.run(one));
  expect((await timed(other.close())).ms).toBeLessThan(500);
});
