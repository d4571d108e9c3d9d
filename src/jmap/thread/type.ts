import { encodeId, idPrefix } from "../../base/ids.ts";
import { loadThreads } from "../../store/mail/thread-emails.ts";
import { capabilities } from "../capability-names.ts";
import { id, list } from "../schema.ts";
import type { DataType } from "../standard/type.ts";

/** RFC 8621 §3 */
export const thread: DataType = {
  name: "Thread",
  capability: capabilities.mail,
  prefix: idPrefix.thread,
  properties: { emailIds: { schema: list(id), serverSet: true } },

  async fetch(ids, { limit }, { reader }) {
    const threads = await loadThreads(reader, ids, limit);
    return [...threads].map(([threadId, emailIds]) => ({
      id: encodeId(idPrefix.thread, threadId),
      emailIds: emailIds.map((emailId) => encodeId(idPrefix.email, emailId)),
    }));
  },
};
