import { Kind } from "../core/change.ts";
import { statement } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";
import { applyTally, tally } from "./counts.ts";
import { refreshHeads } from "./heads.ts";

/** A message id and a base subject, both hashed: what two emails of one thread share. */
export interface ThreadKey {
  idHash: number;
  subjectHash: number;
}

/**
 * Where the next thread of a full one is kept, beside the keys of emails: so it moves and goes with that thread. No
 * message id has a hash below zero.
 */
export function nextThreadKey(threadId: number): ThreadKey {
  return { idHash: -threadId, subjectHash: 0 };
}

type RefRow = { id_hash: number; subject_hash: number; thread_id: number };

/** One scan of the index for the few keys of a mail: half the time of a look-up a key. */
const findRefs = statement<RefRow>(`
  SELECT id_hash, subject_hash, thread_id FROM thread_ref
  WHERE user_id = $1 AND id_hash = ANY($2::bigint[]) AND subject_hash = ANY($3::bigint[])`);
/** Older servers look up each combination of the two lists. */
const mostCombinations = 10_000;
const findManyRefs = statement<RefRow>(`
  SELECT t.id_hash, t.subject_hash, t.thread_id
  FROM unnest($2::bigint[], $3::bigint[]) AS k (id_hash, subject_hash)
  JOIN thread_ref t ON t.user_id = $1 AND t.id_hash = k.id_hash AND t.subject_hash = k.subject_hash`);

const writeRefs = statement(`
  INSERT INTO thread_ref (user_id, id_hash, subject_hash, thread_id)
  SELECT a.user_id, r.id_hash, r.subject_hash, r.thread_id
  FROM account a, unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS r (id_hash, subject_hash, thread_id)
  WHERE a.user_id = $1
  ON CONFLICT (user_id, id_hash, subject_hash) DO UPDATE SET thread_id = excluded.thread_id`);

const moveRefs = statement("UPDATE thread_ref SET thread_id = $3 WHERE user_id = $1 AND thread_id = $2");
const deleteRefs = statement("DELETE FROM thread_ref WHERE user_id = $1 AND thread_id = ANY($2::bigint[])");

const threadSizes = statement<{ thread_id: number; emails: number }>(`
  SELECT thread_id, count(*)::int AS emails FROM email
  WHERE user_id = $1 AND thread_id = ANY($2::bigint[]) GROUP BY thread_id`);

/** Emails that must keep their id: drafts, and those a submission still has to send. */
const pinnedThreads = statement<{ thread_id: number }>(`
  SELECT DISTINCT e.thread_id FROM email e
  WHERE e.user_id = $1 AND e.thread_id = ANY($2::bigint[]) AND ('$draft' = ANY(e.keywords) OR EXISTS (
    SELECT 1 FROM submission s WHERE s.user_id = $1 AND s.email_id = e.id AND s.undo_status = 'pending'))`);

/** By way of the threads, as `findEmailByMessageId`. An email that was moved to another thread has another id by now. */
const submitted = statement<{ messageId: string; recipient: string; threadId: number }>(`
  SELECT DISTINCT m.message_id[1] AS "messageId", d.rcpt_to AS recipient, e.thread_id AS "threadId"
  FROM thread_ref t
  JOIN email e ON e.user_id = $1 AND e.thread_id = t.thread_id
  JOIN message m ON m.user_id = $1 AND m.no = e.no
  JOIN submission s ON s.user_id = $1 AND (s.email_id = e.id OR s.sha256 = m.sha256)
  JOIN delivery d ON d.user_id = $1 AND d.submission_id = s.id
  WHERE t.user_id = $1 AND t.id_hash = ANY($2::bigint[]) AND m.message_id[1] = ANY($3::text[]) LIMIT $4`);
const mostSubmitted = 10_000;

const threadEmails = statement<{ id: number; received_at: Date; keywords: string[] }>(
  "SELECT id, received_at, keywords FROM email WHERE user_id = $1 AND thread_id = $2 ORDER BY id",
);
const renumberEmails = statement(`
  UPDATE email e SET id = x.new_id, thread_id = $4 FROM unnest($2::bigint[], $3::bigint[]) AS x (old_id, new_id)
  WHERE e.user_id = $1 AND e.id = x.old_id`);
const renumberMailboxes = statement(`
  UPDATE email_mailbox e SET email_id = x.new_id, thread_id = $4
  FROM unnest($2::bigint[], $3::bigint[]) AS x (old_id, new_id)
  WHERE e.user_id = $1 AND e.email_id = x.old_id`);
const renumberKeywords = statement(`
  UPDATE email_keyword k SET email_id = x.new_id
  FROM unnest($2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[]) AS x (keyword, received_at, old_id, new_id)
  WHERE k.user_id = $1 AND k.keyword = x.keyword AND k.received_at = x.received_at AND k.email_id = x.old_id`);

/** "idHash subjectHash" → thread, for the keys that are known. */
export async function findThreads(tx: Tx, keys: readonly ThreadKey[]): Promise<Map<string, number>> {
  if (keys.length === 0) return new Map();
  const all = { ids: keys.map((key) => key.idHash), subjects: keys.map((key) => key.subjectHash) };
  const [ids, subjects] = [[...new Set(all.ids)], [...new Set(all.subjects)]];
  const isFew = ids.length * subjects.length <= mostCombinations;
  const rows = isFew
    ? await tx.run(findRefs, [tx.accountId, ids, subjects])
    : await tx.run(findManyRefs, [tx.accountId, all.ids, all.subjects]);
  return new Map(rows.map((row) => [`${row.id_hash} ${row.subject_hash}`, row.thread_id]));
}

export async function writeThreadRefs(tx: Tx, refs: readonly (ThreadKey & { threadId: number })[]): Promise<void> {
  if (refs.length === 0) return;
  await tx.run(writeRefs, [
    tx.accountId,
    refs.map((ref) => ref.idHash),
    refs.map((ref) => ref.subjectHash),
    refs.map((ref) => ref.threadId),
  ]);
}

export interface Submitted {
  messageId: string;
  recipient: string;
  threadId: number;
}

/** To whom this account submitted the emails with these Message-IDs that it still has. */
export async function findSubmitted(
  tx: Tx,
  emails: readonly { messageId: string; idHash: number }[],
): Promise<Submitted[]> {
  const ids = emails.map(({ messageId }) => messageId);
  const hashes = emails.map(({ idHash }) => idHash);
  return tx.run(submitted, [tx.accountId, hashes, ids, mostSubmitted]);
}

/** A thread whose last email is gone is forgotten: a later mail with its ids starts anew. */
export async function forgetThreads(tx: Tx, threadIds: readonly number[]): Promise<void> {
  if (threadIds.length > 0) await tx.run(deleteRefs, [tx.accountId, threadIds]);
}

/** Thread → how many emails it holds; a thread without any is missing. */
export async function countThreads(tx: Tx, threadIds: readonly number[]): Promise<Map<number, number>> {
  if (threadIds.length === 0) return new Map();
  const rows = await tx.run(threadSizes, [tx.accountId, threadIds]);
  return new Map(rows.map((row) => [row.thread_id, row.emails]));
}

/** Those of the threads that hold an email which must keep its id. */
export async function findPinnedThreads(tx: Tx, threadIds: readonly number[]): Promise<Set<number>> {
  const rows = await tx.run(pinnedThreads, [tx.accountId, threadIds]);
  return new Set(rows.map((row) => row.thread_id));
}

/**
 * Moves all emails of `from` into `to`. threadId is immutable (RFC 8621 §4.1.1), so they get new email ids: the old
 * ones are destroyed, and `from` with them.
 */
export async function mergeThread(tx: Tx, from: number, to: number): Promise<void> {
  const before = await tally(tx, [from, to]);
  const emails = await tx.run(threadEmails, [tx.accountId, from]);
  const oldIds = emails.map((email) => email.id);
  const newIds = await tx.newIds(oldIds.length);
  await tx.run(renumberEmails, [tx.accountId, oldIds, newIds, to]);
  await tx.run(renumberMailboxes, [tx.accountId, oldIds, newIds, to]);
  const keywords = emails.flatMap((email, index) =>
    email.keywords.map((keyword) => ({ keyword, at: email.received_at, old: email.id, new: newIds[index] })),
  );
  await tx.run(renumberKeywords, [
    tx.accountId,
    keywords.map((row) => row.keyword),
    keywords.map((row) => row.at),
    keywords.map((row) => row.old),
    keywords.map((row) => row.new),
  ]);
  await tx.run(moveRefs, [tx.accountId, from, to]);
  await refreshHeads(tx, [to]);
  await applyTally(tx, before, await tally(tx, [to]));
  for (const { id, received_at: receivedAt } of emails) {
    tx.changed({ type: "Email", id, kind: Kind.destroyed, threadId: from, receivedAt });
  }
  for (const id of newIds) tx.changed({ type: "Email", id, kind: Kind.created, threadId: to });
  tx.changed({ type: "Thread", id: from, kind: Kind.destroyed });
  tx.changed({ type: "Thread", id: to, kind: Kind.properties });
}
