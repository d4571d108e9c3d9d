import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { unprepared } from "../core/sql.ts";
import { holders } from "./holders.ts";

// Any account table with a hash will do. Statements are made when their module loads, so it must not be loaded yet.
holders.push({ type: "tokens", table: "token", id: "id", hash: "hash" });
const { findBlob, referenceBlob, releaseBlobs } = await import("./blob-refs.ts");
const store = await createTestStore();

test("what is entered among the holders keeps a blob, and lets others than its uploader read it", async () => {
  const account = await createTestAccount(store);
  const neighbour = await createTestAccount(store);
  const [kept, dropped] = [randomBytes(32), randomBytes(32)];
  const token = "INSERT INTO token (user_id, hash, id, login, label, created_at) VALUES ($1, $2, $3, '', '', now())";
  await store.database.run(unprepared(token), [account, kept, "planted"]);
  await store.database.run(unprepared(token), [neighbour, dropped, "planted"]);
  await store.write(account, "server", async (tx) => {
    for (const sha256 of [kept, dropped]) {
      await referenceBlob(tx, { sha256, day: "2026-01-01", size: 1 }, { uploader: account });
    }
  });

  const other = store.reader(account, { userId: neighbour });
  expect(await findBlob(other, kept)).toBeDefined();
  expect(await findBlob(other, dropped)).toBeUndefined();

  await store.write(account, "server", (tx) => releaseBlobs(tx, [kept, dropped]));
  expect(await findBlob(store.reader(account, "server"), kept)).toBeDefined();
  expect(await findBlob(store.reader(account, "server"), dropped)).toBeUndefined();

  await store.database.run(unprepared("DELETE FROM token WHERE user_id = $1"), [account]);
  await store.write(account, "server", (tx) => releaseBlobs(tx, [kept]));
  expect(await findBlob(store.reader(account, "server"), kept)).toBeUndefined();
});
