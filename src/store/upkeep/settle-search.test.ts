import { expect, test } from "vitest";
import { createEmailWorld } from "../../../test/support/email-world.ts";
import { testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestStore } from "../../../test/support/postgres.ts";
import { silentLog } from "../../base/log.ts";
import { unprepared } from "../core/sql.ts";
import { SearchSettler } from "./settle-search.ts";

const store = await createTestStore();
const settler = new SearchSettler(store.database, silentLog);

/** How many pages wait in the pending list of the index that has the account's terms; afterwards none. */
async function pending(accountId: number): Promise<number> {
  const [row] = await store.database.run(
    unprepared<{ pages: number }>(`/* test */
      SELECT gin_clean_pending_list(replace(tableoid::regclass::text, 'search', 'search_terms')::regclass) AS pages
      FROM search WHERE user_id = $1 LIMIT 1`),
    [accountId],
  );
  return row!.pages;
}

test("new terms are moved into the index proper, on each shard that this process has written to", async () => {
  const services = testServices(store, createMailServices(store));
  // Enough that on Citus they do not share a shard.
  const worlds = await Promise.all(Array.from({ length: 6 }, () => createEmailWorld(services)));
  for (const world of worlds) await world.create({ subject: "waiting" });
  const ids = worlds.map(({ account }) => account);
  expect(await pending(ids[0]!)).toBeGreaterThan(0);
  for (const world of worlds) await world.create({ subject: "waiting again" });
  for (const accountId of ids) settler.noticed({ accountId, changed: { Email: "1-1" } });
  await settler.settle();
  for (const accountId of ids) expect(await pending(accountId)).toBe(0);
});

test("nothing is asked while nothing arrives, nor for an account without mail", async () => {
  const { account: accountId } = await createEmailWorld(testServices(store, createMailServices(store)));
  settler.noticed({ accountId, changed: { Mailbox: "1-1" } });
  await settler.settle();
  settler.noticed({ accountId, changed: { Email: "1-1" } });
  await settler.settle();
});
