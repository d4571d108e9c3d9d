import { normalizeDomain } from "../../base/address.ts";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";

const columns = ["domain", "selector", "privateKey", "state", "createdAt", "since"] as const;

/** new: published, not used yet. active: signs beside the domain's RSA key. retired: signs no more. */
export type DkimKeyState = "new" | "active" | "retired";

/** A key of a domain beside the RSA key that signs. */
export type DkimKeyRow = Row<"dkimKey", (typeof columns)[number]>;

const signing = read("dkimKeys.signing", (db, $: { domain: string }) =>
  db
    .selectFrom("domain")
    .select(["name as domain", "dkimSelector as selector", "dkimKey as privateKey"])
    .where("name", "=", $.domain)
    .where("dkimKey", "!=", "")
    .unionAll(
      db
        .selectFrom("dkimKey")
        .select(["domain", "selector", "privateKey"])
        .where("domain", "=", $.domain)
        .where("state", "=", "active"),
    ),
);
const ofDomain = read("dkimKeys.ofDomain", (db, $: { domain: string }) =>
  db.selectFrom("dkimKey").select(columns).where("domain", "=", $.domain).orderBy("createdAt").orderBy("selector"),
);
const all = read("dkimKeys.all", (db) =>
  db.selectFrom("dkimKey").select(columns).orderBy("domain").orderBy("createdAt").orderBy("selector"),
);
const lockDomain = write("dkimKeys.lockDomain", (db, $: { domain: string }) =>
  db.selectFrom("domain").select(["name", "dkimSelector", "dkimKey"]).where("name", "=", $.domain).forNoKeyUpdate(),
);
const insert = write("dkimKeys.add", (db, $: DkimKeyRow) =>
  db.insertInto("dkimKey").values({
    ...{ domain: $.domain, selector: $.selector, privateKey: $.privateKey },
    ...{ state: $.state, createdAt: $.createdAt, since: $.since },
  }),
);
const changeState = write(
  "dkimKeys.changeState",
  (db, $: Pick<DkimKeyRow, "domain" | "selector" | "state" | "since">) =>
    db
      .updateTable("dkimKey")
      .set({ state: $.state, since: $.since })
      .where("domain", "=", $.domain)
      .where("selector", "=", $.selector),
);
const remove = write("dkimKeys.remove", (db, $: { domain: string; selector: string }) =>
  db.deleteFrom("dkimKey").where("domain", "=", $.domain).where("selector", "=", $.selector),
);
const setMain = write("dkimKeys.setMain", (db, $: { domain: string; selector: string; privateKey: string }) =>
  db.updateTable("domain").set({ dkimSelector: $.selector, dkimKey: $.privateKey }).where("name", "=", $.domain),
);

/** The keys that sign mail of the domain; none for a domain that is not local. */
export function findSigningKeys(
  database: Database,
  domain: string,
): Promise<Row<"dkimKey", "domain" | "selector" | "privateKey">[]> {
  const name = normalizeDomain(domain);
  return name === undefined ? Promise.resolve([]) : database.run(signing, { domain: name });
}

/** The keys of a domain beside the RSA key that signs, oldest first. */
export function listDkimKeys(executor: Executor, domain: string): Promise<DkimKeyRow[]> {
  return executor.run(ofDomain, { domain });
}

/** Those of all domains. */
export function listAllDkimKeys(executor: Executor): Promise<DkimKeyRow[]> {
  return executor.run(all);
}

/** Keeps others from changing the domain's keys until the transaction ends; its RSA key that signs. Undefined if there is no such domain. */
export async function lockDomainKeys(
  executor: Executor,
  domain: string,
): Promise<Row<"domain", "name" | "dkimSelector" | "dkimKey"> | undefined> {
  const [row] = await executor.run(lockDomain, { domain });
  return row;
}

export async function addDkimKey(executor: Executor, key: DkimKeyRow): Promise<void> {
  await executor.run(insert, key);
}

export async function setDkimKeyState(
  executor: Executor,
  key: Pick<DkimKeyRow, "domain" | "selector"> & { state: DkimKeyState; since: Date },
): Promise<void> {
  await executor.run(changeState, key);
}

export async function removeDkimKey(executor: Executor, key: Pick<DkimKeyRow, "domain" | "selector">): Promise<void> {
  await executor.run(remove, { domain: key.domain, selector: key.selector });
}

/** Makes this the RSA key that signs. */
export async function setSigningKey(
  executor: Executor,
  { domain, selector, privateKey }: Pick<DkimKeyRow, "domain" | "selector" | "privateKey">,
): Promise<void> {
  await executor.run(setMain, { domain, selector, privateKey });
}
