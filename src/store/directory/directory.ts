import { domainToASCII } from "node:url";
import { normalized } from "../../base/normalize.ts";
import type { Database } from "../core/database.ts";
import { Conflict } from "../core/errors.ts";
import { type Executor, statement, unprepared } from "../core/sql.ts";
import type { Store, Tx } from "../core/store.ts";
import { createDefaultMailboxes } from "../mail/mailboxes.ts";
import { setQuota } from "../mail/quota.ts";
import type { Place } from "./place.ts";

/** Local part as given, domain in lower-case ASCII; undefined where the text is no address, or one with NUL that cannot be kept. */
export function splitAddress(text: string): { local: string; domain: string } | undefined {
  const at = text.lastIndexOf("@");
  if (at < 0 || text.length > 320 || text.includes("\0")) return undefined;
  const local = text.slice(0, at).replace(/^"(.*)"$/, (_, quoted: string) => quoted.replace(/\\(.)/g, "$1"));
  const domain = normalizeDomain(text.slice(at + 1));
  return domain === undefined ? undefined : { local: normalized(local, "NFC"), domain };
}

/** Undefined where the text is no domain name. */
export function normalizeDomain(text: string): string | undefined {
  // URL parsing drops tabs and line breaks, so "a.test\r\nx" would pass for "a.testx".
  if (/[\s\x00-\x1f]/.test(text)) return undefined;
  const domain = domainToASCII(text.replace(/\.$/, "")).toLowerCase();
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(domain) && domain.length <= 253 ? domain : undefined;
}

/** How addresses and logins stand in the directory: all lower case. Undefined where the text is no address. */
export function normalizeAddress(text: string): string | undefined {
  const address = splitAddress(text.trim());
  return address && `${address.local.toLowerCase()}@${address.domain}`;
}

const selectAddresses = statement<{ address: string; user_id: number }>(
  "SELECT address, user_id FROM address WHERE address = ANY($1::text[])",
);

/**
 * The account that mail for an address goes to: the address, else without its +tag, else the domain's catch-all, and for
 * abuse@ (RFC 2142 §4) the domain's postmaster.
 */
export async function findAddress(database: Database, address: string): Promise<number | undefined> {
  const parts = splitAddress(address);
  if (!parts || parts.local === "") return undefined;
  const local = parts.local.toLowerCase();
  const tag = local.indexOf("+");
  const locals = [local, ...(tag > 0 ? [local.slice(0, tag)] : []), ""];
  if (locals.includes("abuse")) locals.push("postmaster");
  const names = locals.map((name) => `${name}@${parts.domain}`);
  const found = new Map((await database.run(selectAddresses, [names])).map((row) => [row.address, row.user_id]));
  const name = names.find((candidate) => found.has(candidate));
  return name === undefined ? undefined : found.get(name);
}

/** That very address, whoever else takes its mail. */
export async function isAddressTaken(database: Database, address: string): Promise<boolean> {
  return (await database.run(selectAddresses, [[normalizeAddress(address)]])).length > 0;
}

/** The account that very address belongs to. */
export async function findAddressOwner(database: Database, address: string): Promise<number | undefined> {
  return (await database.run(selectAddresses, [[address]]))[0]?.user_id;
}

const nextNumber = statement<{ number: number }>("SELECT nextval('account_number') AS number");
const insertAccount = statement("INSERT INTO account (user_id, name, created_at) VALUES ($1, $2, $3)");
const insertIdentity = statement(`
  INSERT INTO identity (user_id, id, name, email, text_signature, html_signature, may_delete)
  VALUES ($1, $2, $4, $3, '', '', false)`);
const insertLogin = statement(`
  INSERT INTO login (login, user_id, password_hash, created_at) VALUES ($1, $2, $3, $4)
  ON CONFLICT (login) DO NOTHING`);
const adoptLogin = statement("UPDATE login SET user_id = $2, password_hash = $3 WHERE login = $1");
const insertAddress = statement(`
  INSERT INTO address (address, user_id, created_at) VALUES ($1, $2, $3) ON CONFLICT (address) DO NOTHING`);

/**
 * An account with its mailboxes, identity, login and address, each written in turn: the address comes last, so mail
 * never goes to half an account. `name` is what it and its identity are called (default: the address, and nothing), `fill`
 * makes its mailboxes (default: the usual ones), `quota` is how many bytes of mail it may hold (default: any number). Throws Conflict where the address is taken.
 */
export async function createAccount(
  store: Store,
  options: {
    address: string;
    passwordHash: string;
    name?: string;
    fill?: (tx: Tx) => Promise<void>;
    quota?: number | null;
  },
): Promise<number> {
  const address = mustBeAddress(options.address);
  const { database } = store;
  const now = store.clock.now();
  if ((await database.run(selectAddresses, [[address]])).length > 0) throw new Conflict("address");
  const [row] = await database.run(nextNumber);
  const userId = row!.number;
  await database.run(insertAccount, [userId, options.name || address, now]);
  await store.write(userId, (tx) => fillAccount(tx, { ...options, address }), { ids: 16 });
  // A login without its address is what an interrupted creation leaves: it is taken over.
  if ((await database.count(insertLogin, [address, userId, options.passwordHash, now])) === 0) {
    await database.run(adoptLogin, [address, userId, options.passwordHash]);
  }
  if ((await database.count(insertAddress, [address, userId, now])) === 0) throw new Conflict("address");
  return userId;
}

async function fillAccount(
  tx: Tx,
  { address, name = "", fill = createDefaultMailboxes, quota = null }: Parameters<typeof createAccount>[1],
): Promise<void> {
  await fill(tx);
  if (quota !== null) await setQuota(tx, quota);
  const [id] = await tx.newIds(1);
  await tx.run(insertIdentity, [tx.accountId, id, address, name]);
  tx.changed({ type: "Identity", id: id!, kind: 1 });
}

function mustBeAddress(text: string): string {
  const address = normalizeAddress(text);
  if (address === undefined || address.startsWith("@")) throw new RangeError(`not an address: ${text}`);
  return address;
}

export interface AddressRow {
  address: string;
  userId: number;
}

/** An alias, or with "@example.org" a catch-all. Throws Conflict where it is taken. */
export async function addAlias(store: Place, alias: string, userId: number): Promise<void> {
  const address = normalizeAddress(alias);
  if (address === undefined) throw new RangeError(`not an address: ${alias}`);
  const inserted = await store.database.count(insertAddress, [address, userId, store.clock.now()]);
  if (inserted === 0) throw new Conflict("address");
}

const deleteAddress = statement("DELETE FROM address WHERE address = $1");
/** False where there is no such address. */
export async function removeAlias(database: Executor, address: string): Promise<boolean> {
  return (await database.count(deleteAddress, [normalizeAddress(address)])) > 0;
}

const listAllAddresses = unprepared<{ address: string; user_id: number }>(
  "-- crosses accounts\nSELECT address, user_id FROM address ORDER BY address",
);
export async function listAddresses(database: Executor): Promise<AddressRow[]> {
  const rows = await database.run(listAllAddresses);
  return rows.map((row) => ({ address: row.address, userId: row.user_id }));
}

export interface AccountRow {
  userId: number;
  login: string;
  createdAt: Date;
}
const listLogins = unprepared<{ login: string; user_id: number; created_at: Date }>(
  "-- crosses accounts\nSELECT login, user_id, created_at FROM login ORDER BY login",
);
export async function listAccounts(database: Database): Promise<AccountRow[]> {
  const rows = await database.run(listLogins);
  return rows.map((row) => ({ userId: row.user_id, login: row.login, createdAt: row.created_at }));
}

export interface Domain {
  name: string;
  dkimSelector: string;
  /** PKCS #8, PEM. */
  dkimKey: string;
}
type DomainRow = { name: string; dkim_selector: string; dkim_key: string };
const insertDomain = statement(`
  INSERT INTO domain (name, dkim_selector, dkim_key, created_at) VALUES ($1, $2, $3, $4)
  ON CONFLICT (name) DO NOTHING`);
const selectDomain = statement<DomainRow>("SELECT name, dkim_selector, dkim_key FROM domain WHERE name = $1");
const selectDomains = statement<{ name: string }>("SELECT name FROM domain WHERE name = ANY($1::text[]) LIMIT 1");
const listAllDomains = statement<DomainRow>("SELECT name, dkim_selector, dkim_key FROM domain ORDER BY name");

/** False where the domain is there already: its key stays. */
export async function addDomain(store: Place, domain: Domain): Promise<boolean> {
  const { name, dkimSelector, dkimKey } = domain;
  return (await store.database.count(insertDomain, [name, dkimSelector, dkimKey, store.clock.now()])) > 0;
}

/** Undefined for domains that are not ours. */
export async function findDomain(database: Database, name: string): Promise<Domain | undefined> {
  const normal = normalizeDomain(name);
  const [row] = normal === undefined ? [] : await database.run(selectDomain, [normal]);
  return row && toDomain(row);
}

/** True when one of the domains is ours. */
export async function servesAny(database: Database, names: string[]): Promise<boolean> {
  return names.length > 0 && (await database.run(selectDomains, [names])).length > 0;
}

export async function listDomains(database: Database): Promise<Domain[]> {
  return (await database.run(listAllDomains)).map(toDomain);
}

const deleteDomain = statement("DELETE FROM domain WHERE name = $1");
/** False where there is no such domain. */
export async function removeDomain(database: Executor, name: string): Promise<boolean> {
  return (await database.count(deleteDomain, [name])) > 0;
}

function toDomain(row: DomainRow): Domain {
  return { name: row.name, dkimSelector: row.dkim_selector, dkimKey: row.dkim_key };
}

const insertAccess = statement(`
  INSERT INTO account_access (login, account_id, created_at) VALUES ($1, $2, $3)
  ON CONFLICT (login, account_id) DO NOTHING`);
const deleteAccess = statement("DELETE FROM account_access WHERE login = $1 AND account_id = $2");

/** Opens an account to one more login. */
export async function shareAccount(store: Place, login: string, accountId: number): Promise<void> {
  await store.database.run(insertAccess, [login, accountId, store.clock.now()]);
}

export async function unshareAccount(store: Place, login: string, accountId: number): Promise<boolean> {
  return (await store.database.count(deleteAccess, [login, accountId])) > 0;
}
