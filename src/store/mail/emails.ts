import { Kind } from "../core/change.ts";
import { read } from "../core/declare.ts";
import { statement } from "../core/sql.ts";
import type { Reader, Tx } from "../core/store.ts";
import { applyTally, type Tally, tally } from "./counts.ts";
import { refreshHeads } from "./heads.ts";
import { deleteTerms } from "./search-terms.ts";
import { forgetThreads } from "./threads.ts";

/** An Email's place, and what changes daily. */
export interface EmailState {
  id: number;
  threadId: number;
  receivedAt: Date;
  mailboxIds: number[];
  /** Lower case, sorted, each once. */
  keywords: string[];
}

export interface EmailRow extends EmailState {
  /** Of its message. */
  no: number;
}

export interface EmailUpdate {
  before: EmailState;
  mailboxIds: number[];
  keywords: string[];
}

const byId = read("emails.byId", (db, $: { accountId: number; ids: readonly number[] }) =>
  db
    .selectFrom("email")
    .select(["id", "no", "threadId", "receivedAt", "mailboxIds", "keywords"])
    .where("userId", "=", $.accountId)
    .where("id", "in", $.ids),
);
const updateRows = statement(`
  UPDATE email e SET mailbox_ids = x.mailbox_ids::bigint[], keywords = x.keywords
  FROM json_to_recordset($2::json) AS x (id bigint, mailbox_ids bigint[], keywords text[])
  WHERE e.user_id = $1 AND e.id = x.id`);
const insertPlaces = statement(`
  INSERT INTO email_mailbox (user_id, mailbox_id, email_id, thread_id, received_at, seen, draft, head)
  SELECT a.user_id, x.mailbox_id, x.email_id, x.thread_id, x.received_at, x.seen, x.draft, x.head
  FROM account a, unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::boolean[], $7::boolean[],
    $8::boolean[]) AS x (mailbox_id, email_id, thread_id, received_at, seen, draft, head)
  WHERE a.user_id = $1`);
const deletePlaces = statement(`
  DELETE FROM email_mailbox e USING unnest($2::bigint[], $3::bigint[]) AS x (mailbox_id, email_id)
  WHERE e.user_id = $1 AND e.email_id = x.email_id AND e.mailbox_id = x.mailbox_id`);
const updatePlaces = statement(`
  UPDATE email_mailbox e SET seen = x.seen, draft = x.draft
  FROM unnest($2::bigint[], $3::boolean[], $4::boolean[]) AS x (email_id, seen, draft)
  WHERE e.user_id = $1 AND e.email_id = x.email_id AND (e.seen <> x.seen OR e.draft <> x.draft)`);
const insertKeywords = statement(`
  INSERT INTO email_keyword (user_id, keyword, received_at, email_id)
  SELECT a.user_id, x.keyword, x.received_at, x.email_id
  FROM account a, unnest($2::text[], $3::timestamptz[], $4::bigint[]) AS x (keyword, received_at, email_id)
  WHERE a.user_id = $1`);
const deleteKeywords = statement(`
  DELETE FROM email_keyword k USING unnest($2::text[], $3::timestamptz[], $4::bigint[])
    AS x (keyword, received_at, email_id)
  WHERE k.user_id = $1 AND k.keyword = x.keyword AND k.received_at = x.received_at AND k.email_id = x.email_id`);
const deleteEmails = statement<{ size: number }>(
  "DELETE FROM email WHERE user_id = $1 AND id = ANY($2::bigint[]) RETURNING size",
);
const deleteAllPlaces = statement("DELETE FROM email_mailbox WHERE user_id = $1 AND email_id = ANY($2::bigint[])");
const deleteMessages = statement<{ sha256: Buffer }>(
  "DELETE FROM message WHERE user_id = $1 AND no = ANY($2::bigint[]) RETURNING sha256",
);
const livingThreads = statement<{ thread_id: number }>(
  "SELECT DISTINCT thread_id FROM email WHERE user_id = $1 AND thread_id = ANY($2::bigint[])",
);
const emailsInMailboxes = statement<{ email_id: number }>(`
  SELECT DISTINCT email_id FROM email_mailbox WHERE user_id = $1 AND mailbox_id = ANY($2::bigint[])
  ORDER BY email_id LIMIT 1000`);

/** The rows of those ids that exist, in no order. */
export async function findEmails(reader: Reader, ids: readonly number[]): Promise<EmailRow[]> {
  return ids.length === 0 ? [] : reader.run(byId, { accountId: reader.accountId, ids });
}

const isSeen = (keywords: readonly string[]) => keywords.includes("$seen");
const isDraft = (keywords: readonly string[]) => keywords.includes("$draft");

/** Places of emails in mailboxes; the head bits are set by `refreshHeads`, unless `head` is known. */
export async function insertEmailPlaces(tx: Tx, emails: readonly EmailState[], head = false): Promise<void> {
  const places = emails.flatMap((email) => email.mailboxIds.map((mailboxId) => ({ mailboxId, email })));
  if (places.length === 0) return;
  await tx.run(insertPlaces, [
    tx.accountId,
    places.map((place) => place.mailboxId),
    places.map((place) => place.email.id),
    places.map((place) => place.email.threadId),
    places.map((place) => place.email.receivedAt),
    places.map((place) => isSeen(place.email.keywords)),
    places.map((place) => isDraft(place.email.keywords)),
    places.map(() => head),
  ]);
}

type KeywordRow = { keyword: string; email: EmailState };

function keywordValues(tx: Tx, rows: readonly KeywordRow[]): unknown[] {
  return [
    tx.accountId,
    rows.map((row) => row.keyword),
    rows.map((row) => row.email.receivedAt),
    rows.map((row) => row.email.id),
  ];
}

/** Rows for all keywords but $seen, which email_mailbox carries. */
export async function insertEmailKeywords(tx: Tx, rows: readonly KeywordRow[]): Promise<void> {
  const kept = rows.filter((row) => row.keyword !== "$seen");
  if (kept.length > 0) await tx.run(insertKeywords, keywordValues(tx, kept));
}

async function removeEmailKeywords(tx: Tx, rows: readonly KeywordRow[]): Promise<void> {
  const kept = rows.filter((row) => row.keyword !== "$seen");
  if (kept.length > 0) await tx.run(deleteKeywords, keywordValues(tx, kept));
}

const without = <T>(all: readonly T[], gone: readonly T[]) => all.filter((one) => !gone.includes(one));

/** Moves and flags emails: rows, places, kept counts and the change log. Each update must change something. */
export async function updateEmails(tx: Tx, updates: readonly EmailUpdate[]): Promise<void> {
  if (updates.length === 0) return;
  const moved = updates.filter((u) => isMoved(u));
  const reflagged = updates.filter(
    (u) => isSeen(u.before.keywords) !== isSeen(u.keywords) || isDraft(u.before.keywords) !== isDraft(u.keywords),
  );
  const threadIds = [...new Set([...moved, ...reflagged].map((u) => u.before.threadId))];
  const before = await tally(tx, threadIds);
  const rows = updates.map((u) => ({ id: u.before.id, mailbox_ids: u.mailboxIds, keywords: u.keywords }));
  await tx.run(updateRows, [tx.accountId, JSON.stringify(rows)]);
  if (reflagged.length > 0) {
    await tx.run(updatePlaces, [
      tx.accountId,
      reflagged.map((u) => u.before.id),
      reflagged.map((u) => isSeen(u.keywords)),
      reflagged.map((u) => isDraft(u.keywords)),
    ]);
  }
  await moveKeywords(tx, updates);
  if (moved.length > 0) await movePlaces(tx, moved);
  await applyTally(tx, before, await tally(tx, threadIds));
  for (const u of updates) logUpdate(tx, u);
}

function isMoved({ before, mailboxIds }: EmailUpdate): boolean {
  return before.mailboxIds.length !== mailboxIds.length || without(mailboxIds, before.mailboxIds).length > 0;
}

function logUpdate(tx: Tx, update: EmailUpdate): void {
  const { before, keywords } = update;
  const flagged = before.keywords.length !== keywords.length || without(keywords, before.keywords).length > 0;
  const kind = (isMoved(update) ? Kind.mailboxes : 0) | (flagged ? Kind.keywords : 0);
  tx.changed({ type: "Email", id: before.id, kind, threadId: before.threadId });
}

async function moveKeywords(tx: Tx, updates: readonly EmailUpdate[]): Promise<void> {
  const rows = (from: (u: EmailUpdate) => string[]) =>
    updates.flatMap((u) => from(u).map((keyword) => ({ keyword, email: u.before })));
  await removeEmailKeywords(
    tx,
    rows((u) => without(u.before.keywords, u.keywords)),
  );
  await insertEmailKeywords(
    tx,
    rows((u) => without(u.keywords, u.before.keywords)),
  );
}

async function movePlaces(tx: Tx, moved: readonly EmailUpdate[]): Promise<void> {
  const left = moved.flatMap((u) => without(u.before.mailboxIds, u.mailboxIds).map((id) => [id, u.before.id] as const));
  if (left.length > 0) {
    await tx.run(deletePlaces, [tx.accountId, left.map(([mailbox]) => mailbox), left.map(([, email]) => email)]);
  }
  const entered = moved.map((u) => ({
    ...u.before,
    keywords: u.keywords,
    mailboxIds: without(u.mailboxIds, u.before.mailboxIds),
  }));
  await insertEmailPlaces(tx, entered);
  await refreshHeads(tx, [...new Set(moved.map((u) => u.before.threadId))]);
}

/**
 * Destroys emails with all that hangs on them. Returns the hashes of their messages, whose blob references the caller
 * releases (`releaseBlobs`).
 */
export async function destroyEmails(tx: Tx, emails: readonly EmailRow[]): Promise<Buffer[]> {
  if (emails.length === 0) return [];
  const ids = emails.map((email) => email.id);
  const nos = emails.map((email) => email.no);
  const threadIds = [...new Set(emails.map((email) => email.threadId))];
  const before = await tally(tx, threadIds);
  const gone = await tx.run(deleteEmails, [tx.accountId, ids]);
  tx.grow(-gone.reduce((sum, { size }) => sum + size, 0));
  await tx.run(deleteAllPlaces, [tx.accountId, ids]);
  await removeEmailKeywords(
    tx,
    emails.flatMap((email) => email.keywords.map((keyword) => ({ keyword, email }))),
  );
  const messages = await tx.run(deleteMessages, [tx.accountId, nos]);
  await deleteTerms(tx, nos);
  const living = new Set((await tx.run(livingThreads, [tx.accountId, threadIds])).map((row) => row.thread_id));
  const ended = threadIds.filter((id) => !living.has(id));
  await forgetThreads(tx, ended);
  if (living.size > 0) await refreshHeads(tx, [...living]);
  await applyTally(tx, before, living.size > 0 ? await tally(tx, [...living]) : (new Map() as Tally));
  for (const { id, threadId, receivedAt } of emails) {
    tx.changed({ type: "Email", id, kind: Kind.destroyed, threadId, receivedAt });
  }
  for (const id of ended) tx.changed({ type: "Thread", id, kind: Kind.destroyed });
  for (const id of living) tx.changed({ type: "Thread", id, kind: Kind.properties });
  return messages.map((row) => row.sha256);
}

/**
 * Mailbox/set with onDestroyRemoveEmails (RFC 8621 §2.5): emails leave these mailboxes, and one that is then in none
 * is destroyed. Returns the hashes of the destroyed messages.
 */
export async function removeMailboxFromEmails(tx: Tx, mailboxIds: readonly number[]): Promise<Buffer[]> {
  const hashes: Buffer[] = [];
  for (;;) {
    const found = await tx.run(emailsInMailboxes, [tx.accountId, mailboxIds]);
    if (found.length === 0) return hashes;
    const emails = await findEmails(
      tx,
      found.map((row) => row.email_id),
    );
    const rest = emails.map((before) => ({
      before,
      mailboxIds: without(before.mailboxIds, mailboxIds),
      keywords: before.keywords,
    }));
    await updateEmails(
      tx,
      rest.filter((u) => u.mailboxIds.length > 0),
    );
    hashes.push(
      ...(await destroyEmails(
        tx,
        rest.filter((u) => u.mailboxIds.length === 0).map((u) => u.before),
      )),
    );
  }
}
