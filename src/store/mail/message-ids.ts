import { sql } from "kysely";
import { read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";

/** Goes through thread_ref, since message ids alone have no index. */
const find = read("messageIds.find", (db, $: { accountId: number; idHash: number; messageId: string }) =>
  db
    .selectFrom("threadRef as t")
    .innerJoin("email as e", (join) => join.on("e.userId", "=", $.accountId).onRef("e.threadId", "=", "t.threadId"))
    .innerJoin("message as m", (join) => join.on("m.userId", "=", $.accountId).onRef("m.no", "=", "e.no"))
    .select("e.id")
    .distinct()
    .where("t.userId", "=", $.accountId)
    .where("t.idHash", "=", $.idHash)
    .where(sql<boolean>`m.message_id[1] = ${$.messageId}`)
    .limit(2),
);

/** The email with this Message-ID; undefined when there is none or more than one. */
export async function findEmailByMessageId(
  reader: Reader,
  { messageId, idHash }: { messageId: string; idHash: number },
): Promise<number | undefined> {
  const rows = await reader.run(find, { accountId: reader.accountId, idHash, messageId });
  return rows.length === 1 ? rows[0]!.id : undefined;
}
