import { mailIdOf } from "../base/mail-log.ts";
import { type AttemptRow, erroneousAttempts } from "../store/queues/attempts.ts";
import { type WaitingMessage, waitingMessages } from "../store/queues/incoming.ts";
import type { Admin } from "./admin.ts";
import { type QueueRow, type Selection, selectQueued } from "./queue-selection.ts";

/** The selected mails that wait to go out, up to `limit`, and whether there are more. */
export async function listQueued(
  admin: Admin,
  selection: Selection,
  state: "waiting" | "held" | undefined,
  limit: number,
): Promise<{ rows: QueueRow[]; more: boolean }> {
  const rows: QueueRow[] = [];
  for await (const page of selectQueued(admin, selection)) {
    rows.push(...page.filter(({ standing }) => state === undefined || (state === "held") === (standing === "held")));
    if (rows.length > limit) break;
  }
  return { rows: rows.slice(0, limit), more: rows.length > limit };
}

/** Accepted mail that is not yet in every account, oldest first. */
export async function listIncoming({ store }: Admin, limit: number): Promise<WaitingMessage[]> {
  return waitingMessages(store.database, null, limit);
}

/** Something that went wrong on our side, or was tried until its time was over. */
export interface ErrorEntry {
  /** The mail's id. */
  name: string;
  at: Date;
  error: AttemptRow["error"] | "set-aside";
  mailFrom: string;
  recipients: readonly string[];
  reply: string;
  transcript: string;
}

/** The error queue, newest first: of mail out, and messages that were set aside on their way in. */
export async function listErrors({ store, log }: Admin, limit: number): Promise<ErrorEntry[]> {
  const before = new Date(8e15);
  const sent = (await erroneousAttempts(store.database, log, { before, limit })).map((row): ErrorEntry => {
    const { mailId, at, error, mailFrom, recipients, reply, transcript } = row;
    return { name: mailIdOf(mailId), at, error, mailFrom, recipients, reply, transcript };
  });
  const aside = (await waitingMessages(store.database, null)).flatMap((row): ErrorEntry[] => {
    const { id, setAsideAt, mailFrom, lastError } = row;
    if (setAsideAt === null) return [];
    const recipients = row.recipients.filter(({ done }) => !done).map(({ address }) => address);
    const reply = lastError ?? "";
    return [{ name: mailIdOf(id), at: setAsideAt, error: "set-aside", mailFrom, recipients, reply, transcript: "" }];
  });
  return [...sent, ...aside].sort((one, other) => other.at.getTime() - one.at.getTime()).slice(0, limit);
}
