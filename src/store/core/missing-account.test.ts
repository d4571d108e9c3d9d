import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { AccountMissing } from "./errors.ts";
import { unprepared } from "./sql.ts";

const store = await createTestStore();
const replace = unprepared(
  `/* test */ WITH gone AS (DELETE FROM account WHERE user_id = $1 RETURNING *)
   SELECT to_jsonb(gone) AS row FROM gone`,
);
const restore = unprepared(
  "/* test */ INSERT INTO account SELECT * FROM jsonb_populate_record(NULL::account, $1::jsonb)",
);

test("a write that waited while the account's row was put elsewhere finds it there", async () => {
  const account = await createTestAccount(store);
  let write: Promise<number> | undefined;
  await store.database.transaction(
    "BEGIN",
    async (executor) => {
      const [gone] = (await executor.run(replace, [account])) as { row: object }[];
      // Waits for the row that is being deleted, and would find nothing in its place.
      write = store.write(account, "server", async (tx) => tx.modseq);
      await sleep(300);
      await executor.run(restore, [JSON.stringify(gone!.row)]);
    },
    { account },
  );
  expect(await write).toBeGreaterThan(0);
});

test("an account that is gone is missing", async () => {
  const account = await createTestAccount(store);
  await store.database.transaction("BEGIN", (executor) => executor.run(replace, [account]), { account });
  await expect(store.write(account, "server", async () => {})).rejects.toThrow(AccountMissing);
});
