import { type Row, read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";

export type MailboxPlace = Row<"mailbox", "id" | "role">;

const places = read("mailboxes.places", (db, $: { accountId: number }) =>
  db.selectFrom("mailbox").select(["id", "role"]).where("userId", "=", $.accountId).orderBy("sortOrder").orderBy("id"),
);

/** The mailboxes that mail may be filed into, in display order. */
export function findMailboxes(reader: Reader): Promise<MailboxPlace[]> {
  return reader.run(places, { accountId: reader.accountId });
}
