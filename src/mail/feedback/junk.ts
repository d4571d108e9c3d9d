import { parseHeader } from "../../mime/headers.ts";
import type { Tx } from "../../store/core/store.ts";
import { addJunkMarks, findHeaders, type JunkMark } from "../../store/queues/junk-marks.ts";
import type { ReturnPaths } from "./return-path.ts";

/** The mark of mail between our own users, in the comment of the Received field that its delivery adds in front. */
const mark = /\((rp-[0-9a-z-]+)\)/;

/** The Received field is written with this. */
export const originComment = (origin: string): string => `(${origin})`;

const markAtStart = /^(Received: by [^\r\n]*)\r\n \(rp-[0-9a-z-]+\)/;

/** A header that begins with such a field, without the mark: it is for our own users alone. */
export const withoutOrigin = (header: string): string => header.replace(markAtStart, "$1");

/**
 * Notes that the account took these emails for junk. Those that another account here has sent count as complaints about it,
 * and are returned, to be counted after the commit; for mail from elsewhere there is nobody to tell.
 */
export async function noteJunk(tx: Tx, emailIds: readonly number[], returnPaths: ReturnPaths): Promise<JunkMark[]> {
  if (emailIds.length === 0) return [];
  const found = new Map<string, { senderId: number; submissionId: number }>();
  for (const header of await findHeaders(tx, emailIds)) {
    // Only the first was written by this server on delivery; others may have been copied from another mail.
    const first = parseHeader(header, (name) => name.toLowerCase() === "received")[0];
    const origin = mark.exec(first?.value ?? "")?.[1];
    const mail = origin === undefined ? undefined : await returnPaths.readOrigin(origin);
    if (!mail || mail.userId === tx.accountId) continue;
    found.set(`${mail.userId} ${mail.submissionId}`, { senderId: mail.userId, submissionId: mail.submissionId });
  }
  await addJunkMarks(tx, [...found.values()]);
  return [...found.values()].map((mark) => ({ userId: tx.accountId, ...mark }));
}
