import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { across, type Row, read, unnamed, write } from "../core/declare.ts";
import { insertLists, type Lists, lists } from "../core/lists.ts";
import type { Executor } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";
import { countSent } from "./sent-hours.ts";

const columns = ["kind", "source", "recipient", "destination", "submissionId", "reply", "at"] as const;

/** A failed delivery or a complaint. */
export type Bounce = Row<"bounce", (typeof columns)[number]>;
export type BounceKind = Bounce["kind"];

const inserted = ["modseq", "no", ...columns] as const;
const insert = write("bounces.add", (db, $: { accountId: number } & Lists<"bounce", (typeof inserted)[number]>) =>
  insertLists(db, "bounce", inserted, $).onConflict((conflict) => conflict.doNothing()),
);

export interface NewBounce extends Omit<Bounce, "at" | "destination"> {
  /** It says nothing of how the account's user sends, as when a forward's target is gone. */
  isNoFault?: boolean;
}

/** A recipient who complains of each mail counts once in this time, and so does one who is reported gone again and again. */
const onceInMs = 7 * 86_400_000;
const against = ["hard", "complaint"] as const;

const known = read(
  "bounces.known",
  (db, $: { accountId: number; since: Date; kinds: readonly string[]; recipients: readonly string[] }) =>
    db
      .selectFrom("bounce")
      .select(["kind", "recipient"])
      .distinct()
      .where("userId", "=", $.accountId)
      .where("at", ">=", $.since)
      .where("kind", "in", $.kinds as BounceKind[])
      .where("recipient", "in", $.recipients),
);

/** How many count against the sender: of each recipient one of a kind. */
async function countAgainst(tx: Tx, bounces: readonly NewBounce[]): Promise<{ hard: number; complaints: number }> {
  const counting = bounces.filter(({ kind, isNoFault }) => kind !== "soft" && !isNoFault);
  if (counting.length === 0) return { hard: 0, complaints: 0 };
  const recipients = counting.map(({ recipient }) => recipient);
  const since = new Date(tx.now.getTime() - onceInMs);
  const before = await tx.run(known, { accountId: tx.accountId, since, kinds: against, recipients });
  const isKnown = new Set(before.map(({ kind, recipient }) => `${kind} ${recipient}`));
  const count = (kind: BounceKind) => {
    const found = new Set(counting.filter((bounce) => bounce.kind === kind).map(({ recipient }) => recipient));
    return [...found].filter((recipient) => !isKnown.has(`${kind} ${recipient}`)).length;
  };
  return { hard: count("hard"), complaints: count("complaint") };
}

/**
 * Adds them to their queues, and hard bounces and complaints to what counts against the sender; resolves with whether any
 * of them counts. `modseq`: that of the write when several are folded.
 */
export async function addBounces(tx: Tx, bounces: readonly NewBounce[], modseq = tx.modseq): Promise<boolean> {
  if (bounces.length === 0) return false;
  const rows = bounces.map((bounce, no) => ({
    ...bounce,
    destination: bounce.recipient.slice(bounce.recipient.lastIndexOf("@") + 1).toLowerCase(),
    modseq,
    no,
    at: tx.now,
  }));
  const counts = await countAgainst(tx, bounces);
  const counting = counts.hard + counts.complaints > 0 ? countSent(tx, counts) : undefined;
  await Promise.all([tx.run(insert, { accountId: tx.accountId, ...lists(rows, inserted) }), counting]);
  return counting !== undefined;
}

const counted = read(
  "bounces.counted",
  (db, $: { accountId: number } & Pick<Bounce, "source" | "submissionId" | "recipient">) =>
    db
      .selectFrom("bounce")
      .select("no")
      .where("userId", "=", $.accountId)
      .where("submissionId", "=", $.submissionId)
      .where("source", "=", $.source)
      .where("recipient", "=", $.recipient)
      .limit(1),
);

/** Whether the queues have one of that source about that recipient of the mail. */
export async function isCounted(tx: Tx, { source, submissionId, recipient }: NewBounce): Promise<boolean> {
  return (await tx.run(counted, { accountId: tx.accountId, source, submissionId, recipient })).length > 0;
}

type Queue = { kind: string | null; since: Date; limit: number };
const ofAccount = read("bounces.ofAccount", (db, $: Queue & { userId: number }) =>
  db
    .selectFrom("bounce")
    .select(["userId", ...columns])
    .where("userId", "=", $.userId)
    .where("at", ">=", $.since)
    .where(sql<boolean>`(${$.kind}::text IS NULL OR kind = ${$.kind})`)
    .orderBy("at", "desc")
    .limit($.limit),
);
const ofAll = read(
  "bounces.ofAll",
  (db, $: Queue) =>
    db
      .selectFrom("bounce")
      .select(["userId", ...columns])
      .where("at", ">=", $.since)
      .where(sql<boolean>`(${$.kind}::text IS NULL OR kind = ${$.kind})`)
      .orderBy("at", "desc")
      .limit($.limit),
  across("the operator lists them"),
  unnamed("runs rarely, so it is planned for the current data"),
);

/** The newest of an account or, without one, of all accounts; of one queue or of all. */
export function listBounces(
  database: Database,
  userId: number | undefined,
  queue: Queue,
): Promise<(Bounce & { userId: number })[]> {
  return userId === undefined ? database.run(ofAll, queue) : database.run(ofAccount, { userId, ...queue });
}

export interface BounceCount {
  kind: BounceKind;
  destination: string;
  count: number;
  newest: Date;
}
const top = read(
  "bounces.top",
  (_, $: { since: Date; limit: number }) => sql<BounceCount>`
  SELECT kind, destination, count(*) AS count, max(at) AS newest FROM bounce WHERE at >= ${$.since}
  GROUP BY kind, destination ORDER BY count(*) DESC, destination, kind LIMIT ${$.limit}`,
  across("the operator counts them by destination"),
  unnamed("runs rarely, so it is planned for the current data"),
);

/** The destinations with the most bounces of each kind. */
export function topBounces(database: Database, since: Date, limit: number): Promise<BounceCount[]> {
  return database.run(top, { since, limit });
}

const drop = write("bounces.drop", (db, $: { userId: number; until: Date }) =>
  db.deleteFrom("bounce").where("userId", "=", $.userId).where("at", "<=", $.until),
);

/** Removes an account's bounces up to this time. */
export async function dropBounces(executor: Executor, userId: number, until: Date): Promise<void> {
  await executor.run(drop, { userId, until });
}
