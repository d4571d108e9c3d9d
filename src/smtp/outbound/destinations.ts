import { splitAddress } from "../../base/address.ts";
import type { Database } from "../../store/core/database.ts";
import { type AddressEntry, findRecipients } from "../../store/directory/recipients.ts";
import type { LeasedDelivery, LeasedSubmission } from "../../store/queues/deliveries.ts";

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

/** Those of each submission, without recipients that an operator returns to the sender. */
export async function destinationsOf(
  leased: readonly LeasedSubmission[],
  database: Database,
): Promise<Destination[][]> {
  const deliveries = leased.map((one) => one.deliveries.filter(({ returnReply }) => returnReply === null));
  const addresses = [...new Set(deliveries.flat().map(({ rcptTo }) => rcptTo))];
  const found = addresses.length === 0 ? [] : await findRecipients(database, addresses);
  const places = new Map(addresses.map((address, at) => [address, found[at]]));
  return deliveries.map((some) => grouped(some, places));
}

function grouped(
  deliveries: readonly LeasedDelivery[],
  places: ReadonlyMap<string, AddressEntry | "elsewhere" | undefined>,
): Destination[] {
  const destinations = new Map<string, Destination>();
  for (const delivery of deliveries) {
    const domain = splitAddress(delivery.rcptTo)?.domain ?? "";
    const place = places.get(delivery.rcptTo);
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
