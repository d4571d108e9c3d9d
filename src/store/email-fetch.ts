import type { StoredBlob } from "./objects/object-store.ts";
import { type Statement, statement } from "./sql.ts";
import type { Reader } from "./store.ts";

/** What a fetch asks for beside the email's own row; each costs more than the one before. */
export interface EmailColumns {
  /** What lists show: addresses, subject, preview, blob id. */
  list: boolean;
  /** The header block. */
  header: boolean;
  /** The part tree. */
  structure: boolean;
  /** Where the bytes are. */
  blob: boolean;
}

/** An Email as stored; address lists are JSON text. Members of columns not asked for are missing. */
export interface FetchedEmail {
  id: number;
  threadId: number;
  receivedAt: Date;
  size: number;
  hasAttachment: boolean;
  mailboxIds: number[];
  keywords: string[];
  sha256: Buffer;
  messageId: string[] | null;
  inReplyTo: string[] | null;
  references: string[] | null;
  sender: string | null;
  from: string | null;
  to: string | null;
  cc: string | null;
  bcc: string | null;
  replyTo: string | null;
  subject: string | null;
  sentAt: string | null;
  preview: string;
  header: Buffer | null;
  structure: string;
  day: string;
}

const row = `e.id, e.thread_id AS "threadId", e.received_at AS "receivedAt", e.size,
  e.has_attachment AS "hasAttachment", e.mailbox_ids AS "mailboxIds", e.keywords`;
const list = `m.sha256, m.message_id AS "messageId", m.in_reply_to AS "inReplyTo", m.refs AS "references", m.sender,
  m."from", m."to", m.cc, m.bcc, m.reply_to AS "replyTo", m.subject, m.sent_at AS "sentAt", m.preview`;

const statements = new Map<string, Statement<FetchedEmail>>();

function select(columns: EmailColumns): Statement<FetchedEmail> {
  const key = `${columns.list}${columns.header}${columns.structure}${columns.blob}`;
  let made = statements.get(key);
  if (!made) {
    const chosen = [row];
    if (columns.list) chosen.push(list);
    if (columns.header) chosen.push("m.header");
    if (columns.structure) chosen.push("m.structure");
    if (columns.blob) chosen.push(`${columns.list ? "" : "m.sha256, "}b.day`);
    const message = chosen.length > 1 ? "JOIN message m ON m.user_id = $1 AND m.no = e.no" : "";
    const blob = columns.blob ? "LEFT JOIN blob_ref b ON b.user_id = $1 AND b.sha256 = m.sha256" : "";
    made = statement<FetchedEmail>(
      `SELECT ${chosen.join(", ")} FROM email e ${message} ${blob} WHERE e.user_id = $1 AND e.id = ANY($2::bigint[])`,
    );
    statements.set(key, made);
  }
  return made;
}

/** Those of the emails that exist, in no order: one statement. */
export function fetchEmails(reader: Reader, ids: readonly number[], columns: EmailColumns): Promise<FetchedEmail[]> {
  return ids.length === 0 ? Promise.resolve([]) : reader.run(select(columns), [reader.accountId, ids]);
}

const newest = statement<{ id: number }>(
  "SELECT id FROM email WHERE user_id = $1 ORDER BY received_at DESC, id DESC LIMIT $2",
);

/** The newest emails of the account: what Email/get with `ids: null` shows. */
export async function newestEmailIds(reader: Reader, limit: number): Promise<number[]> {
  return (await reader.run(newest, [reader.accountId, limit])).map(({ id }) => id);
}

export function blobOf(email: FetchedEmail): StoredBlob {
  return { sha256: email.sha256, day: email.day, size: email.size };
}
