import { sql } from "kysely";
import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";

/** `scope`: an account's main address, or a domain as "@example.org". */
export type LegalHold = Row<"legalHold", "id" | "scope" | "reason" | "who" | "placedAt">;
export type RetentionRule = Row<
  "retentionRule",
  "id" | "scope" | "mailbox" | "destroyAfter" | "keepFor" | "who" | "createdAt"
>;

const holdColumns = ["id", "scope", "reason", "who", "placedAt"] as const;
const holds = read("holds.all", (db) => db.selectFrom("legalHold").select(holdColumns).orderBy("placedAt"));
const addHold = write("holds.add", (db, $: LegalHold) =>
  db.insertInto("legalHold").values({ id: $.id, scope: $.scope, reason: $.reason, who: $.who, placedAt: $.placedAt }),
);
const removeHold = write("holds.remove", (db, $: { id: string }) => db.deleteFrom("legalHold").where("id", "=", $.id));

const ruleColumns = ["id", "scope", "mailbox", "destroyAfter", "keepFor", "who", "createdAt"] as const;
const rules = read("retention.all", (db) => db.selectFrom("retentionRule").select(ruleColumns).orderBy("createdAt"));
const addRule = write("retention.add", (db, $: RetentionRule) =>
  db.insertInto("retentionRule").values({
    ...{ id: $.id, scope: $.scope, mailbox: $.mailbox, destroyAfter: $.destroyAfter },
    ...{ keepFor: $.keepFor, who: $.who, createdAt: $.createdAt },
  }),
);
const removeRule = write("retention.remove", (db, $: { id: string }) =>
  db.deleteFrom("retentionRule").where("id", "=", $.id),
);

/** What covers the account by now: asked under its lock, so that the last of several changes is right. */
const covering = read(
  "keeping.covering",
  (_, $: { address: string; domain: string }) => sql<{ isHeld: boolean; keepFor: number | null }>`
  SELECT EXISTS (SELECT FROM legal_hold h WHERE h.scope IN (${$.address}, ${$.domain})) AS "isHeld",
    (SELECT max(r.keep_for) FROM retention_rule r WHERE r.scope IN (${$.address}, ${$.domain})) AS "keepFor"`,
);
const note = write("keeping.note", (db, $: { accountId: number; isHeld: boolean; keepFor: number | null }) =>
  db.updateTable("account").set({ isHeld: $.isHeld, keepFor: $.keepFor }).where("userId", "=", $.accountId),
);
const held = read("keeping.isHeld", (db, $: { accountId: number }) =>
  db.selectFrom("account").select("isHeld").where("userId", "=", $.accountId),
);

/** What is destroyed by a removal counts as destroyed: mail that a rule keeps is there until its time is over. */
const kept = read(
  "keeping.isKept",
  (_, $: { accountId: number; now: Date }) => sql<{ isKept: boolean }>`
  SELECT a.is_held OR (a.keep_for IS NOT NULL AND (
      EXISTS (SELECT FROM email e WHERE e.user_id = ${$.accountId}
        AND e.received_at + a.keep_for * interval '24 hours' > ${$.now}::timestamptz)
      OR EXISTS (SELECT FROM deleted_email d WHERE d.user_id = ${$.accountId}
        AND d.received_at + a.keep_for * interval '24 hours' > ${$.now}::timestamptz))) AS "isKept"
  FROM account a WHERE a.user_id = ${$.accountId}`,
);

export const listHolds = (executor: Executor): Promise<LegalHold[]> => executor.run(holds);
export async function insertHold(executor: Executor, hold: LegalHold): Promise<void> {
  await executor.run(addHold, hold);
}
export async function deleteHold(executor: Executor, id: string): Promise<boolean> {
  return (await executor.count(removeHold, { id })) > 0;
}

export const listRules = (executor: Executor): Promise<RetentionRule[]> => executor.run(rules);
export async function insertRule(executor: Executor, rule: RetentionRule): Promise<void> {
  await executor.run(addRule, rule);
}
export async function deleteRule(executor: Executor, id: string): Promise<boolean> {
  return (await executor.count(removeRule, { id })) > 0;
}

/** Notes on the account's row what holds and rules say of it. `address`: its main one. */
export async function noteKeeping(tx: Tx, address: string): Promise<void> {
  const domain = address.slice(address.lastIndexOf("@"));
  const [found] = await tx.run(covering, { address, domain });
  tx.send(note, { accountId: tx.accountId, ...found! });
}

/** Whether a legal hold covers the account. */
/** Whether a hold, or a rule with mail that is not old enough, keeps the account from going for good. */
export async function isKept(executor: Executor, accountId: number, now: Date): Promise<boolean> {
  return (await executor.run(kept, { accountId, now }))[0]?.isKept ?? false;
}

export async function isHeld(executor: Executor, accountId: number): Promise<boolean> {
  return (await executor.run(held, { accountId }))[0]?.isHeld ?? false;
}
