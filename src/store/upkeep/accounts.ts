import type { Database } from "../core/database.ts";
import { across, read } from "../core/declare.ts";

const batch = 20_000;

export const accountsAfter = read(
  "accounts.after",
  (db, $: { after: number; limit: number }) =>
    db.selectFrom("account").select("userId").where("userId", ">", $.after).orderBy("userId").limit($.limit),
  across("upkeep visits all accounts"),
);

/** The numbers of all accounts, ascending. */
export async function accountIds(database: Database): Promise<number[]> {
  const ids: number[] = [];
  for (;;) {
    const rows = await database.run(accountsAfter, { after: ids.at(-1) ?? 0, limit: batch });
    ids.push(...rows.map((row) => row.userId));
    if (rows.length < batch) return ids;
  }
}
