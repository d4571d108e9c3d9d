import type { Log } from "../../base/log.ts";
import type { Database } from "../core/database.ts";
import { across, read } from "../core/declare.ts";
import { everywhere, readEverywhere } from "../core/everywhere.ts";

const batch = 20_000;

const after = read(
  "accounts.after",
  (db, $: { after: number; limit: number }) =>
    db.selectFrom("account").select("userId").where("userId", ">", $.after).orderBy("userId").limit($.limit),
  across("upkeep visits all accounts"),
);
const afterOnEach = everywhere("account", ["userId"], after);

/** The numbers of the next accounts, ascending, without those whose node does not answer. */
export async function accountsAfter(
  database: Database,
  log: Log,
  page: { after: number; limit: number },
): Promise<number[]> {
  const { rows } = await readEverywhere(database, log, afterOnEach, page);
  return rows
    .map((row) => row.userId)
    .sort((one, other) => one - other)
    .slice(0, page.limit);
}

/** The numbers of all accounts, ascending; fails when one node does not answer. */
export async function accountIds(database: Database): Promise<number[]> {
  const ids: number[] = [];
  for (;;) {
    const rows = await database.run(after, { after: ids.at(-1) ?? 0, limit: batch });
    ids.push(...rows.map((row) => row.userId));
    if (rows.length < batch) return ids;
  }
}
