import { type LeasedSubmission, renewLease } from "../../store/queues/deliveries.ts";
import type { Destination } from "./destinations.ts";
import type { MailOutOptions } from "./options.ts";

export class LeaseLost extends Error {}

const freshLease = 45_000;

/**
 * Renews the lease of a message that has waited for its turn: it must outlast the attempt, or another process attempts
 * it too, and its sender may be held by now. Throws LeaseLost when it must not be sent.
 */
export async function keepLease(
  leased: LeasedSubmission,
  { deliveries }: Destination,
  { store, clock, holder }: MailOutOptions,
): Promise<void> {
  const now = clock.now().getTime();
  if (now - leased.leasedAt.getTime() < freshLease) return;
  const until = new Date(now + leased.leasedUntil.getTime() - leased.leasedAt.getTime());
  const nos = deliveries.map(({ no }) => no);
  if (!(await renewLease(store.database, leased, nos, { holder: holder.name, until }))) throw new LeaseLost();
}
