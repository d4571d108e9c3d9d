import type { Database } from "../../store/core/database.ts";
import { findAddress } from "../../store/directory/directory.ts";

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
