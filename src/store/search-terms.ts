import type { StoredBlob } from "./objects/object-store.ts";
import { statement } from "./sql.ts";
import type { Reader, Tx } from "./store.ts";

/** The version of how the terms of a message are made. One that differs from what is stored: `posthorn reindex`. */
export const termsVersion = 1;

const insertRows = statement(`
  INSERT INTO search (user_id, no, received_at, terms, version)
  SELECT a.user_id, x.no, x.received_at, x.terms::tsvector, ${termsVersion}
  FROM account a, unnest($2::bigint[], $3::timestamptz[], $4::text[]) AS x (no, received_at, terms)
  WHERE a.user_id = $1`);
const insertParts = statement(`
  INSERT INTO search_part (user_id, no, part, terms)
  SELECT a.user_id, x.no, x.part, x.terms::tsvector
  FROM account a, unnest($2::bigint[], $3::int[], $4::text[]) AS x (no, part, terms)
  WHERE a.user_id = $1`);
const updateRows = statement<{ no: number }>(`
  UPDATE search s SET terms = x.terms::tsvector, version = ${termsVersion}
  FROM unnest($2::bigint[], $3::text[]) AS x (no, terms)
  WHERE s.user_id = $1 AND s.no = x.no AND s.version < ${termsVersion} RETURNING s.no`);
const deleteParts = statement("DELETE FROM search_part WHERE user_id = $1 AND no = ANY($2::bigint[])");
const deleteRows = statement(`
  WITH whole AS (DELETE FROM search WHERE user_id = $1 AND no = ANY($2::bigint[]))
  DELETE FROM search_part WHERE user_id = $1 AND no = ANY($2::bigint[])`);

const noteReindexed = statement("UPDATE account SET reindexed_modseq = $2 WHERE user_id = $1");
const countOld = statement<{ count: number }>(
  `SELECT count(*) AS count FROM search WHERE user_id = $1 AND version < ${termsVersion}`,
);
const selectOld = statement<StoredBlob & { no: number }>(`
  SELECT s.no, m.sha256, m.size, b.day FROM search s
  JOIN message m ON m.user_id = $1 AND m.no = s.no
  JOIN blob_ref b ON b.user_id = $1 AND b.sha256 = m.sha256
  WHERE s.user_id = $1 AND s.no < $2 AND s.version < ${termsVersion} ORDER BY s.no DESC LIMIT $3`);

/** Of one message: text forms of tsvectors, their terms prefixed for its account. */
export interface MessageTerms {
  no: number;
  terms: string[];
}

/** What stands in search itself: of a long message nothing, so that no row of it is taken for the whole. */
const ownRow = ({ terms }: MessageTerms): string => (terms.length === 1 ? terms[0]! : "");

export async function insertTerms(tx: Tx, messages: readonly (MessageTerms & { receivedAt: Date })[]): Promise<void> {
  await tx.run(insertRows, [
    tx.accountId,
    messages.map(({ no }) => no),
    messages.map(({ receivedAt }) => receivedAt),
    messages.map(ownRow),
  ]);
  await insertFurther(tx, messages);
}

/** One statement sends about so many characters of terms. */
const mostAtOnce = 4_000_000;

async function insertFurther(tx: Tx, messages: readonly MessageTerms[]): Promise<void> {
  const parts = messages
    .filter(({ terms }) => terms.length > 1)
    .flatMap(({ no, terms }) => terms.map((text, part) => ({ no, part, text })));
  for (let start = 0; start < parts.length; ) {
    let end = start;
    for (let size = 0; end < parts.length && size < mostAtOnce; end++) size += parts[end]!.text.length;
    const some = parts.slice(start, end);
    await tx.run(insertParts, [
      tx.accountId,
      some.map(({ no }) => no),
      some.map(({ part }) => part),
      some.map(({ text }) => text),
    ]);
    start = end;
  }
}

export async function deleteTerms(tx: Tx, nos: readonly number[]): Promise<void> {
  await tx.run(deleteRows, [tx.accountId, nos]);
}

/** How many messages have terms of an older version. */
export async function countOldTerms(reader: Reader): Promise<number> {
  const [row] = await reader.run(countOld, [reader.accountId]);
  return row!.count;
}

/** Some of them below that number, the newest first, and where their bodies are. */
export async function findOldTerms(
  reader: Reader,
  below: number,
  limit: number,
): Promise<(StoredBlob & { no: number })[]> {
  return reader.run(selectOld, [reader.accountId, below, limit]);
}

/**
 * Puts terms in the place of older ones; messages that are gone, or have them by now, are left alone. No email changes,
 * so all states stay but those of searches.
 */
export async function replaceTerms(tx: Tx, messages: readonly MessageTerms[]): Promise<void> {
  const nos = messages.map(({ no }) => no);
  const replaced = await tx.run(updateRows, [tx.accountId, nos, messages.map(ownRow)]);
  if (replaced.length === 0) return;
  const known = new Set(replaced.map(({ no }) => no));
  await tx.run(deleteParts, [tx.accountId, [...known]]);
  await insertFurther(
    tx,
    messages.filter(({ no }) => known.has(no)),
  );
  await tx.run(noteReindexed, [tx.accountId, tx.modseq]);
}
