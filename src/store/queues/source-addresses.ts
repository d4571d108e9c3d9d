import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";

const columns = ["address", "since", "restsUntil", "restReason", "rests"] as const;

/** An address of ours that mail leaves from. */
export type SourceRow = Row<"sourceAddress", (typeof columns)[number]>;

const begin = write("sources.begin", (db, $: { addresses: readonly string[]; now: Date }) =>
  db
    .insertInto("sourceAddress")
    .columns(["address", "since"])
    .expression(sql`SELECT a, ${$.now}::timestamptz FROM unnest(${$.addresses}::text[]) AS a`)
    .onConflict((conflict) => conflict.column("address").doNothing()),
);
/** Half of what an address had is forgotten with its rests; what has sent nothing for long is cold again. */
const renew = write(
  "sources.renew",
  (_, $: { addresses: readonly string[]; now: Date; goodSince: Date; coldSince: Date }) => sql`
  UPDATE source_address s SET rests = 0, since = CASE WHEN u.is_cold THEN ${$.now} ELSE s.since END
  FROM (SELECT a.address, a.since < ${$.coldSince} AND coalesce(max(d.day), '-infinity') < (${$.coldSince}::timestamptz AT TIME ZONE 'UTC')::date AS is_cold
    FROM source_address a LEFT JOIN source_day d ON d.address = a.address
    WHERE a.address = ANY(${$.addresses}) GROUP BY a.address, a.since) u
  WHERE s.address = u.address AND (u.is_cold OR (s.rests > 0 AND s.rests_until < ${$.goodSince}))`,
);
const all = read("sources.all", (db, $: { addresses: readonly string[] }) =>
  db.selectFrom("sourceAddress").select(columns).where("address", "in", $.addresses),
);
const rest = write("sources.rest", (db, $: { address: string; now: Date; until: Date; reason: string }) =>
  db
    .updateTable("sourceAddress")
    .set((eb) => ({ restsUntil: $.until, restReason: $.reason, rests: eb("rests", "+", 1) }))
    .where("address", "=", $.address)
    .where((eb) => eb.or([eb("restsUntil", "is", null), eb("restsUntil", "<=", $.now)])),
);
const prolong = write("sources.prolong", (db, $: { address: string; until: Date; prefix: string }) =>
  db
    .updateTable("sourceAddress")
    .set({ restsUntil: $.until })
    .where("address", "=", $.address)
    .where("restsUntil", "<", $.until)
    .where(sql<boolean>`starts_with(rest_reason, ${$.prefix})`),
);
const end = write("sources.end", (db, $: { address: string; now: Date; prefix: string }) =>
  db
    .updateTable("sourceAddress")
    .set({ restsUntil: $.now })
    .where("address", "=", $.address)
    .where("restsUntil", ">", $.now)
    .where(sql<boolean>`starts_with(rest_reason, ${$.prefix})`),
);
const reserve = write(
  "sources.reserve",
  (_, $: { address: string; provider: string; day: string; count: number; planned: number }) => sql<{
    messages: number;
  }>`
  INSERT INTO source_day AS d (address, provider, day, messages, refused)
  VALUES (${$.address}, ${$.provider}, ${$.day}::date, ${$.count}::integer, 0)
  ON CONFLICT (address, provider, day) DO UPDATE SET messages = d.messages + ${$.count}::integer
    WHERE d.messages + ${$.count}::integer <= ${$.planned}::integer
  RETURNING messages`,
);
const refuse = write(
  "sources.refuse",
  (_, $: { address: string; provider: string; day: string; count: number }) => sql`
  UPDATE source_day SET refused = refused + ${$.count}::integer
  WHERE address = ${$.address} AND provider = ${$.provider} AND day = ${$.day}::date`,
);
const ofDay = read(
  "sources.ofDay",
  (_, $: { address: string; day: string }) => sql<{ messages: number; refused: number }>`
  SELECT coalesce(sum(messages), 0)::integer AS messages, coalesce(sum(refused), 0)::integer AS refused FROM source_day
  WHERE address = ${$.address} AND day = ${$.day}::date`,
);
const days = read("sources.days", (db, $: { addresses: readonly string[]; day: string }) =>
  db
    .selectFrom("sourceDay")
    .select(["address", "provider", "messages", "refused"])
    .where("address", "in", $.addresses)
    .where("day", "=", $.day)
    .orderBy("messages", "desc"),
);
const drop = write("sources.drop", (db, $: { until: string }) => db.deleteFrom("sourceDay").where("day", "<", $.until));

const dayMs = 86_400_000;
const coldAfterMs = 30 * dayMs;
const goodAfterMs = 7 * dayMs;
const keptMs = 60 * dayMs;

/** The UTC day of a moment. */
export const dayOf = (moment: Date): string => moment.toISOString().slice(0, 10);

/** Begins the addresses that are new, and those that have sent nothing for 30 days; a week without a rest forgives it. */
export async function renewSources(database: Database, addresses: readonly string[], now: Date): Promise<void> {
  await database.run(begin, { addresses, now });
  const ago = (milliseconds: number) => new Date(now.getTime() - milliseconds);
  await database.run(renew, { addresses, now, goodSince: ago(goodAfterMs), coldSince: ago(coldAfterMs) });
}

export function findSources(database: Database, addresses: readonly string[]): Promise<SourceRow[]> {
  return database.run(all, { addresses });
}

/** Books messages of today, unless they go beyond the plan; false if they do. */
export async function reserveFrom(
  database: Database,
  { now, ...wanted }: { address: string; provider: string; count: number; planned: number; now: Date },
): Promise<boolean> {
  return (await database.run(reserve, { ...wanted, day: dayOf(now) })).length > 0;
}

/** Lets the address rest, unless it does so already. False if it does. */
export async function restSource(
  database: Database,
  wanted: { address: string; now: Date; until: Date; reason: string },
): Promise<boolean> {
  return (await database.count(rest, wanted)) > 0;
}

/** Puts off the end of a rest whose reason begins so. */
export async function prolongRest(
  database: Database,
  wanted: { address: string; until: Date; prefix: string },
): Promise<void> {
  await database.run(prolong, wanted);
}

/** Ends a rest whose reason begins so. */
export async function endRest(
  database: Database,
  wanted: { address: string; now: Date; prefix: string },
): Promise<void> {
  await database.run(end, wanted);
}

/** Counts refusals for the address; resolves with what it sent today, and how much of that was refused for it. */
export async function countRefused(
  database: Database,
  { now, ...wanted }: { address: string; provider: string; count: number; now: Date },
): Promise<{ messages: number; refused: number }> {
  const day = dayOf(now);
  await database.run(refuse, { ...wanted, day });
  return (await database.run(ofDay, { address: wanted.address, day }))[0]!;
}

/** What has left from the addresses today, by provider. */
export function sentToday(database: Database, addresses: readonly string[], now: Date) {
  return database.run(days, { addresses, day: dayOf(now) });
}

/** Forgets what left long ago. */
export async function dropSourceDays(database: Database, now: Date): Promise<void> {
  await database.run(drop, { until: dayOf(new Date(now.getTime() - keptMs)) });
}
