import { sql } from "kysely";
import { normalizeAddress, normalizeDomain } from "../../base/address.ts";
import type { Database } from "../core/database.ts";
import { across, type Row, read, write } from "../core/declare.ts";
import { Conflict } from "../core/errors.ts";
import type { Executor } from "../core/sql.ts";
import type { Store, Tx } from "../core/store.ts";
import { insertIdentities } from "../mail/identities.ts";
import { createDefaultMailboxes } from "../mail/mailboxes.ts";
import { setQuota } from "../mail/quota.ts";
import { noteKeeping } from "./keeping.ts";
import type { Place } from "./place.ts";

const addressOwner = read("addresses.owner", (db, $: { address: string }) =>
  db.selectFrom("address").select("userId").where("address", "=", $.address),
);

/** Whether this exact address exists, regardless of tags and catch-alls. */
export async function isAddressTaken(database: Database, address: string): Promise<boolean> {
  const name = normalizeAddress(address);
  return name !== undefined && (await database.run(addressOwner, { address: name })).length > 0;
}

/** The account that owns this exact address. */
export async function findAddressOwner(database: Database, address: string): Promise<number | undefined> {
  return (await database.run(addressOwner, { address }))[0]?.userId;
}

const nextNumber = write(
  "accounts.nextNumber",
  () => sql<{ number: number }>`SELECT nextval('account_number') AS number`,
);
const insertAccount = write("accounts.add", (db, $: Row<"account", "userId" | "name" | "createdAt">) =>
  db.insertInto("account").values({ userId: $.userId, name: $.name, createdAt: $.createdAt }),
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
 * Creates an account with its mailboxes, identity and login, and its address last, with the login, so that mail
 * never reaches an incomplete account. `name` is for the account (default: the address) and its identity (default: none), `fill` creates
 * the mailboxes (default: the usual ones), `quota` limits the bytes of mail (default: no limit). `hold` runs in the
 * transaction that adds the address, before it (default: nothing). Throws Conflict if the address is taken.
 */
export async function createAccount(
  store: Store,
  options: {
    address: string;
    passwordHash: string;
    name?: string;
    fill?: (tx: Tx) => Promise<void>;
    quota?: number | null;
    hold?: (executor: Executor) => Promise<void>;
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
  const login = { login: address, userId, passwordHash: options.passwordHash };
  // Together: of several at once, one gets both, and nobody signs in to an account without an address.
  await database.transaction("BEGIN", async (executor) => {
    await options.hold?.(executor);
    // A creation that was interrupted before 0.3 left a login without an address; take it over.
    if ((await executor.count(insertLogin, { ...login, createdAt })) === 0) await executor.run(adoptLogin, login);
    if ((await executor.count(insertAddress, { address, userId, createdAt })) === 0) throw new Conflict("address");
  });
  return userId;
}

async function fillAccount(
  tx: Tx,
  { address, name = "", fill = createDefaultMailboxes, quota = null }: Parameters<typeof createAccount>[1],
): Promise<void> {
  await fill(tx);
  if (quota !== null) await setQuota(tx, quota);
  const [id] = await tx.newIds(1);
  const plain = { replyTo: null, bcc: null, textSignature: "", htmlSignature: "" };
  await noteKeeping(tx, address);
  await insertIdentities(tx, [{ id: id!, name, email: address, ...plain, mayDelete: false }]);
}

function mustBeAddress(text: string): string {
  const address = normalizeAddress(text);
  if (address === undefined || address.startsWith("@")) throw new RangeError(`not an address: ${text}`);
  return address;
}

/** Adds an alias, or with "@example.org" a catch-all. Throws Conflict if it is taken. */
export async function addAlias(store: Place, alias: string, userId: number): Promise<void> {
  const address = normalizeAddress(alias);
  if (address === undefined) throw new RangeError(`not an address: ${alias}`);
  const inserted = await store.database.count(insertAddress, { address, userId, createdAt: store.clock.now() });
  if (inserted === 0) throw new Conflict("address");
}

const deleteAddress = write("addresses.remove", (db, $: Row<"address", "address" | "userId">) =>
  db.deleteFrom("address").where("address", "=", $.address).where("userId", "=", $.userId),
);
/** False when the account has no such address. */
export async function removeAlias(database: Executor, alias: string, userId: number): Promise<boolean> {
  const address = normalizeAddress(alias);
  return address !== undefined && (await database.count(deleteAddress, { address, userId })) > 0;
}

const listed = ["address", "userId", "maskedId", "isPaused", "forwards", "keepsCopy"] as const;
const allAddresses = read(
  "addresses.all",
  (db) => db.selectFrom("address").select(listed).orderBy("address"),
  across("the operator lists them"),
);
export function listAddresses(database: Executor): Promise<Row<"address", (typeof listed)[number]>[]> {
  return database.run(allAddresses);
}

const setForwarding = write(
  "addresses.setForwards",
  (db, $: Row<"address", "address" | "userId" | "forwards" | "keepsCopy">) =>
    db
      .updateTable("address")
      .set({ forwards: $.forwards, keepsCopy: $.keepsCopy })
      .where("address", "=", $.address)
      .where("userId", "=", $.userId),
);
/** Where else the mail of an address goes, and whether its account gets it too. False when the account has no such address. */
export async function setForwards(
  database: Executor,
  row: Row<"address", "address" | "userId" | "forwards" | "keepsCopy">,
): Promise<boolean> {
  return (await database.count(setForwarding, row)) > 0;
}

const addressesEnding = read(
  "addresses.ending",
  (db, $: { end: string; limit: number }) =>
    db
      .selectFrom("address")
      .select("address")
      .where(sql<boolean>`right(address, length(${$.end}::text)) = ${$.end}`)
      .orderBy("address")
      .limit($.limit),
  across("a domain's addresses may belong to any account"),
);
/** The first addresses of a domain. */
export async function addressesOf(executor: Executor, domain: string, limit: number): Promise<string[]> {
  return (await executor.run(addressesEnding, { end: `@${domain}`, limit })).map(({ address }) => address);
}

const allLogins = read(
  "logins.all",
  (db) => db.selectFrom("login").select(["login", "userId", "createdAt"]).orderBy("login"),
  across("the operator lists them"),
);
export function listAccounts(database: Database): Promise<Row<"login", "login" | "userId" | "createdAt">[]> {
  return database.run(allLogins);
}

/** A local domain. Its DKIM key is PKCS #8 in PEM. */
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

/** False when the domain exists already; it keeps its key. */
export async function addDomain(store: Place, domain: Domain): Promise<boolean> {
  return (await store.database.count(insertDomain, { ...domain, createdAt: store.clock.now() })) > 0;
}

/** Undefined for domains that are not local. */
export async function findDomain(database: Database, name: string): Promise<Domain | undefined> {
  const normal = normalizeDomain(name);
  const [row] = normal === undefined ? [] : await database.run(domainByName, { name: normal });
  return row;
}

/** Whether one of the domains is local. */
export async function servesAny(database: Database, names: string[]): Promise<boolean> {
  return names.length > 0 && (await database.run(anyDomain, { names })).length > 0;
}

export function listDomains(database: Database): Promise<Domain[]> {
  return database.run(allDomains);
}

const holdDomain = write("domains.hold", (db, $: { name: string }) =>
  db.selectFrom("domain").select("name").where("name", "=", $.name).forKeyShare(),
);
/** Keeps the domain from being removed before the transaction ends. False when there is no such domain. */
export async function holdsDomain(executor: Executor, name: string): Promise<boolean> {
  return (await executor.run(holdDomain, { name })).length > 0;
}

const deleteDomain = write("domains.remove", (db, $: { name: string }) =>
  db.deleteFrom("domain").where("name", "=", $.name),
);
/** False when there is no such domain. */
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

/** Gives another login access to an account. */
export async function shareAccount(store: Place, login: string, accountId: number): Promise<void> {
  await store.database.run(insertAccess, { login, accountId, createdAt: store.clock.now() });
}

export async function unshareAccount(store: Place, login: string, accountId: number): Promise<boolean> {
  return (await store.database.count(deleteAccess, { login, accountId })) > 0;
}
