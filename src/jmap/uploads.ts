import { limitUploads, referenceBlobs } from "../store/blobs/blob-refs.ts";
import type { StoredBlob } from "../store/blobs/blobs.ts";
import { CommitError } from "../store/core/errors.ts";
import type { Store } from "../store/core/store.ts";
import { findQuota } from "../store/mail/quota.ts";
import { type Services, uploadLifeMs } from "./method.ts";

/** An account may hold the size of so many largest uploads in a day; beyond it, its oldest unused uploads are removed. */
const maxKeptUploads = 20;

/** Bytes uploaded since they were last summed up, by account: summing up at each upload would cost too much. */
const unchecked = new WeakMap<Store, Map<number, number>>();
const maxUnchecked = 10_000;

/** How many more bytes the account may keep. Uploads do not count against its quota; the records made of them do. */
export async function uploadRoom({ store }: Services, accountId: number): Promise<number> {
  const quota = await findQuota(store.database, accountId);
  return quota ? Math.max(0, quota.limit - quota.used) : Number.POSITIVE_INFINITY;
}

/**
 * RFC 8620 §6: lets the uploader read the blobs for a day, or until something takes them up. Returns the blobs kept: all
 * except those that the account has no room for.
 */
export async function keepUploads(
  services: Services,
  accountId: number,
  uploader: number,
  blobs: StoredBlob[],
): Promise<ReadonlySet<StoredBlob>> {
  if (blobs.length === 0) return new Set();
  const { store, clock, limits } = services;
  const expiresAt = new Date(clock.now().getTime() + uploadLifeMs);
  const bytes = blobs.reduce((sum, { size }) => sum + size, noted(store).get(accountId) ?? 0);
  const isMuch = bytes >= limits.maxSizeUpload;
  const keep = () =>
    store.write(accountId, { userId: uploader }, async (tx) => {
      const fitting = blobs.filter(({ size }) => size <= tx.room);
      await referenceBlobs(tx, fitting, { expiresAt, uploader });
      if (isMuch) await limitUploads(tx, maxKeptUploads * limits.maxSizeUpload);
      return fitting;
    });
  const kept = await keep().catch((error: unknown) => {
    // The outcome of the commit is unknown; keeping the blobs twice does no harm.
    if (error instanceof CommitError) return keep();
    throw error;
  });
  noted(store).set(accountId, isMuch ? 0 : bytes);
  return new Set(kept);
}

function noted(store: Store): Map<number, number> {
  const known = unchecked.get(store);
  if (known && known.size <= maxUnchecked) return known;
  const fresh = new Map<number, number>();
  unchecked.set(store, fresh);
  return fresh;
}
