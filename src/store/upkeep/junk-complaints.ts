import type { Log } from "../../base/log.ts";
import { AccountMissing } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import { findRecipients } from "../directory/recipients.ts";
import { addBounces, isCounted } from "../queues/bounces.ts";
import { findReportable } from "../queues/delivery-reports.ts";
import { findUntold, type JunkMark, markTold } from "../queues/junk-marks.ts";

/**
 * Counts junk marks as complaints in the accounts that sent the mail. Each is counted once, however often a crash makes
 * this run again.
 */
export async function tellJunkComplaints(store: Store, log: Log, limit: number): Promise<void> {
  for (const mark of await findUntold(store.database, log, limit)) {
    try {
      await count(store, mark);
      await markTold(store.database, mark);
    } catch (error) {
      log.warn({ account: mark.userId, reason: (error as Error).message }, "complaint not counted yet");
    }
  }
}

async function count(store: Store, { userId, senderId, submissionId }: JunkMark): Promise<void> {
  const addresses = (await findReportable(store.reader(senderId, "server"), submissionId)).map(({ rcptTo }) => rcptTo);
  const entries = await findRecipients(store.database, addresses);
  const recipient = addresses.find((_, at) => {
    const entry = entries[at];
    return typeof entry === "object" && entry.userId === userId;
  });
  // The submission is gone, or the address is: nobody is left to be named.
  if (recipient === undefined) return;
  const bounce = { kind: "complaint", source: "junk", recipient, submissionId, reply: "marked as junk" } as const;
  try {
    await store.write(senderId, "server", async (tx) => {
      if (!(await isCounted(tx, bounce))) await addBounces(tx, [bounce]);
    });
  } catch (error) {
    if (!(error instanceof AccountMissing)) throw error;
  }
}
