import { sql } from "kysely";
import { read } from "../../src/store/core/declare.ts";

/** Statements that test the check of rows: some it must report, others it must accept. */
type Account = { accountId: number };

read(
  "planted.name",
  (_, $: Account) =>
    sql<{ id: number; threadid: number }>`SELECT id, thread_id AS "threadId" FROM email WHERE user_id = ${$.accountId}`,
);
read(
  "planted.type",
  (_, $: Account) =>
    sql<{ receivedAt: string }>`SELECT received_at AS "receivedAt" FROM email WHERE user_id = ${$.accountId}`,
);
read("planted.sum", (db, $: Account) =>
  db
    .selectFrom("blobRef")
    .select((eb) => eb.fn.sum<number>("size").as("octets"))
    .where("userId", "=", $.accountId),
);
read(
  "planted.null",
  (_, $: Account) =>
    sql<{ parentId: number }>`SELECT parent_id AS "parentId" FROM mailbox WHERE user_id = ${$.accountId}`,
);
read(
  "planted.neverNull",
  (_, $: Account) => sql<{ id: number | null }>`SELECT id FROM mailbox WHERE user_id = ${$.accountId}`,
);
read(
  "planted.optional",
  (_, $: Account) => sql<{ id?: number }>`SELECT id FROM mailbox WHERE user_id = ${$.accountId}`,
);
read(
  "planted.parameters",
  (_, $: { accountId: string; limit: number }) =>
    sql<{ id: number }>`SELECT id FROM mailbox WHERE user_id = ${$.accountId}`,
);
read(
  "planted.column",
  (_, $: Account) => sql<{ nowhere: number }>`SELECT nowhere FROM mailbox WHERE user_id = ${$.accountId}`,
);
read("planted.right", (db, $: Account) =>
  db
    .selectFrom("email as e")
    .leftJoin("message as m", (join) => join.onRef("m.no", "=", "e.no").on("m.userId", "=", $.accountId))
    .select(["e.id", "m.size", "e.sentAt", "e.keywords"])
    .where("e.userId", "=", $.accountId),
);
read(
  "planted.known",
  (_, $: Account) =>
    sql<{ role: string }>`SELECT role FROM mailbox WHERE user_id = ${$.accountId} AND role IS NOT NULL`,
);
