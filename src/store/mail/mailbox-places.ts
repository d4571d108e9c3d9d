import { statement } from "../core/sql.ts";
import type { Reader } from "../core/store.ts";

export interface MailboxPlace {
  id: number;
  role: string | null;
}

const selectPlaces = statement<MailboxPlace>("SELECT id, role FROM mailbox WHERE user_id = $1 ORDER BY sort_order, id");

/** The mailboxes of the account, for putting mail into them. */
export function findMailboxes(reader: Reader): Promise<MailboxPlace[]> {
  return reader.run(selectPlaces, [reader.accountId]);
}
