import { sql } from "kysely";
import { releaseBlobs } from "../blobs/blob-refs.ts";
import { Kind } from "../core/change.ts";
import { type Row, read, write } from "../core/declare.ts";
import { insertLists, type Lists, lists, unnest } from "../core/lists.ts";
import type { Reader, Tx } from "../core/store.ts";
import { applyTally, tally } from "./counts.ts";
import { deletedForMs, keepDeleted } from "./deleted-emails.ts";
import { refreshHeads } from "./heads.ts";
import { deleteTerms } from "./search-terms.ts";
import { forgetThreads } from "./threads.ts";

/** The mutable part of an Email, with its thread and date. Keywords are lower case, sorted and unique. */
export type EmailState = Row<"email", "id" | "threadId" | "receivedAt" | "mailboxIds" | "keywords">;

/** Also has the number of its message. */
export type EmailRow = EmailState & Row<"email", "no">;

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
/** JSON, since unnest would flatten lists of lists. */
const updateRows = write(
  "emails.update",
  (_, $: { accountId: number; rows: string }) => sql<never>`
  UPDATE email e SET mailbox_ids = x.mailbox_ids::bigint[], keywords = x.keywords
  FROM json_to_recordset(${$.rows}::json) AS x (id bigint, mailbox_ids bigint[], keywords text[])
  WHERE e.user_id = ${$.accountId} AND e.id = x.id`,
);
const remove = write("emails.remove", (db, $: { accountId: number; ids: readonly number[] }) =>
  db.deleteFrom("email").where("userId", "=", $.accountId).where("id", "in", $.ids).returning("size"),
);
const removeMessages = write("messages.remove", (db, $: { accountId: number; nos: readonly number[] }) =>
  db.deleteFrom("message").where("userId", "=", $.accountId).where("no", "in", $.nos).returning("sha256"),
);
const living = read("threads.living", (db, $: { accountId: number; threadIds: readonly number[] }) =>
  db
    .selectFrom("email")
    .select("threadId")
    .distinct()
    .where("userId", "=", $.accountId)
    .where("threadId", "in", $.threadIds),
);

const placeColumns = ["mailboxId", "emailId", "threadId", "receivedAt", "seen", "draft", "head"] as const;
const insertPlaces = write(
  "places.insert",
  (db, $: { accountId: number } & Lists<"emailMailbox", (typeof placeColumns)[number]>) =>
    insertLists(db, "emailMailbox", placeColumns, $),
);
const flagPlaces = write(
  "places.flag",
  (db, $: { accountId: number } & Lists<"emailMailbox", "emailId" | "seen" | "draft">) =>
    db
      .updateTable("emailMailbox as e")
      .from(unnest("emailMailbox", ["emailId", "seen", "draft"], $))
      .set((eb) => ({ seen: eb.ref("x.seen"), draft: eb.ref("x.draft") }))
      .where("e.userId", "=", $.accountId)
      .whereRef("e.emailId", "=", "x.emailId")
      .where((eb) => eb.or([eb("e.seen", "<>", eb.ref("x.seen")), eb("e.draft", "<>", eb.ref("x.draft"))])),
);
const leavePlaces = write(
  "places.leave",
  (db, $: { accountId: number } & Lists<"emailMailbox", "mailboxId" | "emailId">) =>
    db
      .deleteFrom("emailMailbox as e")
      .using(unnest("emailMailbox", ["mailboxId", "emailId"], $))
      .where("e.userId", "=", $.accountId)
      .whereRef("e.emailId", "=", "x.emailId")
      .whereRef("e.mailboxId", "=", "x.mailboxId"),
);
const removePlaces = write("places.remove", (db, $: { accountId: number; ids: readonly number[] }) =>
  db.deleteFrom("emailMailbox").where("userId", "=", $.accountId).where("emailId", "in", $.ids),
);
const inMailboxes = read("places.emails", (db, $: { accountId: number; mailboxIds: readonly number[] }) =>
  db
    .selectFrom("emailMailbox")
    .select("emailId")
    .distinct()
    .where("userId", "=", $.accountId)
    .where("mailboxId", "in", $.mailboxIds)
    .orderBy("emailId")
    .limit(1000),
);

const keywordColumns = ["keyword", "receivedAt", "emailId"] as const;
type KeywordLists = { accountId: number } & Lists<"emailKeyword", (typeof keywordColumns)[number]>;
const insertKeywords = write("keywords.insert", (db, $: KeywordLists) =>
  insertLists(db, "emailKeyword", keywordColumns, $),
);
const removeKeywords = write("keywords.remove", (db, $: KeywordLists) =>
  db
    .deleteFrom("emailKeyword as k")
    .using(unnest("emailKeyword", keywordColumns, $))
    .where("k.userId", "=", $.accountId)
    .whereRef("k.keyword", "=", "x.keyword")
    .whereRef("k.receivedAt", "=", "x.receivedAt")
    .whereRef("k.emailId", "=", "x.emailId"),
);

/** The rows of the ids that exist, in no particular order. */
export async function findEmails(reader: Reader, ids: readonly number[]): Promise<EmailRow[]> {
  return ids.length === 0 ? [] : reader.run(byId, { accountId: reader.accountId, ids });
}

const isSeen = (keywords: readonly string[]) => keywords.includes("$seen");
const isDraft = (keywords: readonly string[]) => keywords.includes("$draft");

/** Inserts the emails' mailbox rows. `refreshHeads` sets the head bits later unless `head` is known. */
export async function insertEmailPlaces(tx: Tx, emails: readonly EmailState[], head = false): Promise<void> {
  const places = emails.flatMap(({ id, threadId, receivedAt, mailboxIds, keywords }) => {
    const place = { emailId: id, threadId, receivedAt, seen: isSeen(keywords), draft: isDraft(keywords), head };
    return mailboxIds.map((mailboxId) => ({ ...place, mailboxId }));
  });
  if (places.length > 0) tx.send(insertPlaces, { accountId: tx.accountId, ...lists(places, placeColumns) });
}

type KeywordRow = { keyword: string; email: EmailState };

function keywordLists({ accountId }: Tx, rows: readonly KeywordRow[]): KeywordLists {
  const kept = rows.map(({ keyword, email }) => ({ keyword, receivedAt: email.receivedAt, emailId: email.id }));
  return { accountId, ...lists(kept, keywordColumns) };
}

/** Inserts rows for all keywords except $seen, which email_mailbox stores. */
export async function insertEmailKeywords(tx: Tx, rows: readonly KeywordRow[]): Promise<void> {
  const kept = rows.filter((row) => row.keyword !== "$seen");
  if (kept.length > 0) tx.send(insertKeywords, keywordLists(tx, kept));
}

async function removeEmailKeywords(tx: Tx, rows: readonly KeywordRow[]): Promise<void> {
  const kept = rows.filter((row) => row.keyword !== "$seen");
  if (kept.length > 0) tx.send(removeKeywords, keywordLists(tx, kept));
}

const without = <T>(all: readonly T[], gone: readonly T[]) => all.filter((one) => !gone.includes(one));

/** Changes mailboxes and keywords of emails, with stored counts and change log. Each update must change something. */
export async function updateEmails(tx: Tx, updates: readonly EmailUpdate[]): Promise<void> {
  if (updates.length === 0) return;
  const moved = updates.filter((u) => isMoved(u));
  const reflagged = updates.filter(
    (u) => isSeen(u.before.keywords) !== isSeen(u.keywords) || isDraft(u.before.keywords) !== isDraft(u.keywords),
  );
  const threadIds = [...new Set([...moved, ...reflagged].map((u) => u.before.threadId))];
  const before = tally(tx, threadIds);
  const { accountId } = tx;
  const rows = updates.map((u) => ({ id: u.before.id, mailbox_ids: u.mailboxIds, keywords: u.keywords }));
  tx.send(updateRows, { accountId, rows: JSON.stringify(rows) });
  if (reflagged.length > 0) {
    const flags = reflagged.map(({ before, keywords }) => ({
      emailId: before.id,
      seen: isSeen(keywords),
      draft: isDraft(keywords),
    }));
    tx.send(flagPlaces, { accountId, ...lists(flags, ["emailId", "seen", "draft"]) });
  }
  await moveKeywords(tx, updates);
  if (moved.length > 0) await movePlaces(tx, moved);
  await applyTally(tx, before, tally(tx, threadIds));
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
  const left = moved.flatMap(({ before, mailboxIds }) =>
    without(before.mailboxIds, mailboxIds).map((mailboxId) => ({ mailboxId, emailId: before.id })),
  );
  if (left.length > 0) {
    tx.send(leavePlaces, { accountId: tx.accountId, ...lists(left, ["mailboxId", "emailId"]) });
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
 * Destroys emails with everything that depends on them. They may come back for a while (`deleted_email`), unless `isKept`
 * is false, as for a draft that another takes the place of: such are kept for legal holds alone.
 */
export async function destroyEmails(tx: Tx, emails: readonly EmailRow[], { isKept = true } = {}): Promise<void> {
  if (emails.length === 0) return;
  const { accountId } = tx;
  const ids = emails.map((email) => email.id);
  const nos = emails.map((email) => email.no);
  const threadIds = [...new Set(emails.map((email) => email.threadId))];
  const tallied = tally(tx, threadIds);
  keepDeleted(tx, ids, isKept);
  const removed = tx.run(remove, { accountId, ids });
  tx.send(removePlaces, { accountId, ids });
  await removeEmailKeywords(
    tx,
    emails.flatMap((email) => email.keywords.map((keyword) => ({ keyword, email }))),
  );
  const hashes = tx.run(removeMessages, { accountId, nos });
  await deleteTerms(tx, nos);
  const alive = tx.run(living, { accountId, threadIds });
  const [before, gone, messages, rest] = await Promise.all([tallied, removed, hashes, alive]);
  tx.grow(-gone.reduce((sum, { size }) => sum + size, 0));
  const left = new Set(rest.map((row) => row.threadId));
  const ended = threadIds.filter((id) => !left.has(id));
  await forgetThreads(tx, ended);
  if (left.size > 0) await refreshHeads(tx, [...left]);
  await applyTally(tx, before, tally(tx, [...left]));
  for (const { id, threadId, receivedAt } of emails) {
    tx.changed({ type: "Email", id, kind: Kind.destroyed, threadId, receivedAt });
  }
  for (const id of ended) tx.changed({ type: "Thread", id, kind: Kind.destroyed });
  for (const id of left) tx.changed({ type: "Thread", id, kind: Kind.properties });
  await releaseBlobs(
    tx,
    messages.map((row) => row.sha256),
    isKept ? deletedForMs : 0,
  );
}

/** RFC 8621 §2.5, onDestroyRemoveEmails: removes all emails from these mailboxes and destroys those left in none. */
export async function removeMailboxFromEmails(tx: Tx, mailboxIds: readonly number[]): Promise<void> {
  for (;;) {
    const found = await tx.run(inMailboxes, { accountId: tx.accountId, mailboxIds });
    if (found.length === 0) return;
    const emails = await findEmails(
      tx,
      found.map((row) => row.emailId),
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
    await destroyEmails(
      tx,
      rest.filter((u) => u.mailboxIds.length === 0).map((u) => u.before),
    );
  }
}
