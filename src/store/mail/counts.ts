import { sql } from "kysely";
import { Kind } from "../core/change.ts";
import { type Row, read, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";
import type { Tx } from "../core/store.ts";

const countColumns = ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"] as const;
type CountColumn = (typeof countColumns)[number];

/** The kept counts of RFC 8621 §2, as one mailbox's share from some threads. */
type Counts = Row<"mailbox", CountColumn>;
type TallyRow = Row<"mailbox", "id" | CountColumn>;
type Tally = Map<number, Counts>;
type Coming = Tally | Promise<Tally>;

/**
 * Unread: neither $seen nor $draft. A thread is unread in a mailbox when any of its emails outside the trash is,
 * in the trash when one in the trash is.
 */
const countPlaces = (accountId: number, which = sql``) => sql<TallyRow>`
  SELECT mailbox_id AS id, sum(n)::int AS "totalEmails", sum(u)::int AS "unreadEmails", count(*)::int AS "totalThreads",
    (count(*) FILTER (WHERE CASE WHEN in_trash THEN u ELSE outside END > 0))::int AS "unreadThreads"
  FROM (
    SELECT *, coalesce(sum(u) FILTER (WHERE NOT in_trash) OVER (PARTITION BY thread_id), 0) AS outside
    FROM (
      SELECT em.thread_id, em.mailbox_id, count(*) AS n, count(*) FILTER (WHERE NOT em.seen AND NOT em.draft) AS u,
        em.mailbox_id IS NOT DISTINCT FROM
          (SELECT m.id FROM mailbox m WHERE m.user_id = ${accountId} AND m.role = 'trash') AS in_trash
      FROM email_mailbox em WHERE em.user_id = ${accountId} ${which}
      GROUP BY em.thread_id, em.mailbox_id
    ) pairs
  ) threads
  GROUP BY mailbox_id`;

const ofThreads = read("counts.ofThreads", (_, $: { accountId: number; threadIds: readonly number[] }) =>
  countPlaces($.accountId, sql`AND em.thread_id = ANY(${$.threadIds}::bigint[])`),
);
const ofAccount = read("counts.ofAccount", (_, $: { accountId: number }) => countPlaces($.accountId));
const kept = read("counts.kept", (db, $: { accountId: number }) =>
  db
    .selectFrom("mailbox")
    .select(["id", ...countColumns])
    .where("userId", "=", $.accountId),
);

const add = write("counts.add", (db, $: { accountId: number } & Lists<"mailbox", "id" | CountColumn>) =>
  db
    .updateTable("mailbox as m")
    .from(unnest("mailbox", ["id", ...countColumns], $))
    .set((eb) => ({
      totalEmails: eb("m.totalEmails", "+", eb.ref("x.totalEmails")),
      unreadEmails: eb("m.unreadEmails", "+", eb.ref("x.unreadEmails")),
      totalThreads: eb("m.totalThreads", "+", eb.ref("x.totalThreads")),
      unreadThreads: eb("m.unreadThreads", "+", eb.ref("x.unreadThreads")),
    }))
    .where("m.userId", "=", $.accountId)
    .whereRef("m.id", "=", "x.id"),
);

const none: Counts = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };

function toTally(rows: TallyRow[]): Tally {
  return new Map(rows.map(({ id, ...counts }) => [id, counts]));
}

/** What these threads add to each mailbox's counts now. */
export async function tally(tx: Tx, threadIds: readonly number[]): Promise<Tally> {
  if (threadIds.length === 0) return new Map();
  return toTally(await tx.run(ofThreads, { accountId: tx.accountId, threadIds }));
}

/** Adds `after - before` to the kept counts and logs each mailbox whose counts moved. */
export async function applyTally(tx: Tx, ...tallies: [before: Coming, after: Coming]): Promise<void> {
  const [before, after] = await Promise.all(tallies);
  const moved = [...new Set([...before.keys(), ...after.keys()])]
    .map((id) => ({ id, ...difference(before.get(id) ?? none, after.get(id) ?? none) }))
    .filter((row) => countColumns.some((column) => row[column] !== 0));
  if (moved.length === 0) return;
  tx.send(add, { accountId: tx.accountId, ...lists(moved, ["id", ...countColumns]) });
  for (const { id } of moved) tx.changed({ type: "Mailbox", id, kind: Kind.counts });
}

function difference(before: Counts, after: Counts): Counts {
  return {
    totalEmails: after.totalEmails - before.totalEmails,
    unreadEmails: after.unreadEmails - before.unreadEmails,
    totalThreads: after.totalThreads - before.totalThreads,
    unreadThreads: after.unreadThreads - before.unreadThreads,
  };
}

/** Counts every mailbox anew: needed when the trash role moves, since the trash counts by its own rule. */
export async function recountMailboxes(tx: Tx): Promise<void> {
  const { accountId } = tx;
  await applyTally(tx, tx.run(kept, { accountId }).then(toTally), tx.run(ofAccount, { accountId }).then(toTally));
}
