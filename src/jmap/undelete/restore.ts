import { decodeId, encodeId, idPrefix } from "../../base/ids.ts";
import { type Restored, restoreEmails } from "../../mail/undelete/restore.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import { capabilities } from "../capability-names.ts";
import { MethodError, overQuota, SetError } from "../errors.ts";
import { ownMethod } from "../method.ts";
import { id, list, object } from "../schema.ts";
import { mustBeOwner } from "./own.ts";

/**
 * Ours (docs/jmap.md): brings destroyed emails back, under new ids, in the mailboxes where they were. One that is back, or was
 * destroyed too long ago, is notFound.
 */
export const deletedEmailRestore = ownMethod({
  name: "DeletedEmail/restore",
  capability: capabilities.undelete,
  args: object({ accountId: id, ids: list(id) }),
  writes: true,
  async run({ accountId, ids }, call) {
    mustBeOwner(call);
    const { store, blobs, clock, keepDeletedForMs, limits } = call.services;
    if (ids.length > limits.maxObjectsInSet) throw new MethodError("requestTooLarge");
    const numbers = new Map([...new Set(ids)].map((text) => [text, decodeId(idPrefix.email, text)]));
    const restored = await restoreEmails(
      { store, blobs },
      {
        accountId: call.accountId,
        viewer: call.login,
        ids: [...numbers.values()].filter((number) => number !== undefined),
        since: new Date(clock.now().getTime() - keepDeletedForMs),
      },
    );
    const back = new Map<string, object>();
    const refused = new Map<string, object>();
    for (const [text, number] of numbers) {
      const outcome = number === undefined ? undefined : restored.get(number);
      if (typeof outcome === "object") back.set(text, toObject(outcome));
      else refused.set(text, errorOf(outcome).toJSON());
    }
    const orNull = (entries: Map<string, object>) => (entries.size > 0 ? Object.fromEntries(entries) : null);
    return { response: { accountId, restored: orNull(back), notRestored: orNull(refused) } };
  },
});

function toObject({ email, sha256, size }: Exclude<Restored, string>) {
  return {
    id: encodeId(idPrefix.email, email.id),
    blobId: encodeBlobId(sha256),
    threadId: encodeId(idPrefix.thread, email.threadId),
    size,
    mailboxIds: Object.fromEntries(email.mailboxIds.map((mailbox) => [encodeId(idPrefix.mailbox, mailbox), true])),
  };
}

function errorOf(outcome: Extract<Restored, string> | undefined): SetError {
  if (outcome === "overQuota") return overQuota();
  if (outcome === "bodyMissing") return new SetError("blobNotFound", "its body is lost");
  return new SetError("notFound");
}
