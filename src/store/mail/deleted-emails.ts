import { sql } from "kysely";
import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";
import type { Reader, Tx } from "../core/store.ts";

/** For how long a destroyed email may come back, unless the operator says otherwise. */
export const deletedForMs = 30 * 24 * 3_600_000;

/** What is listed of a destroyed email. `from`: as in a message's row. */
export type ListedDeletion = Row<
  "deletedEmail",
  "id" | "size" | "receivedAt" | "mailboxIds" | "from" | "subject" | "deletedAt"
>;

/** What brings a destroyed email back, with the place of its body. */
export type Deletion = Row<
  "deletedEmail",
  "id" | "sha256" | "size" | "receivedAt" | "mailboxIds" | "keywords" | "taughtSpam" | "scan" | "authentication"
> &
  Row<"blobRef", "day" | "pack">;

const columns = [
  ...(["userId", "id", "sha256", "size", "receivedAt", "mailboxIds", "keywords", "taughtSpam"] as const),
  ...(["from", "subject", "scan", "authentication", "deletedAt", "hidden"] as const),
];

/** One statement on one shard, sent before the rows that it reads are deleted. */
const keep = write(
  "deletedEmails.keep",
  (db, $: { accountId: number; ids: readonly number[]; isShown: boolean; now: Date }) =>
    db
      .insertInto("deletedEmail")
      .columns(columns)
      .expression(
        db
          .selectFrom("email as e")
          .innerJoin("message as m", (join) => join.on("m.userId", "=", $.accountId).onRef("m.no", "=", "e.no"))
          .innerJoin("account as a", (join) => join.on("a.userId", "=", $.accountId))
          .select([
            ...(["e.userId", "e.id", "m.sha256", "e.size", "e.receivedAt", "e.mailboxIds", "e.keywords"] as const),
            ...(["e.taughtSpam", "m.from", "m.subject", "m.scan", "m.authentication"] as const),
            sql<Date>`${$.now}::timestamptz`.as("deletedAt"),
            sql<boolean>`NOT ${$.isShown}::boolean`.as("hidden"),
          ])
          .where("e.userId", "=", $.accountId)
          .where("e.id", "in", $.ids)
          .where(sql<boolean>`(${$.isShown}::boolean OR a.is_held OR a.keep_for IS NOT NULL)`),
      ),
);

type Page = { accountId: number; since: Date; until: Date; limit: number };
const page = read("deletedEmails.page", (db, $: Page & { before: Date; beforeId: number }) =>
  db
    .selectFrom("deletedEmail")
    .select(["id", "size", "receivedAt", "mailboxIds", "from", "subject", "deletedAt"])
    .where("userId", "=", $.accountId)
    .where("deletedAt", ">", $.since)
    .where("deletedAt", "<=", $.until)
    .where("hidden", "=", false)
    .where(sql<boolean>`(deleted_at, id) < (${$.before}, ${$.beforeId})`)
    .orderBy("deletedAt", "desc")
    .orderBy("id", "desc")
    .limit($.limit),
);
const count = read("deletedEmails.count", (db, $: { accountId: number; since: Date }) =>
  db
    .selectFrom("deletedEmail")
    .select((eb) => [eb.fn.countAll<number>().as("count"), sql<number>`coalesce(sum(size), 0)::bigint`.as("bytes")])
    .where("userId", "=", $.accountId)
    .where("hidden", "=", false)
    .where("deletedAt", ">", $.since),
);
const byIds = read("deletedEmails.byIds", (db, $: { accountId: number; ids: readonly number[]; since: Date }) =>
  db
    .selectFrom("deletedEmail as d")
    .innerJoin("blobRef as r", (join) => join.on("r.userId", "=", $.accountId).onRef("r.sha256", "=", "d.sha256"))
    .select([
      ...(["d.id", "d.sha256", "d.size", "d.receivedAt", "d.mailboxIds", "d.keywords", "d.taughtSpam"] as const),
      ...(["d.scan", "d.authentication", "r.day", "r.pack"] as const),
    ])
    .where("d.userId", "=", $.accountId)
    .where("d.id", "in", $.ids)
    .where("d.deletedAt", ">", $.since)
    .where("d.hidden", "=", false),
);
const present = read("deletedEmails.present", (db, $: { accountId: number; ids: readonly number[] }) =>
  db.selectFrom("deletedEmail").select("id").where("userId", "=", $.accountId).where("id", "in", $.ids),
);
const remove = write("deletedEmails.remove", (db, $: { accountId: number; ids: readonly number[] }) =>
  db.deleteFrom("deletedEmail").where("userId", "=", $.accountId).where("id", "in", $.ids),
);
const noteTaught = write(
  "deletedEmails.taught",
  (_, $: { accountId: number; ids: readonly number[]; spam: readonly boolean[] }) => sql<never>`
  UPDATE email e SET taught_spam = x.spam FROM unnest(${$.ids}::bigint[], ${$.spam}::boolean[]) AS x (id, spam)
  WHERE e.user_id = ${$.accountId} AND e.id = x.id`,
);

/** Not what a hold covers, nor what a rule keeps for longer. */
const dropOld = write("deletedEmails.dropOld", (db, $: { accountId: number; until: Date; now: Date }) =>
  db
    .deleteFrom("deletedEmail as d")
    .using("account as a")
    .where("d.userId", "=", $.accountId)
    .where("a.userId", "=", $.accountId)
    .where("d.deletedAt", "<=", $.until)
    .where("a.isHeld", "=", false)
    // An interval taken from a time is not immutable, which Citus asks of a DELETE; the difference of two times is.
    .where(sql<boolean>`(a.keep_for IS NULL OR ${$.now}::timestamptz - d.received_at >= a.keep_for * interval '1 day')`)
    .returning("d.sha256"),
);
/** Emails that are kept were in some of them. */
const dropOldMailboxes = write("deletedMailboxes.dropOld", (db, $: { accountId: number; until: Date }) =>
  db
    .deleteFrom("deletedMailbox as m")
    .using("account as a")
    .where("m.userId", "=", $.accountId)
    .where("a.userId", "=", $.accountId)
    .where("m.deletedAt", "<=", $.until)
    .where("a.isHeld", "=", false)
    .where("a.keepFor", "is", null),
);
/** Bodies that no other destroyed email keeps may go a day from now. */
const letGo = write("deletedEmails.letGo", (db, $: { accountId: number; sha256s: Buffer[]; now: Date }) =>
  db
    .updateTable("blobRef as r")
    .set({ releasedAt: $.now })
    .where("r.userId", "=", $.accountId)
    .where("r.sha256", "in", $.sha256s)
    .where("r.releasedAt", ">", $.now)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("deletedEmail as d")
            .select("d.id")
            .where("d.userId", "=", $.accountId)
            .whereRef("d.sha256", "=", "r.sha256"),
        ),
      ),
    ),
);

/**
 * Keeps emails that are about to be destroyed. Their bodies are to be released for as long as they may come back. With `isShown`
 * false, they are kept only if a hold or a rule covers the account, and nobody sees them.
 */
export function keepDeleted(tx: Tx, ids: readonly number[], isShown: boolean): void {
  tx.send(keep, { accountId: tx.accountId, ids, isShown, now: tx.now });
}

/** Where a page begins: after the row with this time and id. */
export interface DeletionsAfter {
  deletedAt: Date;
  id: number;
}

/** Emails that were destroyed after `since` and until `until`, newest first. */
export function listDeleted(
  reader: Reader,
  { since, until, after, limit }: { since: Date; until: Date; after?: DeletionsAfter | undefined; limit: number },
): Promise<ListedDeletion[]> {
  const { deletedAt: before, id: beforeId } = after ?? { deletedAt: until, id: Number.MAX_SAFE_INTEGER };
  return reader.run(page, { accountId: reader.accountId, since, until, before, beforeId, limit });
}

/** How many emails were destroyed after `since`, and their size. */
export async function countDeleted(reader: Reader, since: Date): Promise<{ count: number; bytes: number }> {
  return (await reader.run(count, { accountId: reader.accountId, since }))[0]!;
}

/** Those of the emails that were destroyed after `since` and whose bodies are there. */
export function findDeleted(reader: Reader, ids: readonly number[], since: Date): Promise<Deletion[]> {
  return reader.run(byIds, { accountId: reader.accountId, ids, since });
}

/** Which of these are still there. */
export async function stillDeleted(tx: Tx, ids: readonly number[]): Promise<Set<number>> {
  return new Set((await tx.run(present, { accountId: tx.accountId, ids })).map(({ id }) => id));
}

/** Forgets destroyed emails that are back. `taught`: what the user had said of them, by their new ids. */
export function forgetDeleted(tx: Tx, ids: readonly number[], taught: ReadonlyMap<number, boolean>): void {
  if (ids.length === 0) return;
  const { accountId } = tx;
  tx.send(remove, { accountId, ids });
  if (taught.size > 0) tx.send(noteTaught, { accountId, ids: [...taught.keys()], spam: [...taught.values()] });
}

/** Removes emails and mailboxes that were destroyed before `until`; their bodies go with the sweeps. */
export async function dropDeleted(
  executor: Executor,
  accountId: number,
  { until, now }: { until: Date; now: Date },
): Promise<number> {
  const rows = await executor.run(dropOld, { accountId, until, now });
  await executor.run(dropOldMailboxes, { accountId, until });
  if (rows.length > 0) await executor.run(letGo, { accountId, sha256s: rows.map(({ sha256 }) => sha256), now });
  return rows.length;
}
