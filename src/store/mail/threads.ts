import { sql } from "kysely";
import { Kind } from "../core/change.ts";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists, unnest } from "../core/lists.ts";
import type { Tx } from "../core/store.ts";
import { applyTally, tally } from "./counts.ts";
import { refreshHeads } from "./heads.ts";

/** A message id and a base subject, both hashed: what two emails of one thread share. */
export type ThreadKey = Row<"threadRef", "idHash" | "subjectHash">;

/**
 * Where the next thread of a full one is kept, beside the keys of emails: so it moves and goes with that thread. No
 * message id has a hash below zero.
 */
export function nextThreadKey(threadId: number): ThreadKey {
  return { idHash: -threadId, subjectHash: 0 };
}

const refColumns = ["idHash", "subjectHash", "threadId"] as const;

/** One scan of the index for the few keys of a mail: half the time of a look-up a key. */
const find = read("threads.find", (db, $: { accountId: number; ids: readonly number[]; subjects: readonly number[] }) =>
  db
    .selectFrom("threadRef")
    .select(refColumns)
    .where("userId", "=", $.accountId)
    .where("idHash", "in", $.ids)
    .where("subjectHash", "in", $.subjects),
);
/** Older servers look up each combination of the two lists. */
const mostCombinations = 10_000;
const findMany = read("threads.findMany", (db, $: { accountId: number } & Lists<"threadRef", keyof ThreadKey>) =>
  db
    .selectFrom(unnest("threadRef", ["idHash", "subjectHash"], $))
    .innerJoin("threadRef as t", (join) =>
      join
        .on("t.userId", "=", $.accountId)
        .onRef("t.idHash", "=", "x.idHash")
        .onRef("t.subjectHash", "=", "x.subjectHash"),
    )
    .select(["t.idHash", "t.subjectHash", "t.threadId"]),
);

const writeRefs = write(
  "threads.writeRefs",
  (db, $: { accountId: number } & Lists<"threadRef", (typeof refColumns)[number]>) =>
    insertLists(db, "threadRef", refColumns, $).onConflict((conflict) =>
      conflict
        .columns(["userId", "idHash", "subjectHash"])
        .doUpdateSet((eb) => ({ threadId: eb.ref("excluded.threadId") })),
    ),
);
const moveRefs = write("threads.moveRefs", (db, $: { accountId: number; from: number; to: number }) =>
  db.updateTable("threadRef").set({ threadId: $.to }).where("userId", "=", $.accountId).where("threadId", "=", $.from),
);
const removeRefs = write("threads.removeRefs", (db, $: { accountId: number; threadIds: readonly number[] }) =>
  db.deleteFrom("threadRef").where("userId", "=", $.accountId).where("threadId", "in", $.threadIds),
);

const sizes = read("threads.sizes", (db, $: { accountId: number; threadIds: readonly number[] }) =>
  db
    .selectFrom("email")
    .select(["threadId", (eb) => eb.fn.countAll<number>().as("emails")])
    .where("userId", "=", $.accountId)
    .where("threadId", "in", $.threadIds)
    .groupBy("threadId"),
);

/** Emails that must keep their id: drafts, and those a submission still has to send. */
const pinned = read("threads.pinned", (db, $: { accountId: number; threadIds: readonly number[] }) =>
  db
    .selectFrom("email as e")
    .select("e.threadId")
    .distinct()
    .where("e.userId", "=", $.accountId)
    .where("e.threadId", "in", $.threadIds)
    .where((eb) => {
      const submission = eb.selectFrom("submission as s").select("s.id").whereRef("s.emailId", "=", "e.id");
      const pending = submission.where("s.userId", "=", $.accountId).where("s.undoStatus", "=", "pending");
      return eb.or([sql<boolean>`'$draft' = ANY(e.keywords)`, eb.exists(pending)]);
    }),
);

/** To whom the account submitted an email. */
export interface Submitted {
  messageId: string;
  recipient: string;
  threadId: number;
}

const mostSubmitted = 10_000;
/** By way of the threads, as `findEmailByMessageId`. An email that was moved to another thread has another id by now. */
const submitted = read(
  "threads.submitted",
  (_, $: { accountId: number; hashes: readonly number[]; messageIds: readonly string[] }) => sql<Submitted>`
  SELECT DISTINCT m.message_id[1] AS "messageId", d.rcpt_to AS recipient, e.thread_id AS "threadId"
  FROM thread_ref t
  JOIN email e ON e.user_id = ${$.accountId} AND e.thread_id = t.thread_id
  JOIN message m ON m.user_id = ${$.accountId} AND m.no = e.no
  JOIN submission s ON s.user_id = ${$.accountId} AND (s.email_id = e.id OR s.sha256 = m.sha256)
  JOIN delivery d ON d.user_id = ${$.accountId} AND d.submission_id = s.id
  WHERE t.user_id = ${$.accountId} AND t.id_hash = ANY(${$.hashes}::bigint[])
    AND m.message_id[1] = ANY(${$.messageIds}::text[]) LIMIT ${mostSubmitted}`,
);

const emailsOf = read("threads.emailsOf", (db, $: { accountId: number; threadId: number }) =>
  db
    .selectFrom("email")
    .select(["id", "receivedAt", "keywords"])
    .where("userId", "=", $.accountId)
    .where("threadId", "=", $.threadId)
    .orderBy("id"),
);
type Renumbered = { accountId: number; oldIds: number[]; newIds: number[] };
const renumberEmails = write(
  "threads.renumberEmails",
  (_, $: Renumbered & { to: number }) => sql<never>`
  UPDATE email e SET id = x.new_id, thread_id = ${$.to}
  FROM unnest(${$.oldIds}::bigint[], ${$.newIds}::bigint[]) AS x (old_id, new_id)
  WHERE e.user_id = ${$.accountId} AND e.id = x.old_id`,
);
const renumberPlaces = write(
  "threads.renumberPlaces",
  (_, $: Renumbered & { to: number }) => sql<never>`
  UPDATE email_mailbox e SET email_id = x.new_id, thread_id = ${$.to}
  FROM unnest(${$.oldIds}::bigint[], ${$.newIds}::bigint[]) AS x (old_id, new_id)
  WHERE e.user_id = ${$.accountId} AND e.email_id = x.old_id`,
);
const renumberKeywords = write(
  "threads.renumberKeywords",
  (_, $: Renumbered & { keywords: string[]; times: Date[] }) => sql<never>`
  UPDATE email_keyword k SET email_id = x.new_id
  FROM unnest(${$.keywords}::text[], ${$.times}::timestamptz[], ${$.oldIds}::bigint[], ${$.newIds}::bigint[])
    AS x (keyword, received_at, old_id, new_id)
  WHERE k.user_id = ${$.accountId} AND k.keyword = x.keyword AND k.received_at = x.received_at AND k.email_id = x.old_id`,
);

/** "idHash subjectHash" → thread, for the keys that are known. */
export async function findThreads(tx: Tx, keys: readonly ThreadKey[]): Promise<Map<string, number>> {
  if (keys.length === 0) return new Map();
  const { accountId } = tx;
  const all = lists(keys, ["idHash", "subjectHash"]);
  const [ids, subjects] = [[...new Set(all.idHash)], [...new Set(all.subjectHash)]];
  const isFew = ids.length * subjects.length <= mostCombinations;
  const rows = isFew ? await tx.run(find, { accountId, ids, subjects }) : await tx.run(findMany, { accountId, ...all });
  return new Map(rows.map((row) => [`${row.idHash} ${row.subjectHash}`, row.threadId]));
}

export async function writeThreadRefs(tx: Tx, refs: readonly (ThreadKey & { threadId: number })[]): Promise<void> {
  if (refs.length > 0) tx.send(writeRefs, { accountId: tx.accountId, ...lists(refs, refColumns) });
}

/** To whom this account submitted the emails with these Message-IDs that it still has. */
export async function findSubmitted(
  tx: Tx,
  emails: readonly { messageId: string; idHash: number }[],
): Promise<Submitted[]> {
  const messageIds = emails.map(({ messageId }) => messageId);
  const hashes = emails.map(({ idHash }) => idHash);
  return tx.run(submitted, { accountId: tx.accountId, hashes, messageIds });
}

/** A thread whose last email is gone is forgotten: a later mail with its ids starts anew. */
export async function forgetThreads(tx: Tx, threadIds: readonly number[]): Promise<void> {
  if (threadIds.length > 0) tx.send(removeRefs, { accountId: tx.accountId, threadIds });
}

/** Thread → how many emails it holds; a thread without any is missing. */
export async function countThreads(tx: Tx, threadIds: readonly number[]): Promise<Map<number, number>> {
  if (threadIds.length === 0) return new Map();
  const rows = await tx.run(sizes, { accountId: tx.accountId, threadIds });
  return new Map(rows.map((row) => [row.threadId, row.emails]));
}

/** Those of the threads that hold an email which must keep its id. */
export async function findPinnedThreads(tx: Tx, threadIds: readonly number[]): Promise<Set<number>> {
  const rows = await tx.run(pinned, { accountId: tx.accountId, threadIds });
  return new Set(rows.map((row) => row.threadId));
}

/**
 * Moves all emails of `from` into `to`. threadId is immutable (RFC 8621 §4.1.1), so they get new email ids: the old
 * ones are destroyed, and `from` with them.
 */
export async function mergeThread(tx: Tx, from: number, to: number): Promise<void> {
  const { accountId } = tx;
  const [before, emails] = await Promise.all([tally(tx, [from, to]), tx.run(emailsOf, { accountId, threadId: from })]);
  const oldIds = emails.map((email) => email.id);
  const newIds = await tx.newIds(oldIds.length);
  tx.send(renumberEmails, { accountId, oldIds, newIds, to });
  tx.send(renumberPlaces, { accountId, oldIds, newIds, to });
  const keywords = emails.flatMap((email, index) =>
    email.keywords.map((keyword) => ({ keyword, at: email.receivedAt, old: email.id, new: newIds[index]! })),
  );
  tx.send(renumberKeywords, {
    accountId,
    keywords: keywords.map((row) => row.keyword),
    times: keywords.map((row) => row.at),
    oldIds: keywords.map((row) => row.old),
    newIds: keywords.map((row) => row.new),
  });
  tx.send(moveRefs, { accountId, from, to });
  await refreshHeads(tx, [to]);
  await applyTally(tx, before, tally(tx, [to]));
  for (const { id, receivedAt } of emails) {
    tx.changed({ type: "Email", id, kind: Kind.destroyed, threadId: from, receivedAt });
  }
  for (const id of newIds) tx.changed({ type: "Email", id, kind: Kind.created, threadId: to });
  tx.changed({ type: "Thread", id: from, kind: Kind.destroyed });
  tx.changed({ type: "Thread", id: to, kind: Kind.properties });
}
