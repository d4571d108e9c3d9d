import type { Database } from "../../../store/core/database.ts";
import { findQuota } from "../../../store/mail/quota.ts";
import { type Check, defer, pass, refuse } from "./stage.ts";

/** Checks that the recipient's account has room for a message of the announced size. */
export function room({ database }: { database: Database }): Check<"rcpt"> {
  return async (_, { userId, entry, size }) => {
    // What only goes on to others takes no room.
    const isStored = userId !== undefined && entry?.keepsCopy !== false;
    const quota = isStored ? await findQuota(database, userId) : undefined;
    if (!quota) return pass();
    if (size > quota.limit)
      return refuse(552, "5.2.3", "larger than all that this mailbox may hold: send a smaller message");
    if (quota.used < quota.limit && quota.used + size <= quota.limit) return pass();
    return defer(452, "4.2.2", "this mailbox is full, try again later");
  };
}
