import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { read, write } from "../core/declare.ts";

const day = 24 * 3600_000;
/** A network where nobody logged in for as long is a stranger's. */
export const knownFor = 90 * day;
/** Of one account; the one not seen for longest goes. */
const most = 32;

type Network = { accountId: number; network: Buffer };

const find = read("networks.find", (db, $: Network & { since: Date }) =>
  db
    .selectFrom("knownNetwork")
    .select("seenAt")
    .where("userId", "=", $.accountId)
    .where("network", "=", $.network)
    .where("seenAt", ">", $.since),
);
const keep = write("networks.keep", (db, $: Network & { now: Date; before: Date }) =>
  db
    .insertInto("knownNetwork")
    .values({ userId: $.accountId, network: $.network, seenAt: $.now })
    .onConflict((conflict) =>
      conflict
        .columns(["userId", "network"])
        .doUpdateSet((eb) => ({ seenAt: eb.ref("excluded.seenAt") }))
        .where("knownNetwork.seenAt", "<=", $.before),
    ),
);
const forget = write(
  "networks.forget",
  (_, $: { accountId: number; until: Date }) => sql`
  DELETE FROM known_network k WHERE k.user_id = ${$.accountId} AND (k.seen_at <= ${$.until} OR k.network IN (
    SELECT n.network FROM known_network n WHERE n.user_id = ${$.accountId}
    ORDER BY n.seen_at DESC, n.network OFFSET ${sql.lit(most)}))`,
);
const forgetOld = write("networks.forgetOld", (db, $: { accountId: number; until: Date }) =>
  db.deleteFrom("knownNetwork").where("userId", "=", $.accountId).where("seenAt", "<=", $.until),
);

/** When the account was opened from the network, at most a day before it was last; undefined where it was not, or long ago. */
export async function findKnownNetwork(
  database: Database,
  accountId: number,
  network: Buffer,
  now: Date,
): Promise<Date | undefined> {
  const [row] = await database.run(find, { accountId, network, since: ago(now, knownFor) });
  return row?.seenAt;
}

/** Written at most once a day and network. */
export async function keepKnownNetwork(
  database: Database,
  accountId: number,
  network: Buffer,
  now: Date,
): Promise<void> {
  const written = await database.count(keep, { accountId, network, now, before: ago(now, day) });
  if (written > 0) await database.run(forget, { accountId, until: ago(now, knownFor) });
}

/** Those that are known no more. */
export async function dropKnownNetworks(database: Database, accountId: number, now: Date): Promise<number> {
  return database.count(forgetOld, { accountId, until: ago(now, knownFor) });
}

function ago(now: Date, milliseconds: number): Date {
  return new Date(now.getTime() - milliseconds);
}
