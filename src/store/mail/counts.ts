import { Kind } from "../core/change.ts";
import { statement } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";

/** The kept counts of RFC 8621 §2, as one mailbox's share from some threads. */
export interface Counts {
  emails: number;
  unreadEmails: number;
  threads: number;
  unreadThreads: number;
}
export type Tally = Map<number, Counts>;

interface TallyRow extends Counts {
  mailbox_id: number;
}

/**
 * Unread: neither $seen nor $draft. A thread is unread in a mailbox when any of its emails outside the trash is,
 * in the trash when one in the trash is.
 */
const tallyColumns = `
  SELECT mailbox_id, sum(n)::int AS emails, sum(u)::int AS "unreadEmails", count(*)::int AS threads,
    (count(*) FILTER (WHERE CASE WHEN in_trash THEN u ELSE outside END > 0))::int AS "unreadThreads"
  FROM (
    SELECT *, coalesce(sum(u) FILTER (WHERE NOT in_trash) OVER (PARTITION BY thread_id), 0) AS outside
    FROM (
      SELECT em.thread_id, em.mailbox_id, count(*) AS n, count(*) FILTER (WHERE NOT em.seen AND NOT em.draft) AS u,
        em.mailbox_id IS NOT DISTINCT FROM
          (SELECT m.id FROM mailbox m WHERE m.user_id = $1 AND m.role = 'trash') AS in_trash
      FROM email_mailbox em`;
const tallyEnd = `
      GROUP BY em.thread_id, em.mailbox_id
    ) pairs
  ) threads
  GROUP BY mailbox_id`;

const tallyThreads = statement<TallyRow>(
  `${tallyColumns} WHERE em.user_id = $1 AND em.thread_id = ANY($2::bigint[]) ${tallyEnd}`,
);
const tallyAccount = statement<TallyRow>(`${tallyColumns} WHERE em.user_id = $1 ${tallyEnd}`);

const addCounts = statement(`
  UPDATE mailbox m SET total_emails = m.total_emails + d.emails, unread_emails = m.unread_emails + d.unread_emails,
    total_threads = m.total_threads + d.threads, unread_threads = m.unread_threads + d.unread_threads
  FROM unnest($2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[])
    AS d (id, emails, unread_emails, threads, unread_threads)
  WHERE m.user_id = $1 AND m.id = d.id`);

const keptCounts = statement<TallyRow>(`
  SELECT m.id AS mailbox_id, m.total_emails AS emails, m.unread_emails AS "unreadEmails",
    m.total_threads AS threads, m.unread_threads AS "unreadThreads"
  FROM mailbox m WHERE m.user_id = $1`);

const none: Counts = { emails: 0, unreadEmails: 0, threads: 0, unreadThreads: 0 };

function toTally(rows: TallyRow[]): Tally {
  return new Map(rows.map(({ mailbox_id, ...counts }) => [mailbox_id, counts]));
}

/** What these threads add to each mailbox's counts now. */
export async function tally(tx: Tx, threadIds: readonly number[]): Promise<Tally> {
  return threadIds.length === 0 ? new Map() : toTally(await tx.run(tallyThreads, [tx.accountId, threadIds]));
}

/** Adds `after - before` to the kept counts and logs each mailbox whose counts moved. */
export async function applyTally(tx: Tx, before: Tally, after: Tally): Promise<void> {
  const moved = [...new Set([...before.keys(), ...after.keys()])]
    .map((id) => ({ id, old: before.get(id) ?? none, new: after.get(id) ?? none }))
    .map((m) => ({
      id: m.id,
      emails: m.new.emails - m.old.emails,
      unreadEmails: m.new.unreadEmails - m.old.unreadEmails,
      threads: m.new.threads - m.old.threads,
      unreadThreads: m.new.unreadThreads - m.old.unreadThreads,
    }))
    .filter((m) => m.emails !== 0 || m.unreadEmails !== 0 || m.threads !== 0 || m.unreadThreads !== 0);
  if (moved.length === 0) return;
  await tx.run(addCounts, [
    tx.accountId,
    moved.map((m) => m.id),
    moved.map((m) => m.emails),
    moved.map((m) => m.unreadEmails),
    moved.map((m) => m.threads),
    moved.map((m) => m.unreadThreads),
  ]);
  for (const { id } of moved) tx.changed({ type: "Mailbox", id, kind: Kind.counts });
}

/** Counts every mailbox anew: needed when the trash role moves, since the trash counts by its own rule. */
export async function recountMailboxes(tx: Tx): Promise<void> {
  const kept = toTally(await tx.run(keptCounts, [tx.accountId]));
  await applyTally(tx, kept, toTally(await tx.run(tallyAccount, [tx.accountId])));
}
