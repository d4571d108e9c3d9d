import type { Database } from "../core/database.ts";
import { read } from "../core/declare.ts";

const receivedOf = read("received.some", (db, $: { accountId: number; ids: readonly number[] }) =>
  db.selectFrom("received").select("incomingId").where("userId", "=", $.accountId).where("incomingId", "in", $.ids),
);
const accountThere = read("accounts.isThere", (db, $: { accountId: number }) =>
  db.selectFrom("account").select("userId").where("userId", "=", $.accountId),
);

/** Which of these mails an account has received; undefined when the account is gone. */
export async function receivedAmong(
  database: Database,
  accountId: number,
  ids: readonly number[],
): Promise<Set<number> | undefined> {
  if ((await database.run(accountThere, { accountId })).length === 0) return undefined;
  const rows = await database.run(receivedOf, { accountId, ids });
  return new Set(rows.map(({ incomingId }) => incomingId));
}
