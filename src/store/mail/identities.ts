import type { EmailAddress } from "../../mime/headers.ts";
import { statement } from "../core/sql.ts";
import type { Reader, Tx } from "../core/store.ts";

/** An Identity of RFC 8621 §6. */
export interface IdentityRow {
  id: number;
  name: string;
  email: string;
  replyTo: EmailAddress[] | null;
  bcc: EmailAddress[] | null;
  textSignature: string;
  htmlSignature: string;
  mayDelete: boolean;
}

const select = statement<IdentityRow>(`
  SELECT id, name, email, reply_to AS "replyTo", bcc, text_signature AS "textSignature",
    html_signature AS "htmlSignature", may_delete AS "mayDelete"
  FROM identity WHERE user_id = $1 AND ($2::bigint[] IS NULL OR id = ANY($2::bigint[])) ORDER BY id LIMIT $3`);

const upsert = statement(`
  INSERT INTO identity (user_id, id, name, email, reply_to, bcc, text_signature, html_signature, may_delete)
  SELECT a.user_id, i.id, i.name, i.email, i.reply_to, i.bcc, i.text_signature, i.html_signature, i.may_delete
  FROM account a, unnest($2::bigint[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[], $7::text[], $8::text[],
    $9::boolean[]) AS i (id, name, email, reply_to, bcc, text_signature, html_signature, may_delete)
  WHERE a.user_id = $1
  ON CONFLICT (user_id, id) DO UPDATE SET name = excluded.name, reply_to = excluded.reply_to, bcc = excluded.bcc,
    text_signature = excluded.text_signature, html_signature = excluded.html_signature`);

const remove = statement("DELETE FROM identity WHERE user_id = $1 AND id = ANY($2::bigint[])");

const count = statement<{ count: number }>("SELECT count(*) AS count FROM identity WHERE user_id = $1");
export async function countIdentities(reader: Reader): Promise<number> {
  return (await reader.run(count, [reader.accountId]))[0]!.count;
}

/** Those of the ids that are there, or all for null. */
export function findIdentities(reader: Reader, ids: number[] | null, limit = 10_000): Promise<IdentityRow[]> {
  return reader.run(select, [reader.accountId, ids, limit]);
}

/** New ones, and new values for those that are there; an email never changes. */
export async function writeIdentities(tx: Tx, rows: IdentityRow[]): Promise<void> {
  await tx.run(upsert, [
    tx.accountId,
    rows.map((row) => row.id),
    rows.map((row) => row.name),
    rows.map((row) => row.email),
    rows.map((row) => row.replyTo && JSON.stringify(row.replyTo)),
    rows.map((row) => row.bcc && JSON.stringify(row.bcc)),
    rows.map((row) => row.textSignature),
    rows.map((row) => row.htmlSignature),
    rows.map((row) => row.mayDelete),
  ]);
}

export async function deleteIdentities(tx: Tx, ids: number[]): Promise<void> {
  await tx.run(remove, [tx.accountId, ids]);
}
