import { sql } from "kysely";
import type { Log } from "../../base/log.ts";
import { Kind } from "../core/change.ts";
import type { Database } from "../core/database.ts";
import type { DeliveryState } from "../core/db.ts";
import { across, type Row, read, unnamed, write } from "../core/declare.ts";
import { everywhere, readEverywhere } from "../core/everywhere.ts";
import { type Lists, lists } from "../core/lists.ts";
import type { Reader, Tx } from "../core/store.ts";

const columns = [
  "userId",
  "submissionId",
  "no",
  "rcptTo",
  "state",
  "attempts",
  "nextAttemptAt",
  "leasedUntil",
  "smtpReply",
  "incomingId",
  "route",
  "heldFor",
] as const;

/** A delivery as operators see it. */
export type DeliveryRow = Row<"delivery", (typeof columns)[number]>;
export type DeliveryKey = Pick<DeliveryRow, "userId" | "submissionId" | "no">;

/** When a delivery that is held is due. */
export const heldUntil = new Date("9999-12-31T00:00:00Z");

const operator = [
  across("the operator asks about the mail of all accounts"),
  unnamed("asked rarely, with very different values"),
];
const queued = everywhere(
  "delivery",
  columns,
  read(
    "deliveries.page",
    (db, $: DeliveryKey & { account: number | null; domain: string | null; limit: number }) =>
      db
        .selectFrom("delivery")
        .select(columns)
        .where("state", "=", "queued")
        .where(sql<boolean>`(user_id, submission_id, no) > (${$.userId}, ${$.submissionId}, ${$.no})`)
        .where(sql<boolean>`(${$.account}::bigint IS NULL OR user_id = ${$.account})`)
        .where(
          sql<boolean>`(${$.domain}::text IS NULL OR right(lower(rcpt_to), length(${$.domain}::text) + 1) = '@' || ${$.domain})`,
        )
        .orderBy("userId")
        .orderBy("submissionId")
        .orderBy("no")
        .limit($.limit),
    ...operator,
  ),
);
const ofMail = everywhere(
  "delivery",
  columns,
  read(
    "deliveries.ofMail",
    (db, $: { mailId: number }) => db.selectFrom("delivery").select(columns).where("incomingId", "=", $.mailId),
    ...operator,
  ),
);
const counts = read(
  "deliveries.counts",
  (_, $: { accountId: number; held: Date }) => sql<{
    state: DeliveryState;
    isHeld: boolean;
    count: number;
  }>`
  SELECT state, next_attempt_at >= ${$.held} AS "isHeld", count(*) AS count FROM delivery
  WHERE user_id = ${$.accountId} GROUP BY 1, 2`,
);
const ofSubmissions = read("deliveries.ofSubmissions", (db, $: { accountId: number; ids: readonly number[] }) =>
  db
    .selectFrom("delivery")
    .select(columns)
    .where("userId", "=", $.accountId)
    .where("submissionId", "in", $.ids)
    .orderBy("submissionId")
    .orderBy("no"),
);
const envelopes = read("submissions.envelopes", (db, $: { accountId: number; ids: readonly number[] }) =>
  db
    .selectFrom("submission")
    .select(["id", "envelope", "sendAt", "createdAt"])
    .where("userId", "=", $.accountId)
    .where("id", "in", $.ids),
);
type Ordered = Lists<"delivery", "submissionId" | "no" | "nextAttemptAt">;
const order = write(
  "deliveries.order",
  (
    _,
    $: { accountId: number; now: Date; route: string | null; returnReply: string | null; isUrged: boolean } & Ordered,
  ) => sql`
  UPDATE delivery AS d SET next_attempt_at = o.next_attempt_at, held_for = NULL, route = coalesce(${$.route}, d.route),
    return_reply = coalesce(${$.returnReply}, d.return_reply), urged_at = CASE WHEN ${$.isUrged} THEN ${$.now}::timestamptz END
  FROM unnest(${$.submissionId}::bigint[], ${$.no}::integer[], ${$.nextAttemptAt}::timestamptz[])
    AS o (submission_id, no, next_attempt_at)
  WHERE d.user_id = ${$.accountId} AND d.submission_id = o.submission_id AND d.no = o.no AND d.state = 'queued'
    AND (d.leased_until IS NULL OR d.leased_until <= ${$.now})`,
);
const again = write("deliveries.again", (db, $: { accountId: number; submissionId: number; now: Date }) =>
  db
    .updateTable("delivery")
    .set({
      state: "queued",
      delivered: "queued",
      nextAttemptAt: $.now,
      urgedAt: $.now,
      incomingId: null,
      returnReply: null,
    })
    .where("userId", "=", $.accountId)
    .where("submissionId", "=", $.submissionId)
    .where("state", "=", "failed"),
);

const pageSize = 5_000;

/** All queued deliveries, page by page, without the accounts of servers that do not answer. `domain` is in lower case. */
export async function* queuedDeliveries(
  database: Database,
  log: Log,
  { account = null, domain = null }: { account?: number | null; domain?: string | null } = {},
): AsyncGenerator<DeliveryRow[]> {
  let last: DeliveryKey = { userId: account ?? 0, submissionId: 0, no: -1 };
  for (;;) {
    const { userId, submissionId, no } = last;
    const wanted = { userId, submissionId, no, account, domain, limit: pageSize };
    const { rows } = await readEverywhere(database, log, queued, wanted);
    const page = rows.toSorted(byKey).slice(0, pageSize);
    if (page.length > 0) yield page;
    if (page.length < pageSize) return;
    last = page.at(-1)!;
  }
}

const byKey = (one: DeliveryKey, other: DeliveryKey) =>
  one.userId - other.userId || one.submissionId - other.submissionId || one.no - other.no;

/** The deliveries that were tried under this id. */
export async function deliveriesOfMail(database: Database, log: Log, mailId: number): Promise<DeliveryRow[]> {
  return (await readEverywhere(database, log, ofMail, { mailId })).rows;
}

/** How many deliveries of an account are in each state. */
export function countDeliveries(reader: Reader) {
  return reader.run(counts, { accountId: reader.accountId, held: heldUntil });
}

export function deliveriesOf(reader: Reader, submissionIds: readonly number[]): Promise<DeliveryRow[]> {
  return reader.run(ofSubmissions, { accountId: reader.accountId, ids: submissionIds });
}

/** Who sent each submission, and when it may go. */
export async function envelopesOf(reader: Reader, ids: readonly number[]) {
  const rows = await reader.run(envelopes, { accountId: reader.accountId, ids });
  return new Map(rows.map(({ id, envelope, ...rest }) => [id, { ...rest, mailFrom: envelope.mailFrom.email }]));
}

/** What an operator orders for a delivery. A null leaves the column as it is. */
export interface Order {
  submissionId: number;
  no: number;
  nextAttemptAt: Date;
}

/**
 * Changes queued deliveries, but for those that are being tried; returns how many. `isUrged`: they are tried once even if their
 * servers could not be reached a short time ago. The caller writes the hints.
 */
export function orderDeliveries(
  tx: Tx,
  orders: readonly Order[],
  {
    route = null,
    returnReply = null,
    isUrged = false,
  }: { route?: string | null; returnReply?: string | null; isUrged?: boolean },
): Promise<number> {
  const values = { accountId: tx.accountId, now: tx.now, route, returnReply, isUrged };
  return tx.count(order, { ...values, ...lists(orders, ["submissionId", "no", "nextAttemptAt"]) });
}

/** Queues the failed deliveries of a submission again, under a new id; returns how many. */
export async function queueAgain(tx: Tx, submissionId: number): Promise<number> {
  const count = await tx.count(again, { accountId: tx.accountId, submissionId, now: tx.now });
  if (count > 0) tx.changed({ type: "EmailSubmission", id: submissionId, kind: Kind.properties });
  return count;
}
