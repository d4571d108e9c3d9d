import { Kind } from "../core/change.ts";
import { read, write } from "../core/declare.ts";
import type { Tx } from "../core/store.ts";
import { findQuota } from "../mail/quota.ts";

export const accountName = read("accounts.name", (db, $: { accountId: number }) =>
  db.selectFrom("account").select("name").where("userId", "=", $.accountId),
);
const rename = write("accounts.rename", (db, $: { accountId: number; name: string }) =>
  db.updateTable("account").set({ name: $.name }).where("userId", "=", $.accountId),
);
const renameIdentity = write("accounts.renameIdentity", (db, $: { accountId: number; name: string; before: string }) =>
  db
    .updateTable("identity")
    .set({ name: $.name })
    .where("userId", "=", $.accountId)
    .where((eb) => eb.not("mayDelete"))
    .where("name", "in", ["", $.before])
    .where("name", "<>", $.name)
    .returning("id"),
);

/**
 * Sets the account's name, as the session and its Quota show it; without one, they show the address. The identity that
 * was created with the account gets the name too, unless its owner has changed it.
 */
export async function setAccountName(tx: Tx, address: string, name: string): Promise<void> {
  const { accountId } = tx;
  const [before] = await tx.run(accountName, { accountId });
  if (before!.name === (name || address)) return;
  await tx.run(rename, { accountId, name: name || address });
  for (const { id } of await tx.run(renameIdentity, { accountId, name, before: before!.name })) {
    tx.changed({ type: "Identity", id, kind: Kind.properties });
  }
  const quota = await findQuota(tx, accountId);
  if (quota) tx.changed({ type: "Quota", id: quota.id, kind: Kind.properties });
}
