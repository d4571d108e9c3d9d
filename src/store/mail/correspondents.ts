import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists } from "../core/lists.ts";
import type { Tx } from "../core/store.ts";

const columns = ["address", "domain", "shape", "nameKey", "writtenAt"] as const;
export type Correspondent = Row<"correspondent", Exclude<(typeof columns)[number], "writtenAt">>;

const upsert = write(
  "correspondents.note",
  (db, $: { accountId: number } & Lists<"correspondent", (typeof columns)[number]>) =>
    insertLists(db, "correspondent", columns, $).onConflict((conflict) =>
      conflict.columns(["userId", "address"]).doUpdateSet((eb) => ({
        nameKey: eb
          .case()
          .when("excluded.nameKey", "=", "")
          .then(eb.ref("correspondent.nameKey"))
          .else(eb.ref("excluded.nameKey"))
          .end(),
        writtenAt: eb.ref("excluded.writtenAt"),
      })),
    ),
);

/** Remembers whom the account writes to: their mail is known, and look-alikes of them are not. */
export function noteCorrespondents(tx: Tx, all: readonly Correspondent[]): void {
  const rows = [...new Map(all.map((one) => [one.address, { ...one, writtenAt: tx.now }])).values()];
  if (rows.length > 0) tx.send(upsert, { accountId: tx.accountId, ...lists(rows, columns) });
}

const isThere = read("correspondents.isThere", (db, $: { accountId: number; address: string }) =>
  db.selectFrom("correspondent").select("address").where("userId", "=", $.accountId).where("address", "=", $.address),
);

/** Whether the account has written to this address, which is in lower case. */
export async function isCorrespondent(database: Database, accountId: number, address: string): Promise<boolean> {
  return (await database.run(isThere, { accountId, address })).length > 0;
}
