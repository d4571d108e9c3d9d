import { type RawBuilder, sql } from "kysely";
import { holders } from "../blobs/holders.ts";
import { read, unnamed } from "../core/declare.ts";

type Account = { accountId: number };
type Tally = { count: number; example: string | null };

const comparison = (name: string, problem: string, rows: ($: Account) => RawBuilder<unknown>) => ({
  problem,
  query: read(
    `doctor.compare-${name}`,
    (_, $: Account) =>
      sql<Tally>`SELECT count(*) AS count, min(wrong.example::text) AS example FROM (${rows($)}) wrong`,
    unnamed("accounts differ widely in size, so each is planned anew"),
  ),
});

/** Each finds data that is stored in two places and differs, or references to rows that are gone. */
export const comparisons = [
  comparison(
    "storage",
    "account with a wrong stored use of storage",
    ({ accountId }) => sql`SELECT a.used AS example FROM account a
     WHERE a.user_id = ${accountId} AND a.used <> (SELECT coalesce(sum(e.size), 0) FROM email e WHERE e.user_id = ${accountId})`,
  ),
  comparison(
    "heads",
    "wrong heads of threads in mailboxes",
    ({ accountId }) => sql`SELECT h.email_id AS example FROM (
       SELECT em.email_id, em.head, row_number() OVER (
         PARTITION BY em.mailbox_id, em.thread_id ORDER BY em.received_at DESC, em.email_id DESC) = 1 AS newest
       FROM email_mailbox em WHERE em.user_id = ${accountId}) h
     WHERE h.head <> h.newest`,
  ),
  comparison(
    "mailboxes",
    "emails whose mailboxes differ between two tables",
    ({ accountId }) => sql`SELECT coalesce(a.email_id, b.email_id) AS example
     FROM (SELECT e.id AS email_id, unnest(e.mailbox_ids) AS mailbox_id FROM email e WHERE e.user_id = ${accountId}) a
     FULL JOIN (SELECT em.email_id, em.mailbox_id FROM email_mailbox em WHERE em.user_id = ${accountId}) b
       ON b.email_id = a.email_id AND b.mailbox_id = a.mailbox_id
     WHERE a.email_id IS NULL OR b.email_id IS NULL`,
  ),
  comparison(
    "places",
    "mailbox rows that differ from their email",
    ({
      accountId,
    }) => sql`SELECT em.email_id AS example FROM email_mailbox em JOIN email e ON e.user_id = ${accountId} AND e.id = em.email_id
     WHERE em.user_id = ${accountId} AND (em.thread_id, em.received_at, em.seen, em.draft) IS DISTINCT FROM
       (e.thread_id, e.received_at, '$seen' = ANY(e.keywords), '$draft' = ANY(e.keywords))`,
  ),
  comparison(
    "homeless",
    "emails in no mailbox",
    ({ accountId }) => sql`SELECT e.id AS example FROM email e WHERE e.user_id = ${accountId} AND e.mailbox_ids = '{}'`,
  ),
  comparison(
    "lostMailboxes",
    "emails in a mailbox that does not exist",
    ({ accountId }) => sql`SELECT em.email_id AS example FROM email_mailbox em
     LEFT JOIN mailbox m ON m.user_id = ${accountId} AND m.id = em.mailbox_id WHERE em.user_id = ${accountId} AND m.id IS NULL`,
  ),
  comparison(
    "keywords",
    "emails whose keywords differ between two tables",
    ({ accountId }) => sql`SELECT coalesce(a.email_id, b.email_id) AS example
     FROM (SELECT e.id AS email_id, e.received_at, k.keyword FROM email e, unnest(e.keywords) AS k (keyword)
           WHERE e.user_id = ${accountId} AND k.keyword <> '$seen') a
     FULL JOIN (SELECT ek.email_id, ek.received_at, ek.keyword FROM email_keyword ek WHERE ek.user_id = ${accountId}) b
       ON b.email_id = a.email_id AND b.keyword = a.keyword AND b.received_at = a.received_at
     WHERE a.email_id IS NULL OR b.email_id IS NULL`,
  ),
  comparison(
    "messages",
    "emails without their message, or messages without an email",
    ({ accountId }) => sql`SELECT coalesce(e.id, m.no) AS example
     FROM (SELECT id, no FROM email WHERE user_id = ${accountId}) e
     FULL JOIN (SELECT no FROM message WHERE user_id = ${accountId}) m ON m.no = e.no WHERE e.no IS NULL OR m.no IS NULL`,
  ),
  comparison(
    "terms",
    "messages without search terms, or terms without a message",
    ({ accountId }) => sql`SELECT coalesce(m.no, s.no) AS example
     FROM (SELECT no FROM message WHERE user_id = ${accountId}) m
     FULL JOIN (SELECT no FROM search WHERE user_id = ${accountId} UNION SELECT no FROM search_part WHERE user_id = ${accountId}) s
       ON s.no = m.no WHERE m.no IS NULL OR s.no IS NULL`,
  ),
  // A subject or preview with words must have terms. This check cannot see that the last rows are missing.
  comparison(
    "partialTerms",
    "messages whose search terms are missing or incomplete",
    ({
      accountId,
    }) => sql`SELECT s.no AS example FROM search s JOIN message m ON m.user_id = ${accountId} AND m.no = s.no
     LEFT JOIN (SELECT no, count(*) AS rows, max(part) AS last FROM search_part WHERE user_id = ${accountId} GROUP BY no) p
       ON p.no = s.no
     WHERE s.user_id = ${accountId} AND CASE WHEN p.no IS NULL
       THEN s.version > 0 AND length(s.terms) = 0 AND concat(m.subject, m.preview) ~ '[A-Za-z0-9]'
       ELSE length(s.terms) > 0 OR p.rows = 1 OR p.rows <> p.last + 1 END`,
  ),
  comparison(
    "deletedBodies",
    "destroyed emails whose body is not kept",
    ({ accountId }) => sql`SELECT d.id AS example FROM deleted_email d
     LEFT JOIN blob_ref b ON b.user_id = ${accountId} AND b.sha256 = d.sha256 WHERE d.user_id = ${accountId} AND b.sha256 IS NULL`,
  ),
  comparison(
    "deletedTwice",
    "destroyed emails that are there all the same",
    ({
      accountId,
    }) => sql`SELECT d.id AS example FROM deleted_email d JOIN email e ON e.user_id = ${accountId} AND e.id = d.id
     WHERE d.user_id = ${accountId}`,
  ),
  ...holders.map(({ type, table, id, hash }) =>
    comparison(
      `blobs-of-${type}`,
      `${type} without a reference to their blob`,
      ({ accountId }) => sql`SELECT ${sql.ref(`h.${id}`)} AS example FROM ${sql.table(table)} h
       LEFT JOIN blob_ref b ON b.user_id = ${accountId} AND b.sha256 = ${sql.ref(`h.${hash}`)} AND b.released_at IS NULL
       WHERE h.user_id = ${accountId} AND length(${sql.ref(`h.${hash}`)}) > 0 AND b.sha256 IS NULL`,
    ),
  ),
];
