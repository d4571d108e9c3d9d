import { statement } from "../core/sql.ts";
import type { Reader, Tx } from "../core/store.ts";
import type { StoredBlob } from "./objects/object-store.ts";

/**
 * The older day stays where a row is revived: its object is still there, since objects go after the rows that name them.
 * The expiry is that of the last upload, whatever else holds the blob: an upload stays usable until then.
 */
const upsert = statement(`
  INSERT INTO blob_ref AS r (user_id, sha256, day, size, expires_at, released_at, uploaders)
  SELECT a.user_id, b.sha256, b.day, b.size, $5, NULL, $6::bigint[]
  FROM account a, unnest($2::bytea[], $3::date[], $4::bigint[]) AS b (sha256, day, size)
  WHERE a.user_id = $1
  ON CONFLICT (user_id, sha256) DO UPDATE SET
    expires_at = greatest(r.expires_at, excluded.expires_at), released_at = NULL,
    uploaders = CASE WHEN r.released_at IS NOT NULL THEN excluded.uploaders
      WHEN r.uploaders @> excluded.uploaders THEN r.uploaders ELSE r.uploaders || excluded.uploaders END`);

/** RFC 8620 §6.1: what nothing refers to is its uploaders' alone. The server itself reads all. */
const find = statement<{ sha256: Buffer; day: string; size: number }>(`
  SELECT r.sha256, r.day, r.size FROM blob_ref r
  WHERE r.user_id = $1 AND r.sha256 = ANY($2::bytea[]) AND r.released_at IS NULL
    AND ($3::bigint IS NULL OR r.uploaders IS NULL OR $3 = ANY(r.uploaders)
      OR EXISTS (SELECT FROM message m WHERE m.user_id = $1 AND m.sha256 = r.sha256)
      OR EXISTS (SELECT FROM submission s WHERE s.user_id = $1 AND s.sha256 = r.sha256))`);

const release = statement(`
  UPDATE blob_ref r SET released_at = $3, expires_at = NULL
  WHERE r.user_id = $1 AND r.sha256 = ANY($2::bytea[]) AND r.released_at IS NULL
    AND (r.expires_at IS NULL OR r.expires_at <= $3)
    AND NOT EXISTS (SELECT FROM message m WHERE m.user_id = $1 AND m.sha256 = r.sha256)
    AND NOT EXISTS (SELECT FROM submission s WHERE s.user_id = $1 AND s.sha256 = r.sha256)`);

export interface ReferenceOptions {
  expiresAt?: Date;
  /** The own account of the login whose upload it is. */
  uploader?: number;
}

/** Lets the account read the blob: until `expiresAt` (an upload), or for good. */
export async function referenceBlob(tx: Tx, blob: StoredBlob, options: ReferenceOptions = {}): Promise<void> {
  await referenceBlobs(tx, [blob], options);
}

export async function referenceBlobs(tx: Tx, blobs: StoredBlob[], options: ReferenceOptions = {}): Promise<void> {
  const unique = [...new Map(blobs.map((blob) => [blob.sha256.toString("hex"), blob])).values()];
  if (unique.length === 0) return;
  await tx.run(upsert, [
    tx.accountId,
    unique.map(({ sha256 }) => sha256),
    unique.map(({ day }) => day),
    unique.map(({ size }) => size),
    options.expiresAt ?? null,
    options.uploader === undefined ? null : [options.uploader],
  ]);
}

/** Those uploads that together with newer ones go beyond the allowance. */
const excessUploads = statement<{ sha256: Buffer }>(`
  SELECT u.sha256 FROM (
    SELECT r.sha256, sum(r.size) OVER (ORDER BY r.expires_at DESC, r.sha256) AS total FROM blob_ref r
    WHERE r.user_id = $1 AND r.expires_at IS NOT NULL AND r.released_at IS NULL) u
  WHERE u.total > $2`);
const expireUploads = statement("UPDATE blob_ref SET expires_at = $3 WHERE user_id = $1 AND sha256 = ANY($2::bytea[])");

/** RFC 8620 §6: where uploads come to more than `most` bytes, the oldest go, unless something holds them. */
export async function limitUploads(tx: Tx, most: number): Promise<void> {
  const excess = (await tx.run(excessUploads, [tx.accountId, most])).map((row) => row.sha256);
  if (excess.length === 0) return;
  await tx.run(expireUploads, [tx.accountId, excess, tx.now]);
  await releaseBlobs(tx, excess);
}

/** Undefined where the account holds no unreleased reference, or none that the reader's viewer may see. */
export async function findBlob(reader: Reader, sha256: Buffer): Promise<StoredBlob | undefined> {
  const [blob] = await findBlobs(reader, [sha256]);
  return blob;
}

/** Those of the hashes that may be read. */
export async function findBlobs(reader: Reader, sha256s: Buffer[]): Promise<StoredBlob[]> {
  if (sha256s.length === 0) return [];
  const login = reader.viewer === "server" ? null : reader.viewer.userId;
  return reader.run(find, [reader.accountId, sha256s, login]);
}

/** To be called after the rows that held these hashes are gone: what nothing else in the account holds is let go. */
export async function releaseBlobs(tx: Tx, sha256s: Buffer[]): Promise<void> {
  if (sha256s.length === 0) return;
  await tx.run(release, [tx.accountId, sha256s, tx.now]);
}
