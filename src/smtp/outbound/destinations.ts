import { splitAddress } from "../../base/address.ts";
import { findAddress, findDomain } from "../../store/directory/directory.ts";
import type { LeasedDelivery, LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";

/** Recipients that one transaction serves. `account` is set for our own users. */
export interface Destination {
  domain: string;
  isLocal: boolean;
  deliveries: LeasedDelivery[];
  accounts: Map<number, number>;
}

export async function destinationsOf(leased: LeasedSubmission, { store }: MailOutOptions): Promise<Destination[]> {
  const destinations = new Map<string, Destination>();
  for (const delivery of leased.deliveries) {
    const domain = splitAddress(delivery.rcptTo)?.domain ?? "";
    const account = await findAddress(store.database, delivery.rcptTo);
    const isLocal = account !== undefined || (await findDomain(store.database, domain)) !== undefined;
    // Our own users go together, since they share one row in the queue of incoming mail.
    const key = isLocal ? `local ${delivery.incomingId}` : domain;
    const fresh: Destination = { domain, isLocal, deliveries: [], accounts: new Map() };
    const destination = destinations.get(key) ?? fresh;
    destinations.set(key, destination);
    destination.deliveries.push(delivery);
    if (account !== undefined) destination.accounts.set(delivery.no, account);
  }
  return [...destinations.values()];
}
