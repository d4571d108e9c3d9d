import { read } from "../core/declare.ts";
import type { Reader } from "../core/store.ts";

const users = read("blobs.users", (db, $: { accountId: number; sha256s: Buffer[] }) =>
  db
    .selectFrom("message as m")
    .innerJoin("email as e", (join) => join.on("e.userId", "=", $.accountId).onRef("e.no", "=", "m.no"))
    .select(["m.sha256", "e.id as emailId", "e.threadId", "e.mailboxIds"])
    .where("m.userId", "=", $.accountId)
    .where("m.sha256", "in", $.sha256s)
    .orderBy("e.id"),
);

/** An email whose message is stored under one of the hashes. */
export type BlobUser = NonNullable<(typeof users)["row"]>;

export async function findBlobUsers(reader: Reader, sha256s: Buffer[]): Promise<BlobUser[]> {
  return sha256s.length === 0 ? [] : reader.run(users, { accountId: reader.accountId, sha256s });
}
