import { type RawBuilder, sql } from "kysely";
import type { DB } from "../core/db.ts";

type HashColumn<Table> = { [C in keyof Table]: Table[C] extends Buffer ? C : never }[keyof Table];

/** Rows of an account that hold blobs: what one of them names by its hash is kept, and read by all who see the account. */
export type Holder = {
  [Table in keyof DB]: DB[Table] extends { userId: number }
    ? {
        /** What such rows are called. */
        readonly type: string;
        readonly table: Table;
        /** Tells one of the account's rows from the others. */
        readonly id: keyof DB[Table];
        /** The blob's hash; an index begins with user_id and it. */
        readonly hash: HashColumn<DB[Table]>;
      }
    : never;
}[keyof DB];

/** All that may hold a blob. Statements are made of them when their modules load. */
export const holders: Holder[] = [
  { type: "messages", table: "message", id: "no", hash: "sha256" },
  { type: "submissions", table: "submission", id: "id", hash: "sha256" },
];

/** For each holder a query of its rows that hold the blob of a hash, given as a column. */
export function holding(accountId: number, hash: string): RawBuilder<unknown>[] {
  return holders.map(
    (holder) =>
      sql`(SELECT FROM ${sql.table(holder.table)} h WHERE h.user_id = ${accountId} AND ${sql.ref(`h.${holder.hash}`)} = ${sql.ref(hash)})`,
  );
}
