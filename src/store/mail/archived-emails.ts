import { holding, mailHolders } from "../blobs/holders.ts";
import type { StoredBlob } from "../blobs/objects/object-store.ts";
import { type Row, read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";

type Account = { accountId: number };

const idsAfter = read("emails.idsAfter", (db, $: Account & { after: number; limit: number }) =>
  db
    .selectFrom("email")
    .select("id")
    .where("userId", "=", $.accountId)
    .where("id", ">", $.after)
    .orderBy("id")
    .limit($.limit),
);
const bodiesAfter = read("blobs.heldAfter", (db, $: Account & { after: Buffer; limit: number }) =>
  db
    .selectFrom("blobRef as r")
    .select(["r.sha256", "r.day", "r.size", "r.pack"])
    .where("r.userId", "=", $.accountId)
    .where("r.sha256", ">", $.after)
    .where((eb) => eb.or(holding($.accountId, "r.sha256", mailHolders).map((rows) => eb.exists(rows))))
    .orderBy("r.sha256")
    .limit($.limit),
);
const withBodies = read("emails.withBodies", (db, $: Account & { sha256s: readonly Buffer[]; before: number }) =>
  db
    .selectFrom("message as m")
    .innerJoin("email as e", (join) => join.on("e.userId", "=", $.accountId).onRef("e.no", "=", "m.no"))
    .select(["e.id", "e.threadId", "e.receivedAt", "m.sha256"])
    .where("m.userId", "=", $.accountId)
    .where("m.sha256", "in", $.sha256s)
    .where("e.id", "<", $.before)
    .orderBy("e.id"),
);

/** The ids of emails in the order in which they came into the account. */
export async function emailIdsAfter(reader: Reader, after: number, limit: number): Promise<number[]> {
  return (await reader.run(idsAfter, { accountId: reader.accountId, after, limit })).map(({ id }) => id);
}

/** The bodies that messages and submissions of the account hold, each once, in the order of their hashes. */
export function heldBodiesAfter(reader: Reader, after: Buffer, limit: number): Promise<StoredBlob[]> {
  return reader.run(bodiesAfter, { accountId: reader.accountId, after, limit });
}

export type StoredCopy = Row<"email", "id" | "threadId" | "receivedAt"> & Row<"message", "sha256">;

/** The emails with these bodies whose ids are below `before`, by id. */
export async function emailsWithBodies(reader: Reader, sha256s: Buffer[], before: number): Promise<StoredCopy[]> {
  if (sha256s.length === 0) return [];
  return reader.run(withBodies, { accountId: reader.accountId, sha256s, before });
}
