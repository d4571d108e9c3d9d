import type { Log } from "../../base/log.ts";
import type { ListedObject, ObjectKey, ObjectStore, StoredBlob } from "../blobs/objects/object-store.ts";
import { type Statement, unprepared } from "../core/sql.ts";
import type { Reader, Store } from "../core/store.ts";
import { countOldTerms } from "../mail/search-terms.ts";
import { accountIds, heldObjects, inBatches, incomingObjects, keyOf, overdueObjects } from "./sweeps.ts";

/** Something that is not as it should be. */
export interface Finding {
  /** Undefined for what belongs to no account. */
  accountId?: number;
  problem: string;
}

export interface ObjectTally {
  held: number;
  /** Without a reference, but not for long: a writer may be about to commit one, or a sweep to remove them. */
  pending: number;
}

export interface DoctorOptions {
  store: Store;
  objects: ObjectStore;
  log: Log;
  /** Told often what is being looked at, as text. */
  progress: (text: string) => void;
}

export interface Examination {
  findings: Finding[];
  objects: ObjectTally;
  /** Messages whose search terms are of an older version. */
  oldTerms: number;
}

/** Compares all that is kept twice, and all references with the objects they name. Changes nothing. */
export async function examine(options: DoctorOptions): Promise<Examination> {
  const { store, progress } = options;
  const findings: Finding[] = [];
  let oldTerms = 0;
  const accounts = await accountIds(store.database);
  for (const [index, accountId] of accounts.entries()) {
    const place = `account ${index + 1} of ${accounts.length}`;
    const own = { ...options, progress: (text: string) => progress(`${place}: ${text}`) };
    findings.push(...(await examineAccount(own, accountId)));
    oldTerms += await countOldTerms(store.reader(accountId, "server"));
  }
  const onItsWay = await wrongObjects(options, await incomingObjects(store.database));
  const { problems, ...objects } = await tallyObjects(options);
  for (const problem of onItsWay) findings.push({ problem: `${problem}: a message on its way` });
  for (const problem of problems) findings.push({ problem });
  return { findings, objects, oldTerms };
}

/** One account, as one snapshot shows it. */
export async function examineAccount(options: DoctorOptions, accountId: number): Promise<Finding[]> {
  options.progress("counts and rows");
  const { problems, references } = await options.store.snapshot(accountId, "server", async (reader) => {
    const found: string[] = await wrongCounts(reader);
    for (const { name, query } of comparisons) {
      const [row] = await reader.run(query, [accountId]);
      if (row && row.count > 0) found.push(`${row.count} ${name} (for one, ${row.example})`);
    }
    return { problems: found, references: await reader.run(selectReferences, [accountId]) };
  });
  problems.push(...(await wrongObjects(options, references)));
  return problems.map((problem) => ({ accountId, problem }));
}

async function wrongObjects({ objects, progress }: DoctorOptions, references: StoredBlob[]): Promise<string[]> {
  const problems: string[] = [];
  for (let start = 0; start < references.length; start += 64) {
    progress(`${start} of ${references.length} bodies`);
    const some = references.slice(start, start + 64);
    const sizes = await Promise.all(some.map((reference) => objects.size(reference)));
    for (const [index, reference] of some.entries()) {
      const size = sizes[index];
      if (size === undefined) problems.push(`the object ${keyOf(reference)} is missing`);
      else if (size !== reference.size)
        problems.push(`the object ${keyOf(reference)} is of ${size} bytes, not of ${reference.size}`);
    }
  }
  return problems;
}

async function wrongCounts(reader: Reader): Promise<string[]> {
  const trash = (await reader.run(selectTrash, [reader.accountId]))[0]?.id ?? 0;
  const rows = await reader.run(recount, [reader.accountId, trash]);
  return rows.flatMap((row) =>
    (["total_emails", "unread_emails", "total_threads", "unread_threads"] as const)
      .filter((name) => row[name] !== row[`real_${name}`])
      .map((name) => `mailbox ${row.id}: ${name} is kept as ${row[name]}, but there are ${row[`real_${name}`]}`),
  );
}

async function tallyObjects(options: DoctorOptions): Promise<ObjectTally & { problems: string[] }> {
  const { store, objects, progress } = options;
  const tally: ObjectTally = { held: 0, pending: 0 };
  const problems: string[] = [];
  let seen = 0;
  const days = await objects.days();
  for (const [index, day] of days.entries()) {
    const overdue: ObjectKey[] = [];
    const tell = () => progress(`all bodies: day ${index + 1} of ${days.length}, ${++seen} seen`);
    for await (const some of inBatches(counted(objects.list(day), tell))) {
      const held = await heldObjects(store.database, some);
      const unheld = some.filter((object) => !held.has(keyOf(object)));
      const late = await stillThere(objects, await overdueObjects(store, unheld));
      tally.held += some.length - unheld.length;
      tally.pending += unheld.length - late.length;
      overdue.push(...late);
    }
    if (overdue.length > 0)
      problems.push(
        `${overdue.length} objects that nothing refers to and no sweep removed (for one, ${keyOf(overdue[0]!)})`,
      );
  }
  return { ...tally, problems };
}

async function* counted(objects: AsyncIterable<ListedObject>, tell: () => void): AsyncIterable<ListedObject> {
  for await (const object of objects) {
    tell();
    yield object;
  }
}

/** A sweep may have run since they were listed. */
async function stillThere(objects: ObjectStore, listed: ListedObject[]): Promise<ListedObject[]> {
  const left: ListedObject[] = [];
  for (const object of listed) if (await objects.exists(object)) left.push(object);
  return left;
}

type Counts = Record<"total_emails" | "unread_emails" | "total_threads" | "unread_threads", number>;
type RealCounts = { [Name in keyof Counts as `real_${Name}`]: number };

const selectTrash = unprepared<{ id: number }>("SELECT id FROM mailbox WHERE user_id = $1 AND role = 'trash'");

/** RFC 8621 §2: unread emails that are only in the trash count there alone, and nothing else counts there. */
const recount = unprepared<{ id: number } & Counts & RealCounts>(`
  WITH unread AS (
    SELECT em.thread_id, bool_or(em.mailbox_id = $2) AS in_trash, bool_or(em.mailbox_id <> $2) AS elsewhere
    FROM email_mailbox em WHERE em.user_id = $1 AND NOT em.seen AND NOT em.draft GROUP BY em.thread_id
  ), counted AS (
    SELECT em.mailbox_id, count(*)::integer AS total_emails,
      (count(*) FILTER (WHERE NOT em.seen AND NOT em.draft))::integer AS unread_emails,
      count(DISTINCT em.thread_id)::integer AS total_threads,
      (count(DISTINCT em.thread_id) FILTER (
        WHERE CASE WHEN em.mailbox_id = $2 THEN u.in_trash ELSE u.elsewhere END))::integer AS unread_threads
    FROM email_mailbox em LEFT JOIN unread u ON u.thread_id = em.thread_id
    WHERE em.user_id = $1 GROUP BY em.mailbox_id
  )
  SELECT m.id, m.total_emails, m.unread_emails, m.total_threads, m.unread_threads,
    coalesce(c.total_emails, 0) AS real_total_emails, coalesce(c.unread_emails, 0) AS real_unread_emails,
    coalesce(c.total_threads, 0) AS real_total_threads, coalesce(c.unread_threads, 0) AS real_unread_threads
  FROM mailbox m LEFT JOIN counted c ON c.mailbox_id = m.id WHERE m.user_id = $1 ORDER BY m.id`);

const selectReferences = unprepared<{ sha256: Buffer; day: string; size: number }>(
  "SELECT sha256, day, size FROM blob_ref WHERE user_id = $1",
);

type Tally = { count: number; example: string };
const comparison = (name: string, rows: string): { name: string; query: Statement<Tally> } => ({
  name,
  query: unprepared<Tally>(`SELECT count(*) AS count, min(wrong.example::text) AS example FROM (${rows}) wrong`),
});

const comparisons = [
  comparison(
    "account whose use of storage is kept wrong",
    `SELECT a.used AS example FROM account a
     WHERE a.user_id = $1 AND a.used <> (SELECT coalesce(sum(e.size), 0) FROM email e WHERE e.user_id = $1)`,
  ),
  comparison(
    "wrong heads of threads in mailboxes",
    `SELECT h.email_id AS example FROM (
       SELECT em.email_id, em.head, row_number() OVER (
         PARTITION BY em.mailbox_id, em.thread_id ORDER BY em.received_at DESC, em.email_id DESC) = 1 AS newest
       FROM email_mailbox em WHERE em.user_id = $1) h
     WHERE h.head <> h.newest`,
  ),
  comparison(
    "emails whose mailboxes are kept differently in two places",
    `SELECT coalesce(a.email_id, b.email_id) AS example
     FROM (SELECT e.id AS email_id, unnest(e.mailbox_ids) AS mailbox_id FROM email e WHERE e.user_id = $1) a
     FULL JOIN (SELECT em.email_id, em.mailbox_id FROM email_mailbox em WHERE em.user_id = $1) b
       ON b.email_id = a.email_id AND b.mailbox_id = a.mailbox_id
     WHERE a.email_id IS NULL OR b.email_id IS NULL`,
  ),
  comparison(
    "rows of emails in mailboxes that differ from the email",
    `SELECT em.email_id AS example FROM email_mailbox em JOIN email e ON e.user_id = $1 AND e.id = em.email_id
     WHERE em.user_id = $1 AND (em.thread_id, em.received_at, em.seen, em.draft) IS DISTINCT FROM
       (e.thread_id, e.received_at, '$seen' = ANY(e.keywords), '$draft' = ANY(e.keywords))`,
  ),
  comparison(
    "emails in no mailbox",
    "SELECT e.id AS example FROM email e WHERE e.user_id = $1 AND e.mailbox_ids = '{}'",
  ),
  comparison(
    "emails in a mailbox that is gone",
    `SELECT em.email_id AS example FROM email_mailbox em
     LEFT JOIN mailbox m ON m.user_id = $1 AND m.id = em.mailbox_id WHERE em.user_id = $1 AND m.id IS NULL`,
  ),
  comparison(
    "emails whose keywords are kept differently in two places",
    `SELECT coalesce(a.email_id, b.email_id) AS example
     FROM (SELECT e.id AS email_id, e.received_at, k.keyword FROM email e, unnest(e.keywords) AS k (keyword)
           WHERE e.user_id = $1 AND k.keyword <> '$seen') a
     FULL JOIN (SELECT ek.email_id, ek.received_at, ek.keyword FROM email_keyword ek WHERE ek.user_id = $1) b
       ON b.email_id = a.email_id AND b.keyword = a.keyword AND b.received_at = a.received_at
     WHERE a.email_id IS NULL OR b.email_id IS NULL`,
  ),
  comparison(
    "emails without their message, or messages without an email",
    `SELECT coalesce(e.id, m.no) AS example
     FROM (SELECT id, no FROM email WHERE user_id = $1) e
     FULL JOIN (SELECT no FROM message WHERE user_id = $1) m ON m.no = e.no WHERE e.no IS NULL OR m.no IS NULL`,
  ),
  comparison(
    "messages without search terms, or terms without a message",
    `SELECT coalesce(m.no, s.no) AS example
     FROM (SELECT no FROM message WHERE user_id = $1) m
     FULL JOIN (SELECT no FROM search WHERE user_id = $1 UNION SELECT no FROM search_part WHERE user_id = $1) s
       ON s.no = m.no WHERE m.no IS NULL OR s.no IS NULL`,
  ),
  // A word of these is a term; that the last rows are gone is not to be seen here.
  comparison(
    "messages whose search terms are gone, or are there in part",
    `SELECT s.no AS example FROM search s JOIN message m ON m.user_id = $1 AND m.no = s.no
     LEFT JOIN (SELECT no, count(*) AS rows, max(part) AS last FROM search_part WHERE user_id = $1 GROUP BY no) p
       ON p.no = s.no
     WHERE s.user_id = $1 AND CASE WHEN p.no IS NULL
       THEN s.version > 0 AND length(s.terms) = 0 AND concat(m.subject, m.preview) ~ '[A-Za-z0-9]'
       ELSE length(s.terms) > 0 OR p.rows = 1 OR p.rows <> p.last + 1 END`,
  ),
  comparison(
    "messages without a reference to their blob",
    `SELECT m.no AS example FROM message m
     LEFT JOIN blob_ref b ON b.user_id = $1 AND b.sha256 = m.sha256 AND b.released_at IS NULL
     WHERE m.user_id = $1 AND b.sha256 IS NULL`,
  ),
  comparison(
    "submissions without a reference to their blob",
    `SELECT s.id AS example FROM submission s
     LEFT JOIN blob_ref b ON b.user_id = $1 AND b.sha256 = s.sha256 AND b.released_at IS NULL
     WHERE s.user_id = $1 AND b.sha256 IS NULL`,
  ),
];
