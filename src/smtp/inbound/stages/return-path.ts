import { splitAddress } from "../../../base/address.ts";
import type { Clock } from "../../../base/clock.ts";
import { retry } from "../../../base/retry.ts";
import type { ReturnPaths } from "../../../mail/feedback/return-path.ts";
import type { Database } from "../../../store/core/database.ts";
import { databasePatience } from "../../../store/core/loss.ts";
import { findDomain } from "../../../store/directory/directory.ts";
import { isAccount } from "../../../store/directory/logins.ts";
import { type Check, pass, refuse } from "./stage.ts";

/** Finds the account of a signed return path. One that is not ours or too old is no address, even with a catch-all. */
export function returnPath(means: { database: Database; returnPaths: ReturnPaths; clock: Clock }): Check<"rcpt"> {
  const { database, returnPaths, clock } = means;
  return async (_, { path: { address } }) => {
    const parts = splitAddress(address);
    if (!parts) return pass();
    const find = async () => {
      const read = await returnPaths.read(parts.local, clock.now());
      // Of other domains the next check says that they are not served here.
      if (read.kind === "none" || !(await findDomain(database, parts.domain))) return pass();
      const userId = read.kind === "valid" ? read.mail.userId : undefined;
      if (userId !== undefined && (await isAccount(database, userId))) return pass({ userId });
      return refuse(550, "5.1.1", "no such return path, or it has expired: write to the author instead");
    };
    return retry(find, databasePatience);
  };
}
