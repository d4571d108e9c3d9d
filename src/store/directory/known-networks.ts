import type { Database } from "../core/database.ts";
import { statement } from "../core/sql.ts";

const day = 24 * 3600_000;
/** A network where nobody logged in for as long is a stranger's. */
export const knownFor = 90 * day;
/** Of one account; the one not seen for longest goes. */
const most = 32;

const select = statement<{ seen_at: Date }>(
  "SELECT seen_at FROM known_network WHERE user_id = $1 AND network = $2 AND seen_at > $3",
);
const insert = statement(`
  INSERT INTO known_network (user_id, network, seen_at) VALUES ($1, $2, $3)
  ON CONFLICT (user_id, network) DO UPDATE SET seen_at = excluded.seen_at WHERE known_network.seen_at <= $4`);
const forget = statement(`
  DELETE FROM known_network k WHERE k.user_id = $1 AND (k.seen_at <= $2 OR k.network IN (
    SELECT n.network FROM known_network n WHERE n.user_id = $1 ORDER BY n.seen_at DESC, n.network OFFSET ${most}))`);
const forgetOld = statement("DELETE FROM known_network WHERE user_id = $1 AND seen_at <= $2");

/** When the account was opened from the network, at most a day before it was last; undefined where it was not, or long ago. */
export async function findKnownNetwork(
  database: Database,
  userId: number,
  network: Buffer,
  now: Date,
): Promise<Date | undefined> {
  const [row] = await database.run(select, [userId, network, ago(now, knownFor)]);
  return row?.seen_at;
}

/** Written at most once a day and network. */
export async function keepKnownNetwork(database: Database, userId: number, network: Buffer, now: Date): Promise<void> {
  const written = await database.count(insert, [userId, network, now, ago(now, day)]);
  if (written > 0) await database.count(forget, [userId, ago(now, knownFor)]);
}

/** Those that are known no more. */
export async function dropKnownNetworks(database: Database, userId: number, now: Date): Promise<number> {
  return database.count(forgetOld, [userId, ago(now, knownFor)]);
}

function ago(now: Date, milliseconds: number): Date {
  return new Date(now.getTime() - milliseconds);
}
