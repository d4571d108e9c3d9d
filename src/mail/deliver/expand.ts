import { normalizeAddress } from "../../base/address.ts";
import type { Database } from "../../store/core/database.ts";
import type { AcceptedRecipient } from "../../store/core/db.ts";
import { type AddressEntry, findRecipients } from "../../store/directory/recipients.ts";

/** A recipient as the envelope names it. */
export interface Addressed {
  address: string;
  /** The account with the address. */
  userId: number;
  /** What the directory says of the address. (Default: its mail goes to the account alone.) */
  entry?: AddressEntry;
}

/** The address that sends mail on: of a catch-all, that to which the mail came. */
export function forwardingName({ address, entry }: { address: string; entry: AddressEntry }): string {
  return entry.address.startsWith("@") ? (normalizeAddress(address) ?? address) : entry.address;
}

/** Addresses that lead to one another; further ones are left out. */
const maxDepth = 20;

/**
 * Follows the addresses to all that their mail goes to. Each account is there once, and so is each address elsewhere, whatever
 * leads to it; addresses that lead to each other are followed once. Where an address leads to nobody, its own account gets the
 * mail.
 */
export async function expand(database: Database, named: readonly Addressed[]): Promise<AcceptedRecipient[]> {
  const plain = named.filter(({ entry }) => !entry);
  const steps = await follow(database, named);
  const arriving = findArriving(steps);
  const accounts = new Map<number, AcceptedRecipient>();
  const elsewhere = new Set<string>();
  for (const recipient of plain) add(accounts, recipient, { isKept: true, away: [] });
  for (const [name, step] of steps) {
    const away = step.away.filter((address) => !elsewhere.has(address));
    for (const address of away) elsewhere.add(address);
    add(accounts, step.recipient, { isKept: step.recipient.entry.keepsCopy || !arriving.has(name), away });
  }
  return [...accounts.values()];
}

/** An address, and where it leads: to others of ours, and elsewhere. */
interface Step {
  recipient: Addressed & { entry: AddressEntry };
  inner: string[];
  away: string[];
}

async function follow(database: Database, named: readonly Addressed[]): Promise<Map<string, Step>> {
  const steps = new Map<string, Step>();
  let level = named;
  for (let depth = 0; level.length > 0; depth++) {
    const fresh: Step[] = [];
    for (const { entry, ...recipient } of level) {
      if (!entry || steps.has(entry.address)) continue;
      const step = { recipient: { ...recipient, entry }, inner: [], away: [] };
      steps.set(entry.address, step);
      fresh.push(step);
    }
    level = depth < maxDepth ? await resolve(database, fresh) : [];
  }
  return steps;
}

/** Fills in where the steps lead, and returns those of our addresses. */
async function resolve(database: Database, steps: readonly Step[]): Promise<Addressed[]> {
  const addresses = [...new Set(steps.flatMap(({ recipient }) => recipient.entry.forwards ?? []))];
  if (addresses.length === 0) return [];
  const found = await findRecipients(database, addresses);
  const places = new Map(addresses.map((address, at) => [address, found[at]]));
  const next: Addressed[] = [];
  for (const { recipient, inner, away } of steps) {
    for (const address of recipient.entry.forwards ?? []) {
      const place = places.get(address);
      if (place === "elsewhere") away.push(address);
      else if (place) {
        inner.push(place.address);
        next.push({ address, userId: place.userId, entry: place });
      }
    }
  }
  return next;
}

/** The addresses whose mail comes to somebody, though their own accounts may get no copy. */
function findArriving(steps: ReadonlyMap<string, Step>): Set<string> {
  const arriving = new Set<string>();
  let known = -1;
  while (known < arriving.size) {
    known = arriving.size;
    for (const [name, { recipient, inner, away }] of steps) {
      const arrives = recipient.entry.keepsCopy || away.length > 0 || inner.some((address) => arriving.has(address));
      if (arrives) arriving.add(name);
    }
  }
  return arriving;
}

function add(
  accounts: Map<number, AcceptedRecipient>,
  { address, userId, entry }: Addressed,
  { isKept, away }: { isKept: boolean; away: string[] },
): void {
  if (!isKept && away.length === 0) return;
  const known = accounts.get(userId);
  // The name by which the account itself gets the mail, rather than that of a group which it manages.
  const isNamed = !known || (known.isForwardedOnly && isKept);
  const maskedIds = [...new Set([...(known?.maskedIds ?? []), ...(entry?.maskedId == null ? [] : [entry.maskedId])])];
  const forwards = [
    ...(known?.forwards ?? []),
    ...(entry && away.length > 0 ? [{ from: forwardingName({ address, entry }), to: away }] : []),
  ];
  const isForwardedOnly = !isKept && (!known || known.isForwardedOnly);
  accounts.set(userId, {
    address: isNamed ? address : known.address,
    userId,
    ...(maskedIds.length > 0 && { maskedIds }),
    ...(forwards.length > 0 && { forwards }),
    ...(isForwardedOnly && { isForwardedOnly }),
  });
}
