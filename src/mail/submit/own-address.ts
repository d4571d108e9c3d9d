import type { Database } from "../../store/core/database.ts";
import { findAddress } from "../../store/directory/recipients.ts";

/**
 * True when the account may send from the address, that is, when mail to the address is delivered to the account.
 * "*@example.org" stands for a whole domain, and belongs to the account with its catch-all.
 */
export async function isOwnAddress(database: Database, address: string, accountId: number): Promise<boolean> {
  const at = address.lastIndexOf("@");
  if (at < 1) return false;
  // An asterisk is never an address, so the directory answers with the catch-all.
  return (await findAddress(database, address)) === accountId;
}

/** The account with the address, if it is one of these and may be changed, so that its owner may send from it. */
export async function accountOfSender(
  database: Database,
  address: string,
  accounts: readonly { id: number; isReadOnly: boolean }[],
): Promise<number | undefined> {
  if (address.lastIndexOf("@") < 1) return undefined;
  const owner = await findAddress(database, address);
  return accounts.find(({ id, isReadOnly }) => id === owner && !isReadOnly)?.id;
}
