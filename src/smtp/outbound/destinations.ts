import { splitAddress } from "../../base/address.ts";
import { type AddressEntry, findRecipients } from "../../store/directory/recipients.ts";
import type { LeasedDelivery, LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";

/** Recipients that one transaction serves. `account` is set for our own users. */
export interface Destination {
  domain: string;
  /** The host that an operator chose instead of the domain's servers. */
  route: string | null;
  isLocal: boolean;
  deliveries: LeasedDelivery[];
  /** By the delivery's number. */
  accounts: Map<number, AddressEntry>;
}

export async function destinationsOf(leased: LeasedSubmission, { store }: MailOutOptions): Promise<Destination[]> {
  const destinations = new Map<string, Destination>();
  const addresses = leased.deliveries.map(({ rcptTo }) => rcptTo);
  const places = await findRecipients(store.database, addresses);
  for (const [index, delivery] of leased.deliveries.entries()) {
    const domain = splitAddress(delivery.rcptTo)?.domain ?? "";
    const place = places[index];
    const isLocal = place !== "elsewhere";
    // Our own users go together, since they share one row in the queue of incoming mail.
    const key = isLocal ? `local ${delivery.incomingId}` : `${domain} ${delivery.route ?? ""}`;
    const fresh: Destination = { domain, route: delivery.route, isLocal, deliveries: [], accounts: new Map() };
    const destination = destinations.get(key) ?? fresh;
    destinations.set(key, destination);
    destination.deliveries.push(delivery);
    if (typeof place === "object") destination.accounts.set(delivery.no, place);
  }
  return [...destinations.values()];
}
