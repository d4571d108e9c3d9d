import { logOutcomes, releaseLease } from "../../store/queues/deliveries.ts";
import { type DueSubmission, restoreHints } from "../../store/queues/due.ts";
import { astrayDeliveries, deliveriesHeldBy, type FoundDelivery } from "../../store/queues/queue-sweeps.ts";
import type { MailOutOptions } from "./options.ts";

const maxPerSweep = 1_000;

/**
 * Takes up what nobody works on: frees the leases of processes that are gone and those that we hold unknowingly, as when
 * the database's answer to a lease was lost; writes noted outcomes to the change log; restores lost hints. `isKnown`
 * tells whether this process works on a submission.
 */
export async function sweepQueue(
  { store, clock, holder, log }: Pick<MailOutOptions, "store" | "clock" | "holder" | "log">,
  isKnown: (submission: DueSubmission) => boolean,
): Promise<void> {
  const { database } = store;
  const now = clock.now();
  const found = await astrayDeliveries(database, log, { holder: holder.name, now, limit: maxPerSweep });
  const gone = new Set(
    found.flatMap(({ leasedBy }) => (leasedBy !== null && holder.isGone(leasedBy) ? [leasedBy] : [])),
  );
  const rows = [...found, ...(await deliveriesHeldBy(database, log, [...gone]))];
  const isLeft = ({ leasedBy, ...row }: FoundDelivery) =>
    leasedBy !== null && (gone.has(leasedBy) || (leasedBy === holder.name && !isKnown(row)));
  const isOver = ({ leasedUntil }: FoundDelivery) => leasedUntil === null || leasedUntil <= now;
  const queued = rows.filter(({ state }) => state === "queued");
  const left = queued.filter(isLeft);
  const noted = rows.filter((row) => row.state !== "queued" && (isOver(row) || gone.has(row.leasedBy ?? "")));

  // The node of an account may be down by now: the others are seen to all the same.
  const each = async (some: FoundDelivery[], work: (row: FoundDelivery) => Promise<void>) => {
    for (const row of some) {
      await work(row).catch((error: unknown) =>
        log.warn({ account: row.userId, submission: row.submissionId, err: error }, "queued mail not swept"),
      );
    }
  };
  await each(distinct(left, leaseOf), ({ userId, submissionId, leasedBy, leasedUntil }) =>
    releaseLease(database, { userId, submissionId }, { holder: leasedBy!, until: leasedUntil! }),
  );
  await each(distinct(noted, submissionOf), ({ userId, submissionId }) =>
    store.write(userId, "server", (tx) => logOutcomes(tx, submissionId)),
  );
  const due = [...left, ...queued.filter((row) => isOver(row) && row.nextAttemptAt <= now)];
  const lost = distinct(
    due.toSorted((one, other) => one.nextAttemptAt.getTime() - other.nextAttemptAt.getTime()),
    submissionOf,
  );
  if (lost.length === 0) return;
  await restoreHints(database, lost);
  log.info({ submissions: lost.length }, "lost hints of queued mail restored");
}

const submissionOf = ({ userId, submissionId }: FoundDelivery) => `${userId} ${submissionId}`;
const leaseOf = (row: FoundDelivery) => `${submissionOf(row)} ${row.leasedUntil?.getTime()} ${row.leasedBy}`;

/** The first row with each key. */
function distinct(rows: FoundDelivery[], keyOf: (row: FoundDelivery) => string): FoundDelivery[] {
  return [...Map.groupBy(rows, keyOf).values()].map(([first]) => first!);
}
