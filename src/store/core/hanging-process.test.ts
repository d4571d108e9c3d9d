import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { afterwards } from "../../../test/support/afterwards.ts";
import { createTestAccount, createTestDatabase } from "../../../test/support/postgres.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Database } from "./database.ts";
import { unprepared } from "./sql.ts";
import { Store } from "./store.ts";

const rename = unprepared("/* test */ UPDATE mailbox SET name = $3 WHERE user_id = $1 AND role = $2");

test("a process that hangs before it commits writes again, since it knows that nothing was committed", async () => {
  const { database } = await createTestDatabase();
  const store = new Store({ database, clock: systemClock, log: silentLog });
  const account = await createTestAccount(store);
  let tries = 0;
  await store.write(account, "server", async (tx) => {
    await tx.run(rename, [account, "inbox", "Hung"]);
    // Not even the event loop runs.
    if (++tries === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000);
  });
  expect(tries).toBe(2);
});

test("a process that hangs in the middle of a write holds up the account's other writers for five seconds, and then writes again", async () => {
  const { database, connection } = await createTestDatabase();
  const another = new Database({ ...connection, max: 2 }, silentLog);
  afterwards(() => another.close());
  const [hanging, living] = [database, another].map(
    (one) => new Store({ database: one, clock: systemClock, log: silentLog }),
  ) as [Store, Store];
  const account = await createTestAccount(hanging);
  let tries = 0;
  const held = Promise.withResolvers<void>();
  const hung = hanging.write(account, "server", async (tx) => {
    held.resolve();
    if (++tries === 1) await sleep(8_000);
    await tx.run(rename, [account, "inbox", "Hung"]);
    return tx.modseq;
  });
  await held.promise;
  const begin = performance.now();
  const modseq = await living.write(account, "server", async (tx) => tx.modseq);
  expect(performance.now() - begin).toBeLessThan(7_500);
  expect(await hung).toBeGreaterThan(modseq);
  expect(tries).toBe(2);
});
