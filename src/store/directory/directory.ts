import { domainToASCII } from "node:url";
import { sql } from "kysely";
import { normalized } from "../../base/normalize.ts";
import type { Database } from "../core/database.ts";
import { across, type Row, read, write } from "../core/declare.ts";
import { Conflict } from "../core/errors.ts";
import type { Executor } from "../core/sql.ts";
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

const addressesByName = read("addresses.byName", (db, $: { names: readonly string[] }) =>
  db.selectFrom("address").select(["address", "userId"]).where("address", "in", $.names),
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
  const found = new Map((await database.run(addressesByName, { names })).map((row) => [row.address, row.userId]));
  const name = names.find((candidate) => found.has(candidate));
  return name === undefined ? undefined : found.get(name);
}

/** That very address, whoever else takes its mail. */
export async function isAddressTaken(database: Database, address: string): Promise<boolean> {
  const name = normalizeAddress(address);
  return name !== undefined && (await database.run(addressesByName, { names: [name] })).length > 0;
}

/** The account that very address belongs to. */
export async function findAddressOwner(database: Database, address: string): Promise<number | undefined> {
  return (await database.run(addressesByName, { names: [address] }))[0]?.userId;
}

const nextNumber = write(
  "accounts.nextNumber",
  () => sql<{ number: number }>`SELECT nextval('account_number') AS number`,
);
const insertAccount = write("accounts.add", (db, $: Row<"account", "userId" | "name" | "createdAt">) =>
  db.insertInto("account").values({ userId: $.userId, name: $.name, createdAt: $.createdAt }),
);
const insertIdentity = write("accounts.addIdentity", (db, $: Row<"identity", "userId" | "id" | "name" | "email">) =>
  db.insertInto("identity").values({
    userId: $.userId,
    id: $.id,
    name: $.name,
    email: $.email,
    textSignature: "",
    htmlSignature: "",
    mayDelete: false,
  }),
);
const insertLogin = write("logins.add", (db, $: Row<"login", "login" | "userId" | "passwordHash" | "createdAt">) =>
  db
    .insertInto("login")
    .values({ login: $.login, userId: $.userId, passwordHash: $.passwordHash, createdAt: $.createdAt })
    .onConflict((conflict) => conflict.column("login").doNothing()),
);
const adoptLogin = write("logins.adopt", (db, $: Row<"login", "login" | "userId" | "passwordHash">) =>
  db.updateTable("login").set({ userId: $.userId, passwordHash: $.passwordHash }).where("login", "=", $.login),
);
const insertAddress = write("addresses.add", (db, $: Row<"address", "address" | "userId" | "createdAt">) =>
  db
    .insertInto("address")
    .values({ address: $.address, userId: $.userId, createdAt: $.createdAt })
    .onConflict((conflict) => conflict.column("address").doNothing()),
);

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
  const createdAt = store.clock.now();
  if (await isAddressTaken(database, address)) throw new Conflict("address");
  const [row] = await database.run(nextNumber);
  const userId = row!.number;
  await database.run(insertAccount, { userId, name: options.name || address, createdAt });
  await store.write(userId, "server", (tx) => fillAccount(tx, { ...options, address }), { ids: 16 });
  // A login without its address is what an interrupted creation leaves: it is taken over.
  const login = { login: address, userId, passwordHash: options.passwordHash };
  if ((await database.count(insertLogin, { ...login, createdAt })) === 0) await database.run(adoptLogin, login);
  if ((await database.count(insertAddress, { address, userId, createdAt })) === 0) throw new Conflict("address");
  return userId;
}

async function fillAccount(
  tx: Tx,
  { address, name = "", fill = createDefaultMailboxes, quota = null }: Parameters<typeof createAccount>[1],
): Promise<void> {
  await fill(tx);
  if (quota !== null) await setQuota(tx, quota);
  const [id] = await tx.newIds(1);
  await tx.run(insertIdentity, { userId: tx.accountId, id: id!, name, email: address });
  tx.changed({ type: "Identity", id: id!, kind: 1 });
}

function mustBeAddress(text: string): string {
  const address = normalizeAddress(text);
  if (address === undefined || address.startsWith("@")) throw new RangeError(`not an address: ${text}`);
  return address;
}

/** An alias, or with "@example.org" a catch-all. Throws Conflict where it is taken. */
export async function addAlias(store: Place, alias: string, userId: number): Promise<void> {
  const address = normalizeAddress(alias);
  if (address === undefined) throw new RangeError(`not an address: ${alias}`);
  const inserted = await store.database.count(insertAddress, { address, userId, createdAt: store.clock.now() });
  if (inserted === 0) throw new Conflict("address");
}

const deleteAddress = write("addresses.remove", (db, $: { address: string }) =>
  db.deleteFrom("address").where("address", "=", $.address),
);
/** False where there is no such address. */
export async function removeAlias(database: Executor, alias: string): Promise<boolean> {
  const address = normalizeAddress(alias);
  return address !== undefined && (await database.count(deleteAddress, { address })) > 0;
}

const allAddresses = read(
  "addresses.all",
  (db) => db.selectFrom("address").select(["address", "userId"]).orderBy("address"),
  across("the operator lists them"),
);
export function listAddresses(database: Executor): Promise<Row<"address", "address" | "userId">[]> {
  return database.run(allAddresses);
}

const allLogins = read(
  "logins.all",
  (db) => db.selectFrom("login").select(["login", "userId", "createdAt"]).orderBy("login"),
  across("the operator lists them"),
);
export function listAccounts(database: Database): Promise<Row<"login", "login" | "userId" | "createdAt">[]> {
  return database.run(allLogins);
}

/** Its key is PKCS #8, PEM. */
export type Domain = Row<"domain", "name" | "dkimSelector" | "dkimKey">;

const insertDomain = write("domains.add", (db, $: Domain & { createdAt: Date }) =>
  db
    .insertInto("domain")
    .values({ name: $.name, dkimSelector: $.dkimSelector, dkimKey: $.dkimKey, createdAt: $.createdAt })
    .onConflict((conflict) => conflict.column("name").doNothing()),
);
const domainByName = read("domains.byName", (db, $: { name: string }) =>
  db.selectFrom("domain").select(["name", "dkimSelector", "dkimKey"]).where("name", "=", $.name),
);
const anyDomain = read("domains.any", (db, $: { names: readonly string[] }) =>
  db.selectFrom("domain").select("name").where("name", "in", $.names).limit(1),
);
const allDomains = read("domains.all", (db) =>
  db.selectFrom("domain").select(["name", "dkimSelector", "dkimKey"]).orderBy("name"),
);

/** False where the domain is there already: its key stays. */
export async function addDomain(store: Place, domain: Domain): Promise<boolean> {
  return (await store.database.count(insertDomain, { ...domain, createdAt: store.clock.now() })) > 0;
}

/** Undefined for domains that are not ours. */
export async function findDomain(database: Database, name: string): Promise<Domain | undefined> {
  const normal = normalizeDomain(name);
  const [row] = normal === undefined ? [] : await database.run(domainByName, { name: normal });
  return row;
}

/** True when one of the domains is ours. */
export async function servesAny(database: Database, names: string[]): Promise<boolean> {
  return names.length > 0 && (await database.run(anyDomain, { names })).length > 0;
}

export function listDomains(database: Database): Promise<Domain[]> {
  return database.run(allDomains);
}

const deleteDomain = write("domains.remove", (db, $: { name: string }) =>
  db.deleteFrom("domain").where("name", "=", $.name),
);
/** False where there is no such domain. */
export async function removeDomain(database: Executor, name: string): Promise<boolean> {
  return (await database.count(deleteDomain, { name })) > 0;
}

type Access = Row<"accountAccess", "login" | "accountId">;
const insertAccess = write("access.add", (db, $: Access & { createdAt: Date }) =>
  db
    .insertInto("accountAccess")
    .values({ login: $.login, accountId: $.accountId, createdAt: $.createdAt })
    .onConflict((conflict) => conflict.columns(["login", "accountId"]).doNothing()),
);
const deleteAccess = write("access.remove", (db, $: Access) =>
  db.deleteFrom("accountAccess").where("login", "=", $.login).where("accountId", "=", $.accountId),
);

/** Opens an account to one more login. */
export async function shareAccount(store: Place, login: string, accountId: number): Promise<void> {
  await store.database.run(insertAccess, { login, accountId, createdAt: store.clock.now() });
}

export async function unshareAccount(store: Place, login: string, accountId: number): Promise<boolean> {
  return (await store.database.count(deleteAccess, { login, accountId })) > 0;
}
