import type { Log } from "../../base/log.ts";
import { AccountMissing } from "../core/errors.ts";
import type { Store, Tx } from "../core/store.ts";
import { findRecipients } from "../directory/recipients.ts";
import { addBounces, isCounted } from "../queues/bounces.ts";
import { findReportable } from "../queues/delivery-reports.ts";
import { findUntold, hasComplained, type JunkMark, markTold } from "../queues/junk-marks.ts";

/** Judges the sender once complaints were added, in their transaction. */
type Judge = (tx: Tx) => Promise<void>;

/** Counts the marks that nobody has counted yet, as when a process ended in between. */
export async function tellJunkComplaints(store: Store, log: Log, limit: number, judge: Judge): Promise<void> {
  await tellJunkMarks(store, await findUntold(store.database, log, limit), log, judge);
}

/**
 * Counts junk marks as complaints in the accounts that sent the mail. Each is counted once, however often a crash makes
 * this run again.
 */
export async function tellJunkMarks(store: Store, marks: readonly JunkMark[], log: Log, judge: Judge): Promise<void> {
  for (const mark of marks) {
    try {
      await count(store, mark, judge);
      await markTold(store.database, mark);
    } catch (error) {
      log.warn({ account: mark.userId, reason: (error as Error).message }, "complaint not counted yet");
    }
  }
}

const markedAsJunk = { reply: "marked as junk" };

async function count(store: Store, mark: JunkMark, judge: Judge): Promise<void> {
  const { userId, senderId, submissionId } = mark;
  const deliveries = await findReportable(store.reader(senderId, "server"), submissionId);
  const addresses = deliveries.map(({ rcptTo }) => rcptTo);
  const entries = await findRecipients(store.database, addresses);
  const recipient = addresses.find((_, at) => {
    const entry = entries[at];
    return typeof entry === "object" && entry.userId === userId;
  });
  // The submission is gone, or the address is: nobody is left to be named.
  if (recipient === undefined) return;
  const isNoFault = deliveries[0]!.isAutomatic || (await hasComplained(store.database, mark, store.clock.now()));
  const bounce = { kind: "complaint", source: "junk", recipient, submissionId, isNoFault, ...markedAsJunk } as const;
  try {
    await store.write(senderId, "server", async (tx) => {
      if (await isCounted(tx, bounce)) return;
      if (await addBounces(tx, [bounce])) await judge(tx);
    });
  } catch (error) {
    if (!(error instanceof AccountMissing)) throw error;
  }
}
