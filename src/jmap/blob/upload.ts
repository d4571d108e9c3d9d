import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import { capabilities } from "../capability-names.ts";
import { invalidProperties, MethodError, overQuota, SetError } from "../errors.ts";
import { ownMethod } from "../method.ts";
import { id, map, object, openObject } from "../schema.ts";
import { orderByReferences } from "../standard/order.ts";
import type { JmapObject } from "../standard/type.ts";
import { keepUploads } from "../uploads.ts";
import { Assembler, checkUploadObject, creationIdsOf } from "./sources.ts";

/** The most pieces in all blobs of one call. */
const maxSources = 10_000;

/** RFC 9404 §4.1 */
export const blobUpload = ownMethod({
  name: "Blob/upload",
  capability: capabilities.blob,
  writes: true,
  args: object({ accountId: id, create: map(id, openObject({})) }),
  async run({ accountId, create }, call) {
    const { limits } = call.services;
    const uploads = Object.entries(create);
    const sources = uploads.reduce((sum, [, { data }]) => sum + (Array.isArray(data) ? data.length : 0), 0);
    if (uploads.length > limits.maxObjectsInSet || sources > maxSources) throw new MethodError("requestTooLarge");
    const references = new Map(uploads.map(([creationId, upload]) => [creationId, creationIdsOf(upload)]));
    const { ordered, cyclic } = orderByReferences(references);
    const assembler = new Assembler(call);
    // A map, since "__proto__" may be a creation id.
    const notCreated = new Map<string, object>();
    for (const creationId of [...ordered, ...cyclic]) {
      try {
        if (cyclic.has(creationId)) throw invalidProperties("refers to itself", "data");
        assembler.made.set(creationId, await assembler.assemble(checkUploadObject(create[creationId]!)));
      } catch (error) {
        if (!(error instanceof SetError)) throw error;
        notCreated.set(creationId, error.toJSON());
      }
    }
    const { made } = assembler;
    const kept = await keepUploads(call.services, call.accountId, call.login.userId, [...made.values()]);
    const created = [...made]
      .filter(([, blob]) => kept.has(blob))
      .map(([creationId, blob]) => [creationId, describe(blob, create[creationId]!)] as const);
    for (const [creationId, blob] of made) if (!kept.has(blob)) notCreated.set(creationId, overQuota().toJSON());
    return {
      response: {
        accountId,
        created: created.length > 0 ? Object.fromEntries(created) : null,
        notCreated: notCreated.size > 0 ? Object.fromEntries(notCreated) : null,
      },
      created: Object.fromEntries(created.map(([creationId, blob]) => [creationId, blob.id])),
    };
  },
});

function describe({ sha256, size }: StoredBlob, { type }: JmapObject) {
  return { id: encodeBlobId(sha256), type: (type ?? null) as string | null, size };
}
