import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";

/** Who was told to try again, or did so: a hash of who it is. */
export type GreyRow = Row<"greylist", "key" | "firstAt" | "lastAt" | "isKnown">;

const find = read("greylist.find", (db, $: { keys: readonly Buffer[] }) =>
  db.selectFrom("greylist").select(["key", "firstAt", "lastAt", "isKnown"]).where("key", "in", $.keys),
);
const tell = write("greylist.tell", (db, $: { key: Buffer; now: Date; since: Date }) =>
  db
    .insertInto("greylist")
    .values({ key: $.key, firstAt: $.now, lastAt: $.now })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet((eb) => ({
        // One that has waited for too long begins anew.
        firstAt: eb.case().when("greylist.firstAt", "<", $.since).then($.now).else(eb.ref("greylist.firstAt")).end(),
        lastAt: $.now,
      })),
    )
    .returning("firstAt"),
);
const know = write("greylist.know", (db, $: { key: Buffer; now: Date }) =>
  db
    .insertInto("greylist")
    .values({ key: $.key, firstAt: $.now, lastAt: $.now, isKnown: true })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ lastAt: $.now, isKnown: true })),
);
const dropSome = write(
  "greylist.drop",
  (_, $: { until: Date; knownUntil: Date; limit: number }) => sql<never>`
  DELETE FROM greylist WHERE key IN (SELECT g.key FROM greylist g
    WHERE g.last_at < ${$.until} AND (NOT g.is_known OR g.last_at < ${$.knownUntil})
    ORDER BY g.last_at LIMIT ${$.limit}::int)`,
);
const countUpTo = read(
  "greylist.countUpTo",
  (_, $: { limit: number }) =>
    sql<{ count: number }>`SELECT count(*) AS count FROM (SELECT FROM greylist LIMIT ${$.limit}::int) AS found`,
);

export function findGrey(database: Database, keys: readonly Buffer[]): Promise<GreyRow[]> {
  return database.run(find, { keys });
}

/** Notes that somebody was told to try again; returns since when. One told before `since` begins anew. */
export async function tellGrey(database: Database, key: Buffer, { now, since }: { now: Date; since: Date }) {
  return (await database.run(tell, { key, now, since }))[0]!.firstAt;
}

/** Remembers somebody who has tried again, or has come again. */
export async function knowGrey(database: Database, key: Buffer, now: Date): Promise<void> {
  await database.run(know, { key, now });
}

export async function isGreylistFull(database: Database, max: number): Promise<boolean> {
  return (await database.run(countUpTo, { limit: max }))[0]!.count >= max;
}

/** Who never came back is forgotten after a day, who did when they were not seen for this long. */
const dayMs = 86_400_000;
const knownForMs = 36 * dayMs;

/** Forgets the oldest, so many at most. */
export async function dropGrey(database: Database, now: Date, limit: number): Promise<void> {
  const ago = (ms: number) => new Date(now.getTime() - ms);
  await database.count(dropSome, { until: ago(dayMs), knownUntil: ago(knownForMs), limit });
}
