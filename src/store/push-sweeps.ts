import type { Database } from "./database.ts";
import type { LoginName } from "./login-name.ts";
import { statement, unprepared } from "./sql.ts";

/** Which process pushes for which subscription: looks across logins and shards, and says so in the texts. */
const across = <Row extends object>(text: string) =>
  unprepared<Row & Record<string, unknown>>(`-- crosses accounts\n${text}`);

const beat = statement(`
  INSERT INTO push_holder (name, alive_until) VALUES ($1, $2)
  ON CONFLICT (name) DO UPDATE SET alive_until = excluded.alive_until`);
const leave = statement("DELETE FROM push_holder WHERE name = $1");
const selectHolders = across<{ name: string; alive_until: Date }>("SELECT name, alive_until FROM push_holder");

/** One row a process, however many subscriptions it holds. */
export async function stayPushHolder(database: Database, name: string, until: Date): Promise<void> {
  await database.run(beat, [name, until]);
}

export async function leavePushHolder(database: Database, name: string): Promise<void> {
  await database.run(leave, [name]);
}

export async function pushHolders(database: Database): Promise<{ name: string; aliveUntil: Date }[]> {
  return (await database.run(selectHolders)).map((row) => ({ name: row.name, aliveUntil: row.alive_until }));
}

// <> ALL is true of no NULL: a row without a holder needs its own word.
const claim = across<{ user_id: number; login: string; id: number }>(`
  UPDATE push_subscription SET holder = $1 WHERE holder IS NULL OR holder <> ALL($2::text[])
  RETURNING user_id, login, id`);

/** Takes over what none of the living holds. */
export async function claimPushes(
  database: Database,
  holder: string,
  living: string[],
): Promise<(LoginName & { id: number })[]> {
  const rows = await database.run(claim, [holder, living]);
  return rows.map(({ user_id: userId, login, id }) => ({ userId, login, id }));
}

const deleteExpired = across(
  "DELETE FROM push_subscription WHERE expires_at <= $1 OR credential_expires_at <= $1 OR (NOT verified AND created_at <= $2)",
);

/** Expired ones, and those that nobody verified since `unverifiedSince`. */
export async function removeExpiredPushes(database: Database, now: Date, unverifiedSince: Date): Promise<number> {
  return database.count(deleteExpired, [now, unverifiedSince]);
}
