import { encodeId, idPrefix } from "../../base/ids.ts";
import { type TermedMail, writeMails } from "../../mail/deliver/ingest.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import { overQuota, type SetError } from "../errors.ts";
import type { WriteCall } from "../method.ts";
import type { JmapObject } from "../standard/type.ts";

interface MadeRecord {
  error?: SetError;
  response: JmapObject;
}

/** Writes the emails of checked records (RFC 8621 §4.6, §4.7), `mails[n]` for `records[n]`, and sets the responses. */
export async function writeRecords(records: readonly MadeRecord[], mails: readonly TermedMail[], call: WriteCall) {
  const outcomes = await writeMails(call.tx, mails);
  records.forEach((record, index) => {
    const outcome = outcomes[index]!;
    if ("overQuota" in outcome) {
      record.error = overQuota();
      return;
    }
    if (!("email" in outcome)) throw new Error("a checked email was not written");
    const { blob } = mails[index]!;
    record.response = {
      blobId: encodeBlobId(blob.sha256),
      threadId: encodeId(idPrefix.thread, outcome.email.threadId),
      size: blob.size,
    };
  });
}
