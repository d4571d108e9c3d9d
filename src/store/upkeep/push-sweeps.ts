import type { ExpressionBuilder } from "kysely";
import type { Log } from "../../base/log.ts";
import type { Database } from "../core/database.ts";
import type { DB } from "../core/db.ts";
import { across, type Row, read, write } from "../core/declare.ts";
import { everywhere, readEverywhere } from "../core/everywhere.ts";

const beat = write("pushHolders.beat", (db, $: { name: string; until: Date }) =>
  db
    .insertInto("pushHolder")
    .values({ name: $.name, aliveUntil: $.until })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet((eb) => ({ aliveUntil: eb.ref("excluded.aliveUntil") })),
    ),
);
const forget = write("pushHolders.forget", (db, $: { name: string }) =>
  db.deleteFrom("pushHolder").where("name", "=", $.name),
);
const holders = read(
  "pushHolders.all",
  (db) => db.selectFrom("pushHolder").select(["name", "aliveUntil"]),
  across("every process of the installation"),
);

/** Renews the process's lease: one row, however many subscriptions it holds. */
export async function stayPushHolder(database: Database, name: string, until: Date): Promise<void> {
  await database.run(beat, { name, until });
}

/** To be called once nothing is left to take over from it. */
export async function forgetPushHolder(database: Database, name: string): Promise<void> {
  await database.run(forget, { name });
}

export function pushHolders(database: Database): Promise<Row<"pushHolder", "name" | "aliveUntil">[]> {
  return database.run(holders);
}

const pushName = ["userId", "login", "id"] as const;
type PushId = Row<"pushSubscription", (typeof pushName)[number]>;

// `<> ALL` is never true for NULL, so rows without a holder need a condition of their own.
const unheld = everywhere(
  "pushSubscription",
  ["userId"],
  read(
    "pushSubscriptions.unheld",
    (db, $: { living: readonly string[] }) =>
      db
        .selectFrom("pushSubscription")
        .select("userId")
        .distinct()
        .where((eb) => eb.or([eb("holder", "is", null), eb("holder", "not in", $.living)])),
    across("finds the subscriptions of a dead process, whosever they are"),
  ),
);
const claim = write("pushSubscriptions.claim", (db, $: { userId: number; holder: string; living: readonly string[] }) =>
  db
    .updateTable("pushSubscription")
    .set({ holder: $.holder })
    .where("userId", "=", $.userId)
    .where((eb) => eb.or([eb("holder", "is", null), eb("holder", "not in", $.living)]))
    .returning(pushName),
);

/**
 * Takes over the subscriptions that no living process holds, account by account; calls `taken` with each. False when a
 * part of the accounts could not be asked.
 */
export async function claimPushes(
  database: Database,
  log: Log,
  { holder, living }: { holder: string; living: string[] },
  taken: (push: PushId) => void,
): Promise<boolean> {
  const { rows, isComplete } = await readEverywhere(database, log, unheld, { living });
  let isDone = isComplete;
  for (const { userId } of rows) {
    try {
      for (const push of await database.run(claim, { userId, holder, living })) taken(push);
    } catch (error) {
      isDone = false;
      log.warn({ account: userId, reason: (error as Error).message }, "push subscriptions not claimed");
    }
  }
  return isDone;
}

const isExpired = (
  eb: ExpressionBuilder<DB, "pushSubscription">,
  { now, unverifiedSince }: { now: Date; unverifiedSince: Date },
) =>
  eb.or([
    eb("expiresAt", "<=", now),
    eb("credentialExpiresAt", "<=", now),
    eb.and([eb.not("verified"), eb("createdAt", "<=", unverifiedSince)]),
  ]);
const withExpired = everywhere(
  "pushSubscription",
  ["userId"],
  read(
    "pushSubscriptions.expired",
    (db, $: { now: Date; unverifiedSince: Date }) =>
      db
        .selectFrom("pushSubscription")
        .select("userId")
        .distinct()
        .where((eb) => isExpired(eb, $)),
    across("finds expired subscriptions, whosever they are"),
  ),
);
const removeExpired = write(
  "pushSubscriptions.removeExpired",
  (db, $: { userId: number; now: Date; unverifiedSince: Date }) =>
    db
      .deleteFrom("pushSubscription")
      .where("userId", "=", $.userId)
      .where((eb) => isExpired(eb, $)),
);

/** Removes expired subscriptions, and unverified ones created up to `unverifiedSince`. */
export async function removeExpiredPushes(
  database: Database,
  log: Log,
  until: { now: Date; unverifiedSince: Date },
): Promise<void> {
  const { rows } = await readEverywhere(database, log, withExpired, until);
  for (const { userId } of rows) await database.run(removeExpired, { userId, ...until });
}
