import { type RawBuilder, sql } from "kysely";
import type { DB } from "../core/db.ts";

type HashColumn<Table> = { [C in keyof Table]: Table[C] extends Buffer ? C : never }[keyof Table];

/** A table whose rows hold blobs: such a blob is kept, and everyone with access to the account may read it. */
export type Holder = {
  [Table in keyof DB]: DB[Table] extends { userId: number }
    ? {
        /** The plural name of the rows. */
        readonly type: string;
        readonly table: Table;
        /** The column that identifies a row within the account. */
        readonly id: keyof DB[Table];
        /** The column with the blob's hash, empty for none yet; an index must begin with user_id and this column. */
        readonly hash: HashColumn<DB[Table]>;
      }
    : never;
}[keyof DB];

/** Every table that may hold a blob. Statements are built from this list when their modules load. */
export const holders: Holder[] = [
  { type: "messages", table: "message", id: "no", hash: "sha256" },
  { type: "submissions", table: "submission", id: "id", hash: "sha256" },
  { type: "exports", table: "dataExport", id: "id", hash: "sha256" },
];

/** Those that hold mail. */
export const mailHolders = holders.filter(({ table }) => table !== "dataExport");

/** One subquery per holder, which selects its rows that hold the hash in the given column. */
export function holding(accountId: number, hash: string, by: readonly Holder[] = holders): RawBuilder<unknown>[] {
  return by.map(
    (holder) =>
      sql`(SELECT FROM ${sql.table(holder.table)} h WHERE h.user_id = ${accountId} AND ${sql.ref(`h.${holder.hash}`)} = ${sql.ref(hash)})`,
  );
}
