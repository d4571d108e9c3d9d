import { sql } from "kysely";
import type { StoredBlob } from "../blobs/objects/object-store.ts";
import { across, read, write } from "../core/declare.ts";
import { dropSetting, settingsBeginning } from "../core/settings.ts";
import type { Store } from "../core/store.ts";
import { type AuditEntry, writeInstallation } from "../directory/audit.ts";
import { accountIds } from "./accounts.ts";
import { holdPrefix } from "./body-hold.ts";
import { incomingObjects } from "./held-objects.ts";

/** Counts of milliseconds and seconds begin here, so that an epoch has nine digits until 2051. */
const beginning = Date.UTC(2020, 0);
/** Ids of accounts have 4 bytes, so they may not jump as far: by ten a minute since then, and a thousand at least. */
const accountsAMinute = 10;
const accountsSkipped = 1_000;
const page = 5_000;

const raiseAccounts = write(
  "restored.accounts",
  (_, $: { first: number; last: number; seconds: number; milliseconds: number }) => sql`
  UPDATE account SET epoch = greatest(epoch + 1, ${$.seconds}::integer),
    last_id = greatest(last_id, ${$.milliseconds}::bigint)
  WHERE user_id BETWEEN ${$.first} AND ${$.last}`,
  across("a restored database knows less than the clients of all accounts"),
);
const raiseAccountNumber = write(
  "restored.accountNumber",
  (_, $: { least: number; skipped: number }) => sql<{ setval: number }>`
  SELECT setval('account_number', greatest(last_value + ${$.skipped}::bigint, ${$.least}::bigint)) FROM account_number`,
);
const raiseIncomingNumber = write(
  "restored.incomingNumber",
  (_, $: { least: number }) => sql<{ setval: number }>`
  SELECT setval('incoming_number', greatest(last_value, ${$.least}::bigint)) FROM incoming_number`,
);

/**
 * Makes a database that went back in time fit to serve clients that know newer states: none of those is valid any more, and
 * no number that was given out since is given out again for something else. It may be done more than once.
 */
export async function settleRestored(store: Store, entry: AuditEntry): Promise<void> {
  const { database, clock } = store;
  const milliseconds = clock.now().getTime() - beginning;
  const raised = { seconds: Math.floor(milliseconds / 1000), milliseconds };
  const ids = await accountIds(database);
  for (let at = 0; at < ids.length; at += page) {
    const some = ids.slice(at, at + page);
    await database.run(raiseAccounts, { first: some[0]!, last: some.at(-1)!, ...raised });
  }
  const least = Math.floor(milliseconds / 60_000) * accountsAMinute;
  await database.run(raiseAccountNumber, { least, skipped: accountsSkipped });
  await database.run(raiseIncomingNumber, { least: milliseconds });
  for (const { name } of await settingsBeginning(database, holdPrefix)) await dropSetting(database, name);
  await writeInstallation(store, entry, async () => {});
}

const noHash: Buffer = Buffer.alloc(0);
const bodiesAfter = read("restored.bodiesAfter", (db, $: { accountId: number; after: Buffer; limit: number }) =>
  db
    .selectFrom("blobRef")
    .select(["sha256", "day", "size", "pack"])
    .where("userId", "=", $.accountId)
    .where("sha256", ">", $.after)
    .orderBy("sha256")
    .limit($.limit),
);

/** All bodies that an account names. */
export async function* bodiesOfAccount({ database }: Store, accountId: number): AsyncGenerator<StoredBlob> {
  for (let after: Buffer = noHash; ; ) {
    const rows = await database.run(bodiesAfter, { accountId, after, limit: page });
    yield* rows;
    if (rows.length < page) return;
    after = rows.at(-1)!.sha256;
  }
}

/** All bodies that the database names; one of several accounts comes once for each. */
export async function* namedBodies(store: Store): AsyncGenerator<StoredBlob> {
  for (const accountId of await accountIds(store.database)) yield* bodiesOfAccount(store, accountId);
  yield* await incomingObjects(store.database);
}
