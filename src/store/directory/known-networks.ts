import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { read, write } from "../core/declare.ts";

const dayMs = 24 * 3600_000;
/** A network becomes unknown when nobody has logged in from it for this long. */
export const knownFor = 90 * dayMs;
/** For how long a network is new. */
const newForMs = 3 * dayMs;
/** How many networks an account keeps; the one not seen for longest is dropped. */
const maxNetworks = 32;

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
    .values({ userId: $.accountId, network: $.network, seenAt: $.now, firstAt: $.now })
    .onConflict((conflict) =>
      conflict
        .columns(["userId", "network"])
        .doUpdateSet((eb) => ({ seenAt: eb.ref("excluded.seenAt") }))
        .where("knownNetwork.seenAt", "<=", $.before),
    ),
);
const all = read("networks.all", (db, $: Network & { since: Date }) =>
  db
    .selectFrom("knownNetwork")
    .select(["firstAt", sql<boolean>`network = ${$.network}`.as("isThis")])
    .where("userId", "=", $.accountId)
    .where("seenAt", ">", $.since),
);
const forget = write(
  "networks.forget",
  (_, $: { accountId: number; until: Date }) => sql`
  DELETE FROM known_network k WHERE k.user_id = ${$.accountId} AND (k.seen_at <= ${$.until} OR k.network IN (
    SELECT n.network FROM known_network n WHERE n.user_id = ${$.accountId}
    ORDER BY n.seen_at DESC, n.network OFFSET ${sql.lit(maxNetworks)}))`,
);
const forgetOld = write("networks.forgetOld", (db, $: { accountId: number; until: Date }) =>
  db.deleteFrom("knownNetwork").where("userId", "=", $.accountId).where("seenAt", "<=", $.until),
);

/** When the account was last opened from the network, up to a day too early; undefined if never or not recently. */
export async function findKnownNetwork(
  database: Database,
  accountId: number,
  network: Buffer,
  now: Date,
): Promise<Date | undefined> {
  const [row] = await database.run(find, { accountId, network, since: ago(now, knownFor) });
  return row?.seenAt;
}

/**
 * Whether the network is new to the account, or unknown, while another has been known for longer. The first network of an
 * account is none of these.
 */
export async function isNewNetwork(
  database: Database,
  accountId: number,
  network: Buffer,
  now: Date,
): Promise<boolean> {
  const rows = await database.run(all, { accountId, network, since: ago(now, knownFor) });
  const own = rows.find(({ isThis }) => isThis);
  // A time that was not noted is of before.
  const since = own ? (own.firstAt?.getTime() ?? 0) : now.getTime();
  if (now.getTime() - since >= newForMs) return false;
  return rows.some(({ isThis, firstAt }) => !isThis && (firstAt?.getTime() ?? 0) < since);
}

/** Notes that the account was opened from the network; written at most once a day. */
export async function keepKnownNetwork(
  database: Database,
  accountId: number,
  network: Buffer,
  now: Date,
): Promise<void> {
  const written = await database.count(keep, { accountId, network, now, before: ago(now, dayMs) });
  if (written > 0) await database.run(forget, { accountId, until: ago(now, knownFor) });
}

/** Deletes the networks that are no longer known; returns how many. */
export async function dropKnownNetworks(database: Database, accountId: number, now: Date): Promise<number> {
  return database.count(forgetOld, { accountId, until: ago(now, knownFor) });
}

function ago(now: Date, milliseconds: number): Date {
  return new Date(now.getTime() - milliseconds);
}
