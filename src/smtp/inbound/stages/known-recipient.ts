import { splitAddress } from "../../../base/address.ts";
import { retry } from "../../../base/retry.ts";
import type { Database } from "../../../store/core/database.ts";
import { databasePatience } from "../../../store/core/loss.ts";
import { findDomain, listDomains } from "../../../store/directory/directory.ts";
import { type AddressEntry, findEntry } from "../../../store/directory/recipients.ts";
import { type Check, disconnect, pass, refuse, type Session } from "./stage.ts";

interface Means {
  database: Database;
  hostname: string;
}

const maxUnknown = 50;

/** Finds the account that gets the recipient's mail, unless an earlier check has. Disconnects peers that guess addresses. */
export function knownRecipient({ database, hostname }: Means): Check<"rcpt"> {
  const unknown = new WeakMap<Session, number>();
  return async (session, { path: { address }, userId: known }) => {
    if (known !== undefined) return pass();
    const parts = splitAddress(address);
    const find = async () => {
      const found = parts ? await findEntry(database, address) : await findPostmaster(database, address, hostname);
      const served = found !== undefined || !parts || (await findDomain(database, parts.domain)) !== undefined;
      return { entry: found, isServed: served };
    };
    const { entry, isServed } = await retry(find, databasePatience);
    if (entry !== undefined) return pass({ userId: entry.userId, entry });
    const count = (unknown.get(session) ?? 0) + 1;
    unknown.set(session, count);
    if (!session.isLoopback && count > maxUnknown)
      return disconnect("4.7.0", "too many unknown recipients: clean your list, and connect again");
    if (isServed) return refuse(550, "5.1.1", "no such address here: check how it is written");
    return refuse(550, "5.7.1", "no relaying: that domain is not served here, send by your own mail server");
  };
}

/** RFC 5321 §4.1.1.3: "postmaster" without a domain is known if any domain served here has a postmaster. */
async function findPostmaster(
  database: Database,
  address: string,
  hostname: string,
): Promise<AddressEntry | undefined> {
  if (address.toLowerCase() !== "postmaster") return undefined;
  const domains = [hostname, ...(await listDomains(database)).map(({ name }) => name)];
  for (const domain of domains) {
    const found = await findEntry(database, `postmaster@${domain}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
