import { hash } from "node:crypto";
import { retry } from "../../base/retry.ts";
import { type Row, read, write } from "../core/declare.ts";
import { databasePatience } from "../core/loss.ts";
import type { Executor } from "../core/sql.ts";
import type { Store, Tx } from "../core/store.ts";

const columns = ["userId", "seq", "at", "who", "what", "prev", "hash"] as const;

/** What an operator did. `userId` names the chain: an account's or the installation's. */
export type AuditRow = Row<"audit", (typeof columns)[number]>;
export type AuditEntry = Pick<AuditRow, "who" | "what">;

/** The chain for changes that belong to no account; accounts are numbered from 1. */
export const installation = 0;

/** `prev` of the first row of a chain. */
export const noHash = Buffer.alloc(32);

const newest = read("audit.newest", (db, $: { userId: number }) =>
  db.selectFrom("audit").select(["seq", "hash"]).where("userId", "=", $.userId).orderBy("seq", "desc").limit(1),
);
const before = read("audit.before", (db, $: { userId: number; before: number; limit: number }) =>
  db
    .selectFrom("audit")
    .select(columns)
    .where("userId", "=", $.userId)
    .where("seq", "<", $.before)
    .orderBy("seq", "desc")
    .limit($.limit),
);
const after = read("audit.after", (db, $: { userId: number; after: number; limit: number }) =>
  db
    .selectFrom("audit")
    .select(columns)
    .where("userId", "=", $.userId)
    .where("seq", ">", $.after)
    .orderBy("seq")
    .limit($.limit),
);
const insert = write("audit.insert", (db, $: Omit<AuditRow, "what"> & { what: string }) =>
  db
    .insertInto("audit")
    .values({ userId: $.userId, seq: $.seq, at: $.at, who: $.who, what: $.what, prev: $.prev, hash: $.hash }),
);
const takeInstallation = write("audit.takeInstallation", (db) =>
  db.selectFrom("setting").select("name").where("name", "=", "audit").forUpdate(),
);

/** Appends to the account's chain. The account's row is locked, so the chain cannot fork. */
export function appendAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  return append(tx, { ...entry, userId: tx.accountId, at: tx.now });
}

/** Appends to the installation's chain and locks it until the commit, so call it last in a transaction. */
export async function appendInstallationAudit(executor: Executor, entry: AuditEntry & { at: Date }): Promise<void> {
  await executor.run(takeInstallation);
  await append(executor, { ...entry, userId: installation });
}

/** Makes a change that belongs to no account, with its audit row. Runs again after a lost race, like `store.write`. */
export function writeInstallation<T>(
  store: Store,
  entry: AuditEntry,
  work: (executor: Executor) => Promise<T>,
): Promise<T> {
  const { database, clock } = store;
  const once = () =>
    database.transaction("BEGIN", async (executor) => {
      const result = await work(executor);
      await appendInstallationAudit(executor, { ...entry, at: clock.now() });
      return result;
    });
  return retry(once, { ...databasePatience, clock });
}

async function append(executor: Executor, entry: Pick<AuditRow, "userId" | "at" | "who" | "what">): Promise<void> {
  const [end] = await executor.run(newest, { userId: entry.userId });
  const row = { ...entry, seq: (end?.seq ?? 0) + 1, prev: end?.hash ?? noHash };
  await executor.run(insert, { ...row, what: JSON.stringify(row.what), hash: auditHash(row) });
}

/** SHA-256 over the previous hash and the row as JSON, with sorted keys and no spaces. */
export function auditHash({ userId, seq, at, who, what, prev }: Omit<AuditRow, "hash">): Buffer {
  const sorted = Object.fromEntries(Object.entries(what).sort(([one], [other]) => (one < other ? -1 : 1)));
  const text = JSON.stringify({ at: at.toISOString(), seq, user_id: userId, what: sorted, who });
  return hash("sha256", Buffer.concat([prev, Buffer.from(text)]), "buffer");
}

/** The rows before a row, newest first. */
export function auditBefore(executor: Executor, userId: number, page: { before: number; limit: number }) {
  return executor.run(before, { userId, ...page });
}

/** The rows after a row, oldest first. */
export function auditAfter(executor: Executor, userId: number, page: { after: number; limit: number }) {
  return executor.run(after, { userId, ...page });
}
