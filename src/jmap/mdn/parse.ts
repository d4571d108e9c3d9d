import { encodeId, idPrefix } from "../../base/ids.ts";
import { messageIdHash } from "../../mail/deliver/thread.ts";
import { asMessageIds } from "../../mime/headers.ts";
import { parseMdn } from "../../mime/mdn.ts";
import { findEmailByMessageId } from "../../store/mail/message-ids.ts";
import { capabilities } from "../capability-names.ts";
import { MethodError } from "../errors.ts";
import { type Call, ownMethod } from "../method.ts";
import { readBlob } from "../read-blob.ts";
import { id, idOrReference, list, object } from "../schema.ts";
import { dereference } from "../standard/ids.ts";

/** RFC 9007 §2.2 */
export const mdnParse = ownMethod({
  name: "MDN/parse",
  capability: capabilities.mdn,
  writes: false,
  args: object({ accountId: id, blobIds: list(idOrReference) }),
  async run({ accountId, blobIds }, call) {
    const { maxObjectsInGet } = call.services.limits;
    const wanted = [...new Set(blobIds)];
    if (wanted.length > maxObjectsInGet) throw new MethodError("requestTooLarge", `at most ${maxObjectsInGet} blobs`);
    const reader = call.services.store.reader(call.accountId, call.login);
    const parsed: Record<string, object> = {};
    const notParsable: string[] = [];
    const notFound: string[] = [];
    for (const text of wanted) {
      const blobId = dereference(text, call.createdId);
      const bytes = blobId === undefined ? undefined : await readBlob(call.services, reader, blobId);
      const mdn = bytes && bytes !== "tooLarge" && parseMdn(bytes);
      if (mdn) parsed[text] = { forEmailId: await emailOf(mdn.originalMessageId, call), ...mdn };
      else (bytes ? notParsable : notFound).push(text);
    }
    const orNull = (texts: string[]) => (texts.length > 0 ? texts : null);
    return {
      response: {
        accountId,
        parsed: Object.keys(parsed).length > 0 ? parsed : null,
        notParsable: orNull(notParsable),
        notFound: orNull(notFound),
      },
    };
  },
});

/** The account's one email that the notification is about. */
async function emailOf(originalMessageId: string | null, { services, accountId, login }: Call): Promise<string | null> {
  const messageId = asMessageIds(originalMessageId ?? "")?.[0];
  if (messageId === undefined) return null;
  const reader = services.store.reader(accountId, login);
  const found = await findEmailByMessageId(reader, { messageId, idHash: messageIdHash(messageId) });
  return found === undefined ? null : encodeId(idPrefix.email, found);
}
