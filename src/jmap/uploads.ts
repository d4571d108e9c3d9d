import { limitUploads, referenceBlobs } from "../store/blobs/blob-refs.ts";
import type { StoredBlob } from "../store/blobs/blobs.ts";
import { CommitError } from "../store/core/errors.ts";
import type { Store } from "../store/core/store.ts";
import { findQuota } from "../store/mail/quota.ts";
import { type Services, uploadLife } from "./method.ts";

/** The uploads of a day may come to so many of the largest ones; then the oldest go that nothing took up. */
const allowance = 20;

/** Bytes uploaded since they were last added up, by account: to add them up at each upload would cost too much. */
const unchecked = new WeakMap<Store, Map<number, number>>();
const mostUnchecked = 10_000;

/** How many bytes more the account could keep. Uploads do not count, but what is made of them will. */
export async function uploadRoom({ store }: Services, accountId: number): Promise<number> {
  const quota = await findQuota(store.database, accountId);
  return quota ? Math.max(0, quota.limit - quota.used) : Number.POSITIVE_INFINITY;
}

/**
 * RFC 8620 §6: the uploader may read the blobs until something takes them up, or for a day. Returns those kept: all but
 * the ones for which the account has no room.
 */
export async function keepUploads(
  services: Services,
  accountId: number,
  uploader: number,
  blobs: StoredBlob[],
): Promise<ReadonlySet<StoredBlob>> {
  if (blobs.length === 0) return new Set();
  const { store, clock, limits } = services;
  const expiresAt = new Date(clock.now().getTime() + uploadLife);
  const bytes = blobs.reduce((sum, { size }) => sum + size, noted(store).get(accountId) ?? 0);
  const isMuch = bytes >= limits.maxSizeUpload;
  const keep = () =>
    store.write(accountId, { userId: uploader }, async (tx) => {
      const fitting = blobs.filter(({ size }) => size <= tx.room);
      await referenceBlobs(tx, fitting, { expiresAt, uploader });
      if (isMuch) await limitUploads(tx, allowance * limits.maxSizeUpload);
      return fitting;
    });
  const kept = await keep().catch((error: unknown) => {
    // To keep them twice is to keep them.
    if (error instanceof CommitError) return keep();
    throw error;
  });
  noted(store).set(accountId, isMuch ? 0 : bytes);
  return new Set(kept);
}

function noted(store: Store): Map<number, number> {
  const known = unchecked.get(store);
  if (known && known.size <= mostUnchecked) return known;
  const fresh = new Map<number, number>();
  unchecked.set(store, fresh);
  return fresh;
}
