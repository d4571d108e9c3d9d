import type { Database } from "../../store/core/database.ts";
import { findAddress } from "../../store/directory/directory.ts";

/**
 * True when the account may send from the address, which is when mail to it comes back to the account. "*@example.org"
 * stands for all of a domain: whoever has its catch-all.
 */
export async function isOwnAddress(database: Database, address: string, accountId: number): Promise<boolean> {
  const at = address.lastIndexOf("@");
  if (at < 1) return false;
  // No address is made of an asterisk alone, so the directory answers with the catch-all.
  return (await findAddress(database, address)) === accountId;
}
