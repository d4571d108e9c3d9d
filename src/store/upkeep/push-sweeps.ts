import type { Database } from "../core/database.ts";
import { across, type Row, read, write } from "../core/declare.ts";
import type { LoginName } from "../directory/login-name.ts";

const beat = write("pushHolders.beat", (db, $: { name: string; until: Date }) =>
  db
    .insertInto("pushHolder")
    .values({ name: $.name, aliveUntil: $.until })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet((eb) => ({ aliveUntil: eb.ref("excluded.aliveUntil") })),
    ),
);
const leave = write("pushHolders.leave", (db, $: { name: string }) =>
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

export async function leavePushHolder(database: Database, name: string): Promise<void> {
  await database.run(leave, { name });
}

export function pushHolders(database: Database): Promise<Row<"pushHolder", "name" | "aliveUntil">[]> {
  return database.run(holders);
}

// `<> ALL` is never true for NULL, so rows without a holder need a condition of their own.
const claim = write(
  "pushSubscriptions.claim",
  (db, $: { holder: string; living: readonly string[] }) =>
    db
      .updateTable("pushSubscription")
      .set({ holder: $.holder })
      .where((eb) => eb.or([eb("holder", "is", null), eb("holder", "not in", $.living)]))
      .returning(["userId", "login", "id"]),
  across("takes over the subscriptions of a dead process, whosever they are"),
);

/** Takes over the subscriptions that no living process holds. */
export function claimPushes(
  database: Database,
  holder: string,
  living: string[],
): Promise<(LoginName & { id: number })[]> {
  return database.run(claim, { holder, living });
}

const deleteExpired = write(
  "pushSubscriptions.removeExpired",
  (db, $: { now: Date; unverifiedSince: Date }) =>
    db
      .deleteFrom("pushSubscription")
      .where((eb) =>
        eb.or([
          eb("expiresAt", "<=", $.now),
          eb("credentialExpiresAt", "<=", $.now),
          eb.and([eb.not("verified"), eb("createdAt", "<=", $.unverifiedSince)]),
        ]),
      ),
  across("removes expired subscriptions of all accounts"),
);

/** Removes expired subscriptions, and unverified ones created up to `unverifiedSince`. */
export async function removeExpiredPushes(database: Database, now: Date, unverifiedSince: Date): Promise<number> {
  return database.count(deleteExpired, { now, unverifiedSince });
}
