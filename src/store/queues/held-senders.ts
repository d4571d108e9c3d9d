import { sql } from "kysely";
import type { Log } from "../../base/log.ts";
import type { Database } from "../core/database.ts";
import type { Sending } from "../core/db.ts";
import { across, type Row, read, unnamed, write } from "../core/declare.ts";
import { everywhere, readEverywhere } from "../core/everywhere.ts";
import type { Reader, Tx } from "../core/store.ts";
import { heldUntil } from "./queue-orders.ts";

const columns = ["userId", "createdAt", "sending"] as const;

/** An account as a sender. */
export type Sender = Row<"account", (typeof columns)[number]>;

const find = read("senders.find", (db, $: { accountId: number }) =>
  db.selectFrom("account").select(columns).where("userId", "=", $.accountId),
);
const known = everywhere(
  "account",
  columns,
  read(
    "senders.known",
    (db, $: { limit: number }) =>
      db.selectFrom("account").select(columns).where("sending", "is not", null).orderBy("userId").limit($.limit),
    across("the operator asks which senders are held"),
    unnamed("asked rarely"),
  ),
);

const knownAfter = everywhere(
  "account",
  columns,
  read(
    "senders.knownAfter",
    (db, $: { after: number; limit: number }) =>
      db
        .selectFrom("account")
        .select(columns)
        .where("sending", "is not", null)
        .where("userId", ">", $.after)
        .orderBy("userId")
        .limit($.limit),
    across("the operator asks which senders are held"),
    unnamed("asked rarely"),
  ),
);

/** A page of them by number, from each server at most `limit`, without those of servers that do not answer. */
export async function pageOfSenders(database: Database, log: Log, page: { after: number; limit: number }) {
  const { rows } = await readEverywhere(database, log, knownAfter, page);
  return rows.toSorted((one, other) => one.userId - other.userId).slice(0, page.limit);
}

/** Undefined when the account is gone. */
export async function findSender(reader: Reader): Promise<Sender | undefined> {
  return (await reader.run(find, { accountId: reader.accountId }))[0];
}

/** Accounts of which something is known as senders, without those of servers that do not answer. */
export async function knownSenders(database: Database, log: Log, limit: number): Promise<Sender[]> {
  return (await readEverywhere(database, log, known, { limit })).rows;
}

type Hold = NonNullable<Sending["hold"]>;

const holdQueued = write("deliveries.holdAll", (db, $: { accountId: number; held: Date; heldFor: string }) =>
  db
    .updateTable("delivery")
    .set({ nextAttemptAt: $.held, heldFor: $.heldFor })
    .where("userId", "=", $.accountId)
    .where("state", "=", "queued")
    .where("nextAttemptAt", "<", $.held),
);
const releaseQueued = write(
  "deliveries.releaseAll",
  (_, $: { accountId: number; now: Date; held: Date }) => sql`
  UPDATE delivery d SET next_attempt_at = greatest(s.send_at, ${$.now}), held_for = NULL, released_at = ${$.now}
  FROM submission s
  WHERE d.user_id = ${$.accountId} AND s.user_id = ${$.accountId} AND s.id = d.submission_id
    AND d.state = 'queued' AND d.held_for IS NOT NULL AND d.next_attempt_at >= ${$.held}`,
);
const countHeld = read("deliveries.countHeld", (db, $: { accountId: number; held: Date }) =>
  db
    .selectFrom("delivery")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("userId", "=", $.accountId)
    .where("state", "=", "queued")
    .where("heldFor", "is not", null)
    .where("nextAttemptAt", ">=", $.held),
);
/**
 * Holds all of the account's mail that waits, also what its sender delays; what is submitted from now on is held as well. What
 * a process has in hand may still be sent by it, but is held as soon as it is given back, for whatever reason.
 */
export async function holdMail(tx: Tx, hold: Hold): Promise<number> {
  tx.changeSending({ ...tx.sending, hold });
  return tx.count(holdQueued, { accountId: tx.accountId, held: heldUntil, heldFor: hold.reason });
}

/** Lets all mail go that was held for the sender's standing; returns how many deliveries. The caller writes the hints. */
export async function releaseMail(tx: Tx): Promise<number> {
  const { hold: _, ...rest } = tx.sending;
  tx.changeSending({ ...rest, liftedAt: tx.now.toISOString() });
  return tx.count(releaseQueued, { accountId: tx.accountId, now: tx.now, held: heldUntil });
}

/** How many deliveries wait because of the sender's standing. */
export async function countHeldMail(reader: Reader): Promise<number> {
  return (await reader.run(countHeld, { accountId: reader.accountId, held: heldUntil }))[0]!.count;
}
