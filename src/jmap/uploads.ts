import { limitUploads, referenceBlobs } from "../store/blob-refs.ts";
import type { StoredBlob } from "../store/blobs.ts";
import { findQuota } from "../store/quota.ts";
import { type Services, uploadLife } from "./method.ts";

/** Uploads that nothing took up may come to so many of the largest ones. */
const allowance = 20;

/** How many bytes more the account could keep. Uploads do not count, but what is made of them will. */
export async function uploadRoom({ store }: Services, accountId: number): Promise<number> {
  const quota = await findQuota(store.database, accountId);
  return quota ? Math.max(0, quota.limit - quota.used) : Number.POSITIVE_INFINITY;
}

/** RFC 8620 §6: the account may read the blobs until something takes them up, or for a day. */
export async function keepUploads(services: Services, accountId: number, blobs: StoredBlob[]): Promise<void> {
  if (blobs.length === 0) return;
  const expiresAt = new Date(services.clock.now().getTime() + uploadLife);
  await services.store.write(accountId, async (tx) => {
    await referenceBlobs(tx, blobs, { expiresAt });
    await limitUploads(tx, allowance * services.limits.maxSizeUpload);
  });
}
