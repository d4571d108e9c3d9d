import { beforeAll, expect, test } from "vitest";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { unprepared } from "../core/sql.ts";
import type { Store } from "../core/store.ts";
import { auditBefore, installation } from "../directory/audit.ts";
import { areBodiesHeld, holdBodies } from "./body-hold.ts";
import { settleRestored } from "./restored.ts";

let now = Date.UTC(2026, 5, 1);
let store: Store;
beforeAll(async () => {
  store = await createTestStore({ clock: { now: () => new Date(now) } });
});

const entry = { who: "test", what: { act: "backup.restore", moment: "2026-01-01" } };
const rows = unprepared<{ epoch: number; last: number }>(
  "/* test */ SELECT epoch, last_id::float8 AS last FROM account WHERE user_id = $1",
);
const incoming = unprepared<{ number: number }>("/* test */ SELECT nextval('incoming_number')::float8 AS number");

test("after a restore states are of another epoch, and no number is given out twice; as often as it is done", async () => {
  const before = await createTestAccount(store);
  const [first] = await store.database.run(rows, [before]);
  let last = { ...first!, account: before, mail: (await store.database.run(incoming, []))[0]!.number };
  for (let round = 0; round < 2; round++) {
    now += 60_000;
    await settleRestored(store, entry);
    const [found] = await store.database.run(rows, [before]);
    const next = {
      ...found!,
      account: await createTestAccount(store),
      mail: (await store.database.run(incoming, []))[0]!.number,
    };
    expect(next.epoch).toBeGreaterThan(last.epoch);
    expect(next.epoch).toBeLessThan(1e9);
    expect(next.last).toBeGreaterThan(last.last);
    expect(next.mail).toBeGreaterThan(last.mail);
    expect(next.account).toBeGreaterThan(last.account + 9);
    last = next;
  }
  const [row] = await auditBefore(store.database, installation, { before: Number.MAX_SAFE_INTEGER, limit: 1 });
  expect(row).toMatchObject(entry);
});

test("bodies are held while a backup runs, by each of two; and not for long after one was killed, or restored", async () => {
  const held = () => areBodiesHeld(store.database, store.clock.now());
  expect(await held()).toBe(false);
  await holdBodies(store, "one", async () => {
    await holdBodies(store, "two", async () => expect(await held()).toBe(true));
    expect(await held()).toBe(true);
    now += 11 * 60_000;
    expect(await held()).toBe(false);
    now -= 11 * 60_000;
    await settleRestored(store, entry);
    expect(await held()).toBe(false);
  });
  const late = holdBodies(store, "late", async () => {
    now += 11 * 60_000;
  });
  await expect(late).rejects.toThrow("could not be kept waiting");
});
