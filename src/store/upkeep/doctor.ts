import { sql } from "kysely";
import type { Log } from "../../base/log.ts";
import { type ObjectKey, type ObjectStore, objectName, type StoredBlob } from "../blobs/objects/object-store.ts";
import { read, unnamed } from "../core/declare.ts";
import type { Reader, Store } from "../core/store.ts";
import { countOldTerms } from "../mail/search-terms.ts";
import { accountIds } from "./accounts.ts";
import { comparisons } from "./comparisons.ts";
import { heldObjects, inBatches, incomingObjects, overdueObjects } from "./held-objects.ts";

/** A problem that was found. */
export interface Finding {
  /** Undefined for a problem that belongs to no account. */
  accountId?: number;
  problem: string;
}

export interface ObjectTally {
  held: number;
  /** Objects without a reference, for which a writer may yet commit one or which a sweep will remove. */
  pending: number;
}

export interface DoctorOptions {
  store: Store;
  objects: ObjectStore;
  log: Log;
  /** Called often with a text that says what is being examined. */
  progress: (text: string) => void;
}

export interface Examination {
  findings: Finding[];
  objects: ObjectTally;
  /** Messages whose search terms are of an older version. */
  oldTerms: number;
}

/** Compares everything that is stored twice, and all references with their objects. Changes nothing. */
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
  const ofIncoming = await wrongObjects(options, await incomingObjects(store.database));
  const { problems, ...objects } = await tallyObjects(options);
  for (const problem of ofIncoming) findings.push({ problem: `${problem} (an incoming message)` });
  for (const problem of problems) findings.push({ problem });
  return { findings, objects, oldTerms };
}

/** Examines one account in one snapshot. */
export async function examineAccount(options: DoctorOptions, accountId: number): Promise<Finding[]> {
  options.progress("counts and rows");
  const { problems, references } = await options.store.snapshot(accountId, "server", async (reader) => {
    const found: string[] = await wrongCounts(reader);
    for (const { problem, query } of comparisons) {
      const [row] = await reader.run(query, { accountId });
      if (row && row.count > 0) found.push(`${row.count} ${problem} (for example, ${row.example})`);
    }
    return { problems: found, references: await reader.run(allReferences, { accountId }) };
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
      if (size === undefined) problems.push(`the object ${objectName(reference)} is missing`);
      else if (size !== reference.size)
        problems.push(`the object ${objectName(reference)} has ${size} bytes instead of ${reference.size}`);
    }
  }
  return problems;
}

async function wrongCounts(reader: Reader): Promise<string[]> {
  const { accountId } = reader;
  const trash = (await reader.run(trashOf, { accountId }))[0]?.id ?? 0;
  const rows = await reader.run(recount, { accountId, trash });
  return rows.map(({ id, name, kept, real }) => `mailbox ${id}: ${name} is stored as ${kept} but should be ${real}`);
}

async function tallyObjects(options: DoctorOptions): Promise<ObjectTally & { problems: string[] }> {
  const { store, objects, progress } = options;
  const tally: ObjectTally = { held: 0, pending: 0 };
  const overdue = new Map<string, { count: number; example: ObjectKey }>();
  const problems: string[] = [];
  let seen = 0;
  const tell = () => progress(`all bodies: ${++seen} seen`);
  for await (const some of inBatches(counted(objects.list(), tell), ({ message }) => problems.push(message))) {
    const held = await heldObjects(store.database, some);
    const unheld = some.filter((object) => !held.has(objectName(object)));
    const late = await stillThere(objects, await overdueObjects(store, unheld));
    tally.held += some.length - unheld.length;
    tally.pending += unheld.length - late.length;
    for (const object of late) {
      const { count, example } = overdue.get(object.day) ?? { count: 0, example: object };
      overdue.set(object.day, { count: count + 1, example });
    }
  }
  for (const { count, example } of overdue.values()) {
    const which = `for example, ${objectName(example)}`;
    problems.push(`${count} objects that nothing refers to and no sweep removed (${which})`);
  }
  return { ...tally, problems };
}

async function* counted(objects: AsyncIterable<StoredBlob>, tell: () => void): AsyncIterable<StoredBlob> {
  for await (const object of objects) {
    tell();
    yield object;
  }
}

/** Those that still exist: a sweep may have run since they were listed. */
async function stillThere(objects: ObjectStore, listed: StoredBlob[]): Promise<StoredBlob[]> {
  const left: StoredBlob[] = [];
  for (const object of listed) if (await objects.exists(object)) left.push(object);
  return left;
}

const perAccount = unnamed("accounts differ widely in size, so each is planned anew");

const trashOf = read(
  "doctor.trash",
  (db, $: { accountId: number }) =>
    db.selectFrom("mailbox").select("id").where("userId", "=", $.accountId).where("role", "=", "trash"),
  perAccount,
);

/** The wrong counts. RFC 8621 §2: only its emails there make a thread unread in the trash, and only others elsewhere. */
const recount = read(
  "doctor.recount",
  (_, $: { accountId: number; trash: number }) => sql<{ id: number; name: string; kept: number; real: number }>`
  WITH unread AS (
    SELECT em.thread_id, bool_or(em.mailbox_id = ${$.trash}) AS in_trash, bool_or(em.mailbox_id <> ${$.trash}) AS elsewhere
    FROM email_mailbox em WHERE em.user_id = ${$.accountId} AND NOT em.seen AND NOT em.draft GROUP BY em.thread_id
  ), counted AS (
    SELECT em.mailbox_id, count(*)::integer AS total_emails,
      (count(*) FILTER (WHERE NOT em.seen AND NOT em.draft))::integer AS unread_emails,
      count(DISTINCT em.thread_id)::integer AS total_threads,
      (count(DISTINCT em.thread_id) FILTER (
        WHERE CASE WHEN em.mailbox_id = ${$.trash} THEN u.in_trash ELSE u.elsewhere END))::integer AS unread_threads
    FROM email_mailbox em LEFT JOIN unread u ON u.thread_id = em.thread_id
    WHERE em.user_id = ${$.accountId} GROUP BY em.mailbox_id
  )
  SELECT m.id, x.name, x.kept, x.real FROM mailbox m LEFT JOIN counted c ON c.mailbox_id = m.id, LATERAL (VALUES
    ('total_emails', m.total_emails, coalesce(c.total_emails, 0)),
    ('unread_emails', m.unread_emails, coalesce(c.unread_emails, 0)),
    ('total_threads', m.total_threads, coalesce(c.total_threads, 0)),
    ('unread_threads', m.unread_threads, coalesce(c.unread_threads, 0))) x (name, kept, real)
  WHERE m.user_id = ${$.accountId} AND x.kept <> x.real ORDER BY m.id`,
  perAccount,
);

const allReferences = read(
  "doctor.references",
  (db, $: { accountId: number }) =>
    db.selectFrom("blobRef").select(["sha256", "day", "size", "pack"]).where("userId", "=", $.accountId),
  perAccount,
);
