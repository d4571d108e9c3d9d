import { encodeId, idPrefix } from "../../base/ids.ts";
import { decodeBlobId } from "../../store/blobs/blob-id.ts";
import { type BlobUser, findBlobUsers } from "../../store/blobs/blob-users.ts";
import { capabilities } from "../capability-names.ts";
import { MethodError } from "../errors.ts";
import { readMethod } from "../method.ts";
import { id, idOrReference, list, object, text } from "../schema.ts";
import { dereference } from "../standard/ids.ts";

const idsOf: Record<string, (user: BlobUser) => string[]> = {
  Mailbox: ({ mailboxIds }) => mailboxIds.map((mailboxId) => encodeId(idPrefix.mailbox, mailboxId)),
  Thread: ({ threadId }) => [encodeId(idPrefix.thread, threadId)],
  Email: ({ emailId }) => [encodeId(idPrefix.email, emailId)],
};

/** The types whose objects may hold a blob, as the capability lists them. */
export const lookupTypes = Object.keys(idsOf);

/** RFC 9404 §4.3: an unknown blob is listed without holders. */
export const blobLookup = readMethod({
  name: "Blob/lookup",
  capability: capabilities.blob,
  args: object({ accountId: id, typeNames: list(text), ids: list(idOrReference) }),
  async run({ accountId, typeNames, ids }, call) {
    const unknown = typeNames.find((name) => !lookupTypes.includes(name) || !call.using.has(capabilities.mail));
    if (unknown !== undefined) throw new MethodError("unknownDataType", unknown);
    const { maxObjectsInGet } = call.services.limits;
    if (ids.length > maxObjectsInGet) throw new MethodError("requestTooLarge", `at most ${maxObjectsInGet} ids`);
    const hashes = new Map<string, Buffer>();
    for (const text of ids) {
      const blobId = decodeBlobId(dereference(text, call.createdId) ?? "");
      if (blobId) hashes.set(text, blobId.sha256);
    }
    const users = Map.groupBy(await findBlobUsers(call.reader, [...hashes.values()]), ({ sha256 }) =>
      sha256.toString("hex"),
    );
    const found = (text: string) => users.get(hashes.get(text)?.toString("hex") ?? "") ?? [];
    const matched = (text: string) =>
      typeNames.map((name) => [name, [...new Set(found(text).flatMap((user) => idsOf[name]!(user)))]]);
    const infos = [...new Set(ids)].map((text) => ({ id: text, matchedIds: Object.fromEntries(matched(text)) }));
    return { response: { accountId, list: infos } };
  },
});
