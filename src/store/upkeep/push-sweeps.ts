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

/** One row a process, however many subscriptions it holds. */
export async function stayPushHolder(database: Database, name: string, until: Date): Promise<void> {
  await database.run(beat, { name, until });
}

export async function leavePushHolder(database: Database, name: string): Promise<void> {
  await database.run(leave, { name });
}

export function pushHolders(database: Database): Promise<Row<"pushHolder", "name" | "aliveUntil">[]> {
  return database.run(holders);
}

// <> ALL is true of no NULL: a row without a holder needs its own word.
const claim = write(
  "pushSubscriptions.claim",
  (db, $: { holder: string; living: readonly string[] }) =>
    db
      .updateTable("pushSubscription")
      .set({ holder: $.holder })
      .where((eb) => eb.or([eb("holder", "is", null), eb("holder", "not in", $.living)]))
      .returning(["userId", "login", "id"]),
  across("whose process died is pushed to by another, whoever it is"),
);

/** Takes over what none of the living holds. */
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
  across("they expire, whoever's they are"),
);

/** Expired ones, and those that nobody verified since `unverifiedSince`. */
export async function removeExpiredPushes(database: Database, now: Date, unverifiedSince: Date): Promise<number> {
  return database.count(deleteExpired, { now, unverifiedSince });
}
