import { sql } from "kysely";
import { type ObjectKey, objectName, packIdOf } from "../blobs/objects/object-store.ts";
import type { Database } from "../core/database.ts";
import { across, read, unnamed, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";

/** How many objects are examined together. */
export const batch = 20_000;
/** How long the dead in a pack wait for more, so that it is written again once for all: within 7 days of a release. */
const restMs = 5 * 24 * 3600_000;

export const shared = [
  across("accounts share objects"),
  unnamed("a generic plan does not hash the list of objects and would scan thousands for each row"),
];
export type Hashes = { hashes: readonly Buffer[] };

const insertDead = write(
  "deadObjects.add",
  (db, $: { now: Date } & Lists<"deadObject", "sha256" | "day">) =>
    db
      .insertInto("deadObject")
      .columns(["sha256", "day", "diedAt"])
      .expression(
        db
          .selectFrom(unnest("deadObject", ["sha256", "day"], $))
          .select(["sha256", "day", sql<Date>`${$.now}`.as("diedAt")]),
      )
      .onConflict((conflict) =>
        conflict.columns(["sha256", "day"]).doUpdateSet((eb) => ({ diedAt: eb.ref("excluded.diedAt") })),
      ),
  ...shared,
);
type Died = { lastDay: string; until: Date };
export const deadObjects = read(
  "deadObjects.settled",
  (db, $: Died & { limit: number }) =>
    db
      .selectFrom("deadObject")
      .select(["sha256", "day"])
      .where("day", "<=", $.lastDay)
      .where("diedAt", "<=", $.until)
      .limit($.limit),
  ...shared,
);
export const forgetDead = write(
  "deadObjects.forget",
  (db, $: Died & Hashes) =>
    db
      .deleteFrom("deadObject")
      .where("sha256", "in", $.hashes)
      .where("day", "<=", $.lastDay)
      .where("diedAt", "<=", $.until),
  ...shared,
);
const insertMembers = write(
  "deadMembers.add",
  (db, $: { now: Date } & Lists<"deadMember", "pack" | "sha256" | "day">) =>
    db
      .insertInto("deadMember")
      .columns(["pack", "sha256", "day", "diedAt"])
      .expression(
        db
          .selectFrom(unnest("deadMember", ["pack", "sha256", "day"], $))
          .select(["pack", "sha256", "day", sql<Date>`${$.now}`.as("diedAt")]),
      )
      .onConflict((conflict) =>
        conflict.columns(["pack", "sha256"]).doUpdateSet((eb) => ({ diedAt: eb.ref("excluded.diedAt") })),
      ),
  ...shared,
);
const ripePacks = read(
  "deadMembers.ripe",
  (db, $: Died & { limit: number }) =>
    db
      .selectFrom("deadMember")
      .select("pack")
      .distinct()
      .where("day", "<=", $.lastDay)
      .where("diedAt", "<=", $.until)
      .limit($.limit),
  ...shared,
);
const deadIn = read(
  "deadMembers.in",
  (db, $: { packs: readonly Buffer[]; until: Date }) =>
    db
      .selectFrom("deadMember")
      .select(["pack", "sha256", "day"])
      .where("pack", "in", $.packs)
      .where("diedAt", "<=", $.until),
  ...shared,
);
export const forgetMembers = write(
  "deadMembers.forget",
  (db, $: { pack: Buffer; until: Date } & Hashes) =>
    db
      .deleteFrom("deadMember")
      .where("pack", "=", $.pack)
      .where("sha256", "in", $.hashes)
      .where("diedAt", "<=", $.until),
  ...shared,
);
const objectsSince = read(
  "deadObjects.since",
  (db, $: Hashes & { since: Date }) =>
    db.selectFrom("deadObject").select(["sha256", "day"]).where("sha256", "in", $.hashes).where("diedAt", ">", $.since),
  ...shared,
);
const membersSince = read(
  "deadMembers.since",
  (db, $: Hashes & { since: Date }) =>
    db
      .selectFrom("deadMember")
      .select(["sha256", "day", "pack"])
      .where("sha256", "in", $.hashes)
      .where("diedAt", ">", $.since),
  ...shared,
);

/** Makes objects candidates for removal. Call it before the references are deleted. */
export async function markDead(
  database: Database,
  keys: ObjectKey[],
  now: Date,
  tell: (done: number) => void = () => {},
): Promise<void> {
  const unique = [...new Map(keys.map((key) => [objectName(key), key])).values()];
  for (let start = 0; start < unique.length; start += batch) {
    tell(start);
    const some = unique.slice(start, start + batch);
    const own = some.filter((key) => !key.pack);
    const members = some.flatMap((key) => (key.pack ? [{ ...key, pack: packIdOf(key)! }] : []));
    if (own.length > 0) await database.run(insertDead, { now, ...lists(own, ["sha256", "day"]) });
    if (members.length > 0) await database.run(insertMembers, { now, ...lists(members, ["pack", "sha256", "day"]) });
  }
}

/** By pack, the candidates in packs of which one has waited long enough; `until`: the latest that may be removed. */
export async function deadMembers(
  database: Database,
  { lastDay, until, limit }: Died & { limit: number },
): Promise<Map<string, { pack: Buffer; sha256: Buffer; day: string }[]>> {
  const packs = await database.run(ripePacks, { lastDay, until: new Date(until.getTime() - restMs), limit });
  if (packs.length === 0) return new Map();
  const rows = await database.run(deadIn, { packs: packs.map(({ pack }) => pack), until });
  return Map.groupBy(rows, ({ pack }) => pack.toString("hex"));
}

/** Which of these have become candidates since then, or will still wait for others, by `objectName`. */
export async function diedSince(database: Database, keys: ObjectKey[], since: Date): Promise<Set<string>> {
  const hashes = keys.map(({ sha256 }) => sha256);
  const objects = await database.run(objectsSince, { hashes, since });
  const members = await database.run(membersSince, { hashes, since: new Date(since.getTime() - restMs) });
  return new Set([...objects, ...members].map(objectName));
}
