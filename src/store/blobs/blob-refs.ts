import { sql } from "kysely";
import { type Row, read, write } from "../core/declare.ts";
import type { Reader, Tx } from "../core/store.ts";
import { holding } from "./holders.ts";
import type { StoredBlob } from "./objects/object-store.ts";

type References = {
  accountId: number;
  sha256s: Buffer[];
  days: string[];
  sizes: number[];
  packs: (Buffer | null)[];
};
/**
 * A revived row keeps its older day and its pack: that object still exists, since objects are removed after the rows that name them.
 * The latest expiry wins, whatever else holds the blob: an upload stays usable until then.
 */
const upsert = write(
  "blobs.reference",
  (_, $: References & { expiresAt: Date | null; uploaders: number[] | null }) => sql<never>`
  INSERT INTO blob_ref AS r (user_id, sha256, day, size, pack, expires_at, released_at, uploaders)
  SELECT a.user_id, b.sha256, b.day, b.size, b.pack, ${$.expiresAt}, NULL, ${$.uploaders}::bigint[]
  FROM account a, unnest(${$.sha256s}::bytea[], ${$.days}::date[], ${$.sizes}::bigint[], ${$.packs}::bytea[])
    AS b (sha256, day, size, pack)
  WHERE a.user_id = ${$.accountId}
  ON CONFLICT (user_id, sha256) DO UPDATE SET
    expires_at = greatest(r.expires_at, excluded.expires_at), released_at = NULL,
    uploaders = CASE WHEN r.released_at IS NOT NULL THEN excluded.uploaders
      WHEN r.uploaders @> excluded.uploaders THEN r.uploaders ELSE r.uploaders || excluded.uploaders END`,
);

/** RFC 8620 §6.1: only its uploaders may read a blob that nothing refers to. The server may read every blob. */
const find = read("blobs.find", (db, $: { accountId: number; sha256s: Buffer[]; viewer: number | null }) =>
  db
    .selectFrom("blobRef as r")
    .select(["r.sha256", "r.day", "r.size", "r.pack"])
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

const release = write("blobs.release", (db, $: { accountId: number; sha256s: Buffer[]; now: Date; at: Date }) =>
  db
    .updateTable("blobRef as r")
    .set({ releasedAt: $.at, expiresAt: null })
    .where("r.userId", "=", $.accountId)
    .where("r.sha256", "in", $.sha256s)
    .where("r.releasedAt", "is", null)
    .where((eb) => eb.or([eb("r.expiresAt", "is", null), eb("r.expiresAt", "<=", $.now)]))
    .where((eb) => eb.and(holding($.accountId, "r.sha256").map((rows) => eb.not(eb.exists(rows))))),
);

export interface ReferenceOptions {
  expiresAt?: Date;
  /** The account of the login that uploaded it. */
  uploader?: number;
}

/** Lets the account read the blob until `expiresAt` (an upload), or for good. */
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
    packs: unique.map(({ pack = null }) => pack),
    expiresAt: options.expiresAt ?? null,
    uploaders: options.uploader === undefined ? null : [options.uploader],
  });
}

/** The uploads that exceed the allowance when counted from the newest. */
const excess = read(
  "blobs.excessUploads",
  (_, $: { accountId: number; maxBytes: number }) => sql<Row<"blobRef", "sha256">>`
  SELECT u.sha256 FROM (
    SELECT r.sha256, sum(r.size) OVER (ORDER BY r.expires_at DESC, r.sha256) AS total FROM blob_ref r
    WHERE r.user_id = ${$.accountId} AND r.expires_at IS NOT NULL AND r.released_at IS NULL) u
  WHERE u.total > ${$.maxBytes}::bigint`,
);
const expire = write("blobs.expire", (db, $: { accountId: number; sha256s: Buffer[]; now: Date }) =>
  db
    .updateTable("blobRef")
    .set({ expiresAt: $.now })
    .where("userId", "=", $.accountId)
    .where("sha256", "in", $.sha256s),
);

/** RFC 8620 §6: once uploads exceed `maxBytes`, expires the oldest that nothing else holds. */
export async function limitUploads(tx: Tx, maxBytes: number): Promise<void> {
  const { accountId, now } = tx;
  const sha256s = (await tx.run(excess, { accountId, maxBytes })).map((row) => row.sha256);
  if (sha256s.length === 0) return;
  tx.send(expire, { accountId, sha256s, now });
  await releaseBlobs(tx, sha256s);
}

/** Undefined when the account holds no unreleased reference, or the reader's viewer may not read it. */
export async function findBlob(reader: Reader, sha256: Buffer): Promise<StoredBlob | undefined> {
  const [blob] = await findBlobs(reader, [sha256]);
  return blob;
}

/** The blobs of these hashes that the reader's viewer may read. */
export async function findBlobs(reader: Reader, sha256s: Buffer[]): Promise<StoredBlob[]> {
  if (sha256s.length === 0) return [];
  const viewer = reader.viewer === "server" ? null : reader.viewer.userId;
  return reader.run(find, { accountId: reader.accountId, sha256s, viewer });
}

/**
 * Releases the references that nothing in the account holds any more: nobody reads them from now on. Call it after the
 * holding rows are deleted. Their objects stay for `keepForMs`, and a day more.
 */
export async function releaseBlobs(tx: Tx, sha256s: Buffer[], keepForMs = 0): Promise<void> {
  if (sha256s.length === 0) return;
  const at = new Date(tx.now.getTime() + keepForMs);
  tx.send(release, { accountId: tx.accountId, sha256s, now: tx.now, at });
}
