import { sql } from "kysely";
import { type Row, read, write } from "../core/declare.ts";
import type { Reader, Tx } from "../core/store.ts";
import { holding } from "./holders.ts";
import type { StoredBlob } from "./objects/object-store.ts";

/**
 * The older day stays where a row is revived: its object is still there, since objects go after the rows that name them.
 * The expiry is that of the last upload, whatever else holds the blob: an upload stays usable until then.
 */
type References = { accountId: number; sha256s: Buffer[]; days: string[]; sizes: number[] };
const upsert = write(
  "blobs.reference",
  (_, $: References & { expiresAt: Date | null; uploaders: number[] | null }) => sql<never>`
  INSERT INTO blob_ref AS r (user_id, sha256, day, size, expires_at, released_at, uploaders)
  SELECT a.user_id, b.sha256, b.day, b.size, ${$.expiresAt}, NULL, ${$.uploaders}::bigint[]
  FROM account a, unnest(${$.sha256s}::bytea[], ${$.days}::date[], ${$.sizes}::bigint[]) AS b (sha256, day, size)
  WHERE a.user_id = ${$.accountId}
  ON CONFLICT (user_id, sha256) DO UPDATE SET
    expires_at = greatest(r.expires_at, excluded.expires_at), released_at = NULL,
    uploaders = CASE WHEN r.released_at IS NOT NULL THEN excluded.uploaders
      WHEN r.uploaders @> excluded.uploaders THEN r.uploaders ELSE r.uploaders || excluded.uploaders END`,
);

/** RFC 8620 §6.1: what nothing refers to is its uploaders' alone. The server itself reads all. */
const find = read("blobs.find", (db, $: { accountId: number; sha256s: Buffer[]; viewer: number | null }) =>
  db
    .selectFrom("blobRef as r")
    .select(["r.sha256", "r.day", "r.size"])
    .where("r.userId", "=", $.accountId)
    .where("r.sha256", "in", $.sha256s)
    .where("r.releasedAt", "is", null)
    .where((eb) =>
      eb.or([
        sql<boolean>`${$.viewer}::bigint IS NULL`,
        eb("r.uploaders", "is", null),
        sql<boolean>`${$.viewer} = ANY(r.uploaders)`,
        ...holding($.accountId, "r.sha256").map((rows) => eb.exists(rows)),
      ]),
    ),
);

const release = write("blobs.release", (db, $: { accountId: number; sha256s: Buffer[]; now: Date }) =>
  db
    .updateTable("blobRef as r")
    .set({ releasedAt: $.now, expiresAt: null })
    .where("r.userId", "=", $.accountId)
    .where("r.sha256", "in", $.sha256s)
    .where("r.releasedAt", "is", null)
    .where((eb) => eb.or([eb("r.expiresAt", "is", null), eb("r.expiresAt", "<=", $.now)]))
    .where((eb) => eb.and(holding($.accountId, "r.sha256").map((rows) => eb.not(eb.exists(rows))))),
);

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
  tx.send(upsert, {
    accountId: tx.accountId,
    sha256s: unique.map(({ sha256 }) => sha256),
    days: unique.map(({ day }) => day),
    sizes: unique.map(({ size }) => size),
    expiresAt: options.expiresAt ?? null,
    uploaders: options.uploader === undefined ? null : [options.uploader],
  });
}

/** Those uploads that together with newer ones go beyond the allowance. */
const excess = read(
  "blobs.excessUploads",
  (_, $: { accountId: number; most: number }) => sql<Row<"blobRef", "sha256">>`
  SELECT u.sha256 FROM (
    SELECT r.sha256, sum(r.size) OVER (ORDER BY r.expires_at DESC, r.sha256) AS total FROM blob_ref r
    WHERE r.user_id = ${$.accountId} AND r.expires_at IS NOT NULL AND r.released_at IS NULL) u
  WHERE u.total > ${$.most}::bigint`,
);
const expire = write("blobs.expire", (db, $: { accountId: number; sha256s: Buffer[]; now: Date }) =>
  db
    .updateTable("blobRef")
    .set({ expiresAt: $.now })
    .where("userId", "=", $.accountId)
    .where("sha256", "in", $.sha256s),
);

/** RFC 8620 §6: where uploads come to more than `most` bytes, the oldest go, unless something holds them. */
export async function limitUploads(tx: Tx, most: number): Promise<void> {
  const { accountId, now } = tx;
  const sha256s = (await tx.run(excess, { accountId, most })).map((row) => row.sha256);
  if (sha256s.length === 0) return;
  tx.send(expire, { accountId, sha256s, now });
  await releaseBlobs(tx, sha256s);
}

/** Undefined where the account holds no unreleased reference, or none that the reader's viewer may see. */
export async function findBlob(reader: Reader, sha256: Buffer): Promise<StoredBlob | undefined> {
  const [blob] = await findBlobs(reader, [sha256]);
  return blob;
}

/** Those of the hashes that may be read. */
export async function findBlobs(reader: Reader, sha256s: Buffer[]): Promise<StoredBlob[]> {
  if (sha256s.length === 0) return [];
  const viewer = reader.viewer === "server" ? null : reader.viewer.userId;
  return reader.run(find, { accountId: reader.accountId, sha256s, viewer });
}

/** To be called after the rows that held these hashes are gone: what nothing else in the account holds is let go. */
export async function releaseBlobs(tx: Tx, sha256s: Buffer[]): Promise<void> {
  if (sha256s.length > 0) tx.send(release, { accountId: tx.accountId, sha256s, now: tx.now });
}
