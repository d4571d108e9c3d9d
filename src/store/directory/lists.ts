import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read, unnamed } from "../core/declare.ts";

const loginColumns = ["login", "userId", "createdAt"] as const;
const addressColumns = ["address", "userId", "maskedId", "isPaused", "forwards", "keepsCopy", "createdAt"] as const;
const domainColumns = ["name", "dkimSelector", "dkimKey", "createdAt"] as const;

export type ListedLogin = Row<"login", (typeof loginColumns)[number]>;
export type AddressRow = Row<"address", (typeof addressColumns)[number]>;
export type DomainRow = Row<"domain", (typeof domainColumns)[number]>;

/** A page of what lies on every node: after a key, of some domains or all, beginning with a text; in the order of octets. */
export interface Page {
  /** "" for the first page. */
  after: string;
  /** Null for all. */
  domains: readonly string[] | null;
  /** "" for any. */
  begins: string;
  limit: number;
}

type Wanted = Page & { end: string };
const forTheValues = unnamed("the best plan depends on which of its conditions are given");

/** Higher than any text that begins with it. */
const endOf = (begins: string) => `${begins}\u{10ffff}`;

const loginsPage = read(
  "lists.logins",
  (db, $: Wanted) =>
    db
      .selectFrom("login")
      .select(loginColumns)
      .where(sql<boolean>`login COLLATE "C" > ${$.after}`)
      .where(sql<boolean>`login COLLATE "C" >= ${$.begins} AND login COLLATE "C" < ${$.end}`)
      .where(sql<boolean>`(${$.domains}::text[] IS NULL OR regexp_replace(login, '^.*@', '') = ANY(${$.domains}))`)
      .orderBy(sql`login COLLATE "C"`)
      .limit($.limit),
  forTheValues,
);
const loginsOfAccounts = read("lists.loginsOf", (db, $: { ids: readonly number[] }) =>
  db.selectFrom("login").select(loginColumns).where("userId", "in", $.ids),
);
const addressesPage = read(
  "lists.addresses",
  (db, $: Wanted) =>
    db
      .selectFrom("address")
      .select(addressColumns)
      .where("maskedId", "is", null)
      .where(sql<boolean>`address COLLATE "C" > ${$.after}`)
      .where(sql<boolean>`address COLLATE "C" >= ${$.begins} AND address COLLATE "C" < ${$.end}`)
      .where(sql<boolean>`(${$.domains}::text[] IS NULL OR regexp_replace(address, '^.*@', '') = ANY(${$.domains}))`)
      .orderBy(sql`address COLLATE "C"`)
      .limit($.limit),
  forTheValues,
);
const addressesOf = read("lists.addressesOf", (db, $: { ids: readonly number[]; limit: number }) =>
  db
    .selectFrom("address")
    .select(addressColumns)
    .where("userId", "in", $.ids)
    .where("maskedId", "is", null)
    .orderBy("address")
    .limit($.limit),
);
const addressesNamed = read("lists.addressesNamed", (db, $: { addresses: readonly string[] }) =>
  db.selectFrom("address").select(addressColumns).where("address", "in", $.addresses),
);
const sharesOf = read("lists.sharesOf", (db, $: { ids: readonly number[]; limit: number }) =>
  db
    .selectFrom("accountAccess")
    .select(["login", "accountId"])
    .where("accountId", "in", $.ids)
    .orderBy("login")
    .limit($.limit),
);
const domainsPage = read(
  "lists.domains",
  (db, $: Wanted) =>
    db
      .selectFrom("domain")
      .select(domainColumns)
      .where(sql<boolean>`name COLLATE "C" > ${$.after}`)
      .where(sql<boolean>`name COLLATE "C" >= ${$.begins} AND name COLLATE "C" < ${$.end}`)
      .where(sql<boolean>`(${$.domains}::text[] IS NULL OR name = ANY(${$.domains}))`)
      .orderBy(sql`name COLLATE "C"`)
      .limit($.limit),
  forTheValues,
);
const domainsNamed = read("lists.domainsNamed", (db, $: { names: readonly string[] }) =>
  db.selectFrom("domain").select(domainColumns).where("name", "in", $.names),
);

export function pageOfLogins(database: Database, page: Page): Promise<ListedLogin[]> {
  return database.run(loginsPage, { ...page, end: endOf(page.begins) });
}

/** Without accounts that are gone. */
export async function loginsOf(database: Database, ids: readonly number[]): Promise<Map<number, ListedLogin>> {
  const rows = ids.length === 0 ? [] : await database.run(loginsOfAccounts, { ids: [...new Set(ids)] });
  return new Map(rows.map((row) => [row.userId, row]));
}

/** Without masked addresses. */
export function pageOfAddresses(database: Database, page: Page): Promise<AddressRow[]> {
  return database.run(addressesPage, { ...page, end: endOf(page.begins) });
}

export function addressesOfAccounts(database: Database, ids: readonly number[], limit: number): Promise<AddressRow[]> {
  return ids.length === 0 ? Promise.resolve([]) : database.run(addressesOf, { ids, limit });
}

export function addressesByName(database: Database, addresses: readonly string[]): Promise<AddressRow[]> {
  return addresses.length === 0 ? Promise.resolve([]) : database.run(addressesNamed, { addresses });
}

/** The logins that may open these accounts, beside their own. */
export function sharesOfAccounts(database: Database, ids: readonly number[], limit: number) {
  return ids.length === 0 ? Promise.resolve([]) : database.run(sharesOf, { ids, limit });
}

export function pageOfDomains(database: Database, page: Page): Promise<DomainRow[]> {
  return database.run(domainsPage, { ...page, end: endOf(page.begins) });
}

export function domainsByName(database: Database, names: readonly string[]): Promise<DomainRow[]> {
  return names.length === 0 ? Promise.resolve([]) : database.run(domainsNamed, { names });
}
