import { sql } from "kysely";
import { splitAddress } from "../../base/address.ts";
import type { Database } from "../core/database.ts";
import { type Row, read } from "../core/declare.ts";

const columns = ["address", "userId", "maskedId", "isPaused", "forwards", "keepsCopy"] as const;
type Found = Row<"address", (typeof columns)[number]>;

/** What happens to mail for an address: whose it is, and where else it goes. */
export type AddressEntry = Omit<Found, "isPaused">;

const entriesByName = read("addresses.byName", (db, $: { names: readonly string[] }) =>
  db.selectFrom("address").select(columns).where("address", "in", $.names),
);
/** A domain has a row of its name alone. */
const namesAndDomains = read(
  "addresses.withDomains",
  (_, $: { names: readonly string[]; domains: readonly string[] }) => sql<{
    [Column in keyof Found]: Column extends "address" ? string : Found[Column] | null;
  }>`
  SELECT a.address, a.user_id AS "userId", a.masked_id AS "maskedId", a.is_paused AS "isPaused", a.forwards,
    a.keeps_copy AS "keepsCopy" FROM address a WHERE a.address = ANY(${$.names})
  UNION ALL SELECT d.name, NULL::bigint, NULL::bigint, NULL::boolean, NULL::text[], NULL::boolean
  FROM domain d WHERE d.name = ANY(${$.domains})`,
);

/**
 * Whose address makes an account receive mail for this one, by precedence: the address, the address without its +tag, the
 * domain's catch-all, and for abuse@ (RFC 2142 §4) the domain's postmaster.
 */
function namesOf(address: string): string[] {
  const parts = splitAddress(address);
  if (!parts || parts.local === "") return [];
  const local = parts.local.toLowerCase();
  const tag = local.indexOf("+");
  const locals = [local, ...(tag > 0 ? [local.slice(0, tag)] : []), ""];
  if (locals.includes("abuse")) locals.push("postmaster");
  return locals.map((name) => `${name}@${parts.domain}`);
}

/** A paused address takes no mail, and leaves none to the catch-all. */
function chosen(names: readonly string[], found: ReadonlyMap<string, Found>): AddressEntry | undefined {
  const name = names.find((candidate) => found.has(candidate));
  const { isPaused = true, ...entry } = (name !== undefined && found.get(name)) || {};
  return isPaused ? undefined : (entry as AddressEntry);
}

/** What the directory says of an address; undefined if mail for it is refused. */
export async function findEntry(database: Database, address: string): Promise<AddressEntry | undefined> {
  const names = namesOf(address);
  if (names.length === 0) return undefined;
  return chosen(names, new Map((await database.run(entriesByName, { names })).map((row) => [row.address, row])));
}

/** The account that receives mail for an address. */
export async function findAddress(database: Database, address: string): Promise<number | undefined> {
  return (await findEntry(database, address))?.userId;
}

/** For each of the addresses: what the directory says of it, or "elsewhere", or undefined for none in a local domain. */
export async function findRecipients(
  database: Database,
  addresses: readonly string[],
): Promise<(AddressEntry | "elsewhere" | undefined)[]> {
  const asked = addresses.map((address) => ({ names: namesOf(address), domain: splitAddress(address)?.domain ?? "" }));
  const names = [...new Set(asked.flatMap((one) => one.names))];
  const domains = [...new Set(asked.map(({ domain }) => domain))];
  const rows = await database.run(namesAndDomains, { names, domains });
  const entries = new Map(rows.flatMap((row) => (row.userId === null ? [] : [[row.address, row as Found]])));
  const served = new Set(rows.filter(({ userId }) => userId === null).map(({ address }) => address));
  return asked.map((one) => {
    const isKnown = one.names.some((name) => entries.has(name));
    return isKnown || served.has(one.domain) ? chosen(one.names, entries) : "elsewhere";
  });
}
