import { isPrivateAddress } from "../base/private-address.ts";
import type { Domain } from "../store/directory/directory.ts";
import type { DkimKeyRow } from "../store/directory/dkim-keys.ts";
import type { OwnStsPolicy } from "../store/directory/mta-sts.ts";
import {
  addressRecords,
  clientRecords,
  type DnsRecord,
  dnsRecords,
  type Site,
  stsRecords,
  tlsReportRecord,
} from "./dns-records.ts";
import type { Checked } from "./domain-check/checked.ts";
import { checkDoor, checkOutgoing, type Door } from "./domain-check/doors.ts";
import { checkHost, checkListing, checkReverse } from "./domain-check/host.ts";
import { addressesOf, type Resolve } from "./domain-check/look-up.ts";
import { checkRecord } from "./domain-check/records.ts";

export interface CheckedDomain {
  domain: Domain;
  /** Its DKIM keys beside the RSA key that signs. */
  keys: readonly DkimKeyRow[];
  /** The MTA-STS policy that this server publishes for it. (Default: the one that it may begin with) */
  sts?: OwnStsPolicy | undefined;
}

export interface CheckMeans {
  resolver: Resolve;
  site: Site;
  /** Take loopback and private addresses for public ones. */
  allowPrivateTargets: boolean;
}

/** All records that the owner of a domain of this site may publish. */
export function recordsOf({ domain, keys, sts }: CheckedDomain, site: Site): DnsRecord[] {
  const { hostname } = site;
  return [
    ...addressRecords(site),
    ...dnsRecords(domain, hostname, keys),
    ...clientRecords(domain, site),
    tlsReportRecord(domain),
    ...stsRecords(domain, hostname, sts ?? { mode: "testing", mx: [hostname] }),
  ];
}

/** Compares what DNS says of a domain and of the server with what it should say. */
export async function checkDomain(about: CheckedDomain, { resolver, site, ...more }: CheckMeans): Promise<Checked[]> {
  const { hostname, addresses } = site;
  const means = { resolver, hostname, addresses, ...more };
  // The answer stays whole when a name is asked for by several checks at once.
  const [host, records, reverse] = await Promise.all([
    addresses.length === 0 ? checkHost(hostname, means) : undefined,
    Promise.all(recordsOf(about, site).map((record) => checkRecord(record, means))),
    publicAddresses(means).then((all) => Promise.all(all.map((address) => checkReverse(address, means)))),
  ]);
  return [...(host ? [host] : []), ...records, ...reverse];
}

export interface ReachMeans extends CheckMeans {
  doors: readonly Door[];
  /** Zones that list bad addresses. */
  blocklists: readonly string[];
  /** A domain whose server is tried, at this port; undefined if all mail leaves through a smart host. */
  outgoing: { probe: string; port: number } | undefined;
  now: Date;
}

/** Tries the server's doors, its way out, and its standing at blocklists. */
export async function checkReach({ resolver, site, doors, blocklists, outgoing, now, ...more }: ReachMeans) {
  const { hostname } = site;
  const addresses = await publicAddresses({ resolver, hostname, addresses: site.addresses, ...more });
  const found: Checked[][] = await Promise.all([
    ...doors.map((door) =>
      checkDoor(door, { hostname: door.kind === "https" ? (site.jmap?.host ?? hostname) : hostname, now }),
    ),
    ...(outgoing ? [checkOutgoing({ resolver, ...outgoing }).then((one) => [one])] : []),
    ...addresses.flatMap((address) =>
      blocklists.map((zone) => checkListing(address, zone, resolver).then((one) => [one])),
    ),
  ]);
  return found.flat();
}

/** Those that are known, or else those that DNS has for the server's name. */
async function publicAddresses({
  resolver,
  hostname,
  addresses,
  allowPrivateTargets,
}: {
  resolver: Resolve;
  hostname: string;
  addresses: readonly string[];
  allowPrivateTargets: boolean;
}): Promise<readonly string[]> {
  const all = addresses.length > 0 ? addresses : ((await addressesOf(resolver, hostname)) ?? []);
  return all.filter((address) => allowPrivateTargets || !isPrivateAddress(address));
}
