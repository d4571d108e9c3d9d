import type { Database } from "../../store/core/database.ts";
import { findAddress, findDomain, listDomains, splitAddress } from "../../store/directory/directory.ts";
import { findQuota } from "../../store/mail/quota.ts";
import { Refusal } from "./reply.ts";

/** The account that mail for this address goes to; Refusal when there is none. */
export async function findRecipient(database: Database, address: string, hostname: string): Promise<number> {
  const parts = splitAddress(address);
  const found = parts ? await findAddress(database, address) : await findPostmaster(database, address, hostname);
  if (found !== undefined) return found;
  if (parts && !(await findDomain(database, parts.domain))) {
    throw new Refusal(550, "5.7.1 no relaying: that domain is not served here");
  }
  throw new Refusal(550, "5.1.1 no such address here");
}

/** Refusal where the account has no room for a message of that size; 0 for one whose size is not told yet. */
export async function checkRoom(database: Database, userId: number, bytes: number): Promise<void> {
  const quota = await findQuota(database, userId);
  if (!quota) return;
  if (bytes > quota.limit) throw new Refusal(552, "5.2.3 larger than all that this mailbox may hold");
  if (quota.used >= quota.limit || quota.used + bytes > quota.limit) {
    throw new Refusal(452, "4.2.2 this mailbox is full");
  }
}

/** RFC 5321 §4.1.1.3: "postmaster" without a domain is always known, where anybody is. */
async function findPostmaster(database: Database, address: string, hostname: string): Promise<number | undefined> {
  if (address.toLowerCase() !== "postmaster") return undefined;
  const domains = [hostname, ...(await listDomains(database)).map(({ name }) => name)];
  for (const domain of domains) {
    const found = await findAddress(database, `postmaster@${domain}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
