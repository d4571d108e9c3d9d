import { sql } from "kysely";
import { instant } from "../../base/instant.ts";
import type { MessageSummary } from "../../mime/summary.ts";
import { referenceBlobs } from "../blobs/blob-refs.ts";
import type { StoredBlob } from "../blobs/blobs.ts";
import { Kind } from "../core/change.ts";
import type { Authentication } from "../core/db.ts";
import { write } from "../core/declare.ts";
import type { Tx } from "../core/store.ts";
import { applyTally, tally } from "./counts.ts";
import { type EmailRow, insertEmailKeywords, insertEmailPlaces } from "./emails.ts";
import { refreshHeads } from "./heads.ts";
import type { Scan } from "./scans.ts";
import { insertTerms } from "./search-terms.ts";

/** A message ready to become an Email. Everything slow was done before the account's row is locked. */
export interface NewEmail {
  blob: StoredBlob;
  summary: MessageSummary;
  /** The header block; stored with the message only when it is small. */
  header: Buffer | null;
  /** tsvectors as text, with terms prefixed for this account; a long message has several. */
  terms: string[];
  sortKeys: { from: string; to: string; subject: string };
  /** Set when the caller has already used the id (Email/set). */
  id?: number;
  threadId: number;
  mailboxIds: number[];
  keywords: string[];
  /** Whole seconds, as in JMAP. */
  receivedAt: Date;
  scan: Scan | null;
  authentication: Authentication | null;
  modseq?: number;
}

/** JSON, since unnest would flatten lists of lists. */
type Records = { accountId: number; records: string };
const insertMessages = write(
  "messages.insert",
  (_, $: Records) => sql<never>`
  INSERT INTO message (user_id, no, sha256, size, message_id, in_reply_to, refs, sender, "from", "to", cc, bcc,
    reply_to, subject, sent_at, preview, has_attachment, from_key, to_key, subject_key, header, structure, scan, authentication)
  SELECT a.user_id, x.no, decode(x.sha256, 'hex'), x.size, x.message_id, x.in_reply_to, x.refs, x.sender, x."from",
    x."to", x.cc, x.bcc, x.reply_to, x.subject, x.sent_at, x.preview, x.has_attachment, x.from_key, x.to_key,
    x.subject_key, decode(x.header, 'base64'), x.structure, x.scan,
    x.authentication
  FROM account a, json_to_recordset(${$.records}::json) AS x (no bigint, sha256 text, size int, message_id text[],
    in_reply_to text[], refs text[], sender text, "from" text, "to" text, cc text, bcc text, reply_to text,
    subject text, sent_at text, preview text, has_attachment boolean, from_key text, to_key text, subject_key text,
    header text, structure text, scan text, authentication jsonb)
  WHERE a.user_id = ${$.accountId}`,
);
const insertRows = write(
  "emails.insert",
  (_, $: Records) => sql<never>`
  INSERT INTO email (user_id, id, no, thread_id, received_at, sent_at, size, has_attachment, mailbox_ids, keywords)
  SELECT a.user_id, x.id, x.no, x.thread_id, x.received_at, x.sent_at, x.size, x.has_attachment, x.mailbox_ids,
    x.keywords
  FROM account a, json_to_recordset(${$.records}::json) AS x (id bigint, no bigint, thread_id bigint,
    received_at timestamptz, sent_at timestamptz, size int, has_attachment boolean, mailbox_ids bigint[],
    keywords text[])
  WHERE a.user_id = ${$.accountId}`,
);

/** Inserts emails with their messages, mailbox rows, search terms and blob references, and updates the stored counts. */
export async function insertEmails(
  tx: Tx,
  emails: readonly NewEmail[],
  knownThreads: ReadonlySet<number>,
): Promise<EmailRow[]> {
  if (emails.length === 0) return [];
  const ids = await emailIds(tx, emails);
  const rows = emails.map((email, index) => toRow(email, ids[index]!));
  const threadIds = [...new Set(emails.map((email) => email.threadId))];
  const joined = threadIds.filter((id) => knownThreads.has(id));
  const before = tally(tx, joined);
  const { accountId } = tx;
  const messages = emails.map((email, index) => messageRecord(email, ids[index]!));
  tx.send(insertMessages, { accountId, records: json(messages) });
  const records = rows.map((row, index) => emailRecord(row, emails[index]!));
  tx.send(insertRows, { accountId, records: json(records) });
  // An email that starts its thread is the thread's head, so heads need no refresh if every email does.
  const single = joined.length === 0 && threadIds.length === emails.length;
  await insertEmailPlaces(tx, rows, single);
  if (!single) await refreshHeads(tx, threadIds);
  await insertEmailKeywords(
    tx,
    rows.flatMap((email) => email.keywords.map((keyword) => ({ keyword, email }))),
  );
  await insertTerms(
    tx,
    rows.map(({ no, receivedAt }, index) => ({ no, receivedAt, terms: emails[index]!.terms })),
  );
  await referenceBlobs(
    tx,
    emails.map((email) => email.blob),
  );
  await applyTally(tx, before, tally(tx, threadIds));
  tx.grow(emails.reduce((sum, { summary }) => sum + summary.size, 0));
  logInserts(tx, emails, rows, knownThreads);
  return rows;
}

async function emailIds(tx: Tx, emails: readonly NewEmail[]): Promise<number[]> {
  const fresh = await tx.newIds(emails.filter((email) => email.id === undefined).length);
  return emails.map((email) => email.id ?? fresh.shift()!);
}

function toRow(email: NewEmail, id: number): EmailRow {
  const { threadId, receivedAt, mailboxIds, keywords } = email;
  return { id, no: id, threadId, receivedAt, mailboxIds, keywords };
}

function logInserts(tx: Tx, emails: readonly NewEmail[], rows: readonly EmailRow[], known: ReadonlySet<number>): void {
  rows.forEach((row, index) => {
    const modseq = emails[index]!.modseq;
    const at = modseq === undefined ? {} : { modseq };
    tx.changed({ type: "Email", id: row.id, kind: Kind.created, threadId: row.threadId, ...at });
    // RFC 8621 §1.5: the EmailDelivery state changes only when an email is added to the store.
    tx.changed({ type: "EmailDelivery", id: row.id, kind: Kind.created, ...at });
    tx.changed({ type: "Thread", id: row.threadId, kind: known.has(row.threadId) ? Kind.properties : Kind.created });
  });
}

// A malformed header may contain NUL, which Postgres cannot store in text.
const clean = (text: string | null) => text?.replaceAll("\0", "\ufffd") ?? null;
const json = (value: unknown) => JSON.stringify(value).replaceAll("\\u0000", "\\ufffd");
const addresses = (list: unknown[] | null) => (list === null ? null : json(list));

function messageRecord(
  { blob, summary, sortKeys, header, scan, authentication }: NewEmail,
  no: number,
): Record<string, unknown> {
  return {
    no,
    sha256: blob.sha256.toString("hex"),
    size: summary.size,
    message_id: summary.messageId,
    in_reply_to: summary.inReplyTo,
    refs: summary.references,
    sender: addresses(summary.sender),
    from: addresses(summary.from),
    to: addresses(summary.to),
    cc: addresses(summary.cc),
    bcc: addresses(summary.bcc),
    reply_to: addresses(summary.replyTo),
    subject: clean(summary.subject),
    sent_at: summary.sentAt,
    preview: clean(summary.preview),
    has_attachment: summary.hasAttachment,
    from_key: clean(sortKeys.from),
    to_key: clean(sortKeys.to),
    subject_key: clean(sortKeys.subject),
    header: header?.toString("base64") ?? null,
    structure: json(summary.structure),
    scan: scan && json(scan),
    authentication,
  };
}

function emailRecord(row: EmailRow, { summary }: NewEmail): Record<string, unknown> {
  return {
    id: row.id,
    no: row.no,
    thread_id: row.threadId,
    received_at: row.receivedAt,
    sent_at: summary.sentAt === null ? null : instant(summary.sentAt),
    size: summary.size,
    has_attachment: summary.hasAttachment,
    mailbox_ids: row.mailboxIds,
    keywords: row.keywords,
  };
}
