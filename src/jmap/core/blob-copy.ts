import { decodeBlobId, encodeBlobId } from "../../store/blobs/blob-id.ts";
import { findBlobs } from "../../store/blobs/blob-refs.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import { capabilities } from "../capability-names.ts";
import { MethodError, overQuota, SetError } from "../errors.ts";
import { type Call, ownMethod } from "../method.ts";
import { readBlob } from "../read-blob.ts";
import { id, list, object } from "../schema.ts";
import { keepUploads } from "../uploads.ts";

/** RFC 8620 §6.3 */
export const blobCopy = ownMethod({
  name: "Blob/copy",
  capability: capabilities.core,
  writes: true,
  args: object({ fromAccountId: id, accountId: id, blobIds: list(id) }),
  async run({ fromAccountId, accountId, blobIds }, call) {
    const { limits } = call.services;
    if (fromAccountId === accountId) {
      throw new MethodError("invalidArguments", "fromAccountId and accountId are the same");
    }
    const from = call.openAccount(fromAccountId, "read", "fromAccountNotFound");
    const wanted = [...new Set(blobIds)];
    if (wanted.length > limits.maxObjectsInSet) throw new MethodError("requestTooLarge");
    const { found, tooLarge } = await findCopies(wanted, from, call);
    const kept = await keepUploads(call.services, call.accountId, call.login.userId, [...found.values()]);
    const copied = [...found].flatMap(([blobId, blob]) =>
      kept.has(blob) ? [[blobId, encodeBlobId(blob.sha256)]] : [],
    );
    const refused = wanted.filter((blobId) => !kept.has(found.get(blobId)!));
    const why = (blobId: string) => {
      if (tooLarge.has(blobId)) return new SetError("tooLarge", "", { maxSize: limits.maxSizeUpload });
      return found.has(blobId) ? overQuota() : new SetError("notFound");
    };
    const notCopied = refused.map((blobId) => [blobId, why(blobId).toJSON()]);
    return {
      response: {
        fromAccountId,
        accountId,
        copied: copied.length > 0 ? Object.fromEntries(copied) : null,
        notCopied: notCopied.length > 0 ? Object.fromEntries(notCopied) : null,
      },
    };
  },
});

/** Copies a part of a message as a blob of its own, without the rest of the message. */
async function findCopies(
  blobIds: string[],
  from: number,
  call: Call,
): Promise<{ found: Map<string, StoredBlob>; tooLarge: Set<string> }> {
  const { store, blobs } = call.services;
  const reader = store.reader(from, call.login);
  const whole = blobIds.flatMap((blobId) => {
    const decoded = decodeBlobId(blobId);
    return decoded?.steps.length === 0 ? [decoded.sha256] : [];
  });
  const rows = await findBlobs(reader, whole);
  const byId = new Map(rows.map((blob) => [encodeBlobId(blob.sha256), blob]));
  const found = new Map<string, StoredBlob>();
  const tooLarge = new Set<string>();
  for (const blobId of blobIds) {
    const blob = byId.get(blobId);
    const isPart = !blob && decodeBlobId(blobId)?.steps.length;
    const bytes = isPart ? await readBlob(call.services, reader, blobId) : undefined;
    if (blob) found.set(blobId, blob);
    else if (bytes === "tooLarge") tooLarge.add(blobId);
    else if (bytes) found.set(blobId, await blobs.put(bytes));
  }
  return { found, tooLarge };
}
