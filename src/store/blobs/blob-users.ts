import { statement } from "../core/sql.ts";
import type { Reader } from "../core/store.ts";

/** An email that holds a blob, as its message or as a part of it. */
export interface BlobUser {
  sha256: Buffer;
  emailId: number;
  threadId: number;
  mailboxIds: number[];
}

const select = statement<BlobUser>(`
  SELECT m.sha256, e.id AS "emailId", e.thread_id AS "threadId", e.mailbox_ids AS "mailboxIds" FROM message m
  JOIN email e ON e.user_id = $1 AND e.no = m.no
  WHERE m.user_id = $1 AND m.sha256 = ANY($2::bytea[]) ORDER BY e.id`);

export function findBlobUsers(reader: Reader, sha256s: Buffer[]): Promise<BlobUser[]> {
  return sha256s.length === 0 ? Promise.resolve([]) : reader.run(select, [reader.accountId, sha256s]);
}
