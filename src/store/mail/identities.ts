import { sql } from "kysely";
import { Kind } from "../core/change.ts";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists } from "../core/lists.ts";
import type { Reader, Tx } from "../core/store.ts";

const columns = ["id", "name", "email", "replyTo", "bcc", "textSignature", "htmlSignature", "mayDelete"] as const;
type Column = (typeof columns)[number];

/** An Identity of RFC 8621 §6. */
export type IdentityRow = Row<"identity", Column>;

const find = read("identities.find", (db, $: { accountId: number; ids: number[] | null; limit: number }) =>
  db
    .selectFrom("identity")
    .select(columns)
    .where("userId", "=", $.accountId)
    .where(sql<boolean>`(${$.ids}::bigint[] IS NULL OR id = ANY(${$.ids}))`)
    .orderBy("id")
    .limit($.limit),
);

const upsert = write("identities.write", (db, $: { accountId: number } & Lists<"identity", Column>) =>
  insertLists(db, "identity", columns, $).onConflict((conflict) =>
    conflict.columns(["userId", "id"]).doUpdateSet((eb) => ({
      name: eb.ref("excluded.name"),
      replyTo: eb.ref("excluded.replyTo"),
      bcc: eb.ref("excluded.bcc"),
      textSignature: eb.ref("excluded.textSignature"),
      htmlSignature: eb.ref("excluded.htmlSignature"),
    })),
  ),
);

const remove = write("identities.remove", (db, $: { accountId: number; ids: number[] }) =>
  db.deleteFrom("identity").where("userId", "=", $.accountId).where("id", "in", $.ids),
);

const count = read("identities.count", (db, $: { accountId: number }) =>
  db
    .selectFrom("identity")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("userId", "=", $.accountId),
);

export async function countIdentities(reader: Reader): Promise<number> {
  const [row] = await reader.run(count, { accountId: reader.accountId });
  return row!.count;
}

/** Those of the ids that are there, or all for null. */
export function findIdentities(reader: Reader, ids: number[] | null, limit = 10_000): Promise<IdentityRow[]> {
  return reader.run(find, { accountId: reader.accountId, ids, limit });
}

export function insertIdentities(tx: Tx, rows: IdentityRow[]): Promise<void> {
  return writeIdentities(tx, rows, Kind.created);
}

/** New values for those that are there; an email never changes. */
export function updateIdentities(tx: Tx, rows: IdentityRow[]): Promise<void> {
  return writeIdentities(tx, rows, Kind.properties);
}

async function writeIdentities(tx: Tx, rows: IdentityRow[], kind: number): Promise<void> {
  const written = rows.map((row) => ({
    ...row,
    replyTo: row.replyTo && JSON.stringify(row.replyTo),
    bcc: row.bcc && JSON.stringify(row.bcc),
  }));
  await tx.run(upsert, { accountId: tx.accountId, ...lists(written, columns) });
  for (const { id } of rows) tx.changed({ type: "Identity", id, kind });
}

export async function deleteIdentities(tx: Tx, ids: number[]): Promise<void> {
  await tx.run(remove, { accountId: tx.accountId, ids });
  for (const id of ids) tx.changed({ type: "Identity", id, kind: Kind.destroyed });
}
