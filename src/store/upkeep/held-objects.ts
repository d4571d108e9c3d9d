import { sql } from "kysely";
import type { ObjectKey, StoredBlob } from "../blobs/objects/object-store.ts";
import type { Database } from "../core/database.ts";
import { across, read, unnamed, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";
import { findSetting } from "../core/settings.ts";
import type { Store } from "../core/store.ts";

const dayMs = 24 * 3600_000;
/** How long after the end of its day an object may be removed: far longer than any writer takes to commit a reference. */
const settledAfterMs = 2 * dayMs;
/** How many objects are examined together. */
export const batch = 20_000;
/** How often a worker sweeps. */
export const sweepIntervalMs = 10 * 60_000;

export const examinedSetting = "objects_examined";
/** When the last run ended. */
export const sweptSetting = "swept_at";
export const writeSetting = write("sweeps.note", (db, $: { name: string; value: string }) =>
  db
    .insertInto("setting")
    .values({ name: $.name, value: $.value })
    .onConflict((conflict) => conflict.column("name").doUpdateSet((eb) => ({ value: eb.ref("excluded.value") }))),
);

const shared = [
  across("accounts share objects"),
  unnamed("a generic plan does not hash the list of objects and would scan thousands for each row"),
];
type Hashes = { hashes: readonly Buffer[] };

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
const diedSince = read(
  "deadObjects.since",
  (db, $: Hashes & { since: Date }) =>
    db.selectFrom("deadObject").select(["sha256", "day"]).where("sha256", "in", $.hashes).where("diedAt", ">", $.since),
  ...shared,
);
const incomingBodies = read(
  "incoming.bodies",
  (db) => db.selectFrom("incoming").select(["sha256", "day", "size"]),
  ...shared,
);
const incomingHolding = read(
  "incoming.holding",
  (db, $: Hashes) => db.selectFrom("incoming").select(["sha256", "day"]).where("sha256", "in", $.hashes),
  ...shared,
);
const quarantineBodies = read(
  "quarantine.bodies",
  (db) => db.selectFrom("quarantine").select(["sha256", "day", "size"]),
  ...shared,
);
const quarantineHolding = read(
  "quarantine.holding",
  (db, $: Hashes) => db.selectFrom("quarantine").select(["sha256", "day"]).where("sha256", "in", $.hashes),
  ...shared,
);
const referencesHolding = read(
  "blobRefs.holding",
  (db, $: Hashes) => db.selectFrom("blobRef").select(["sha256", "day"]).distinct().where("sha256", "in", $.hashes),
  ...shared,
);

/** The newest day for whose objects no reference can be pending any more. */
export function lastSettledDay(now: Date): string {
  return new Date(now.getTime() - settledAfterMs - dayMs).toISOString().slice(0, 10);
}

/** Which of these objects an account, an incoming message or the quarantine holds, as "day/hex". */
export async function heldObjects(database: Database, keys: ObjectKey[]): Promise<Set<string>> {
  const hashes = keys.map(({ sha256 }) => sha256);
  // In this order: a release adds the incoming row, and a delivery its references, before they delete theirs.
  const quarantined = await database.run(quarantineHolding, { hashes });
  const incoming = await database.run(incomingHolding, { hashes });
  const references = await database.run(referencesHolding, { hashes });
  return new Set([...quarantined, ...incoming, ...references].map(keyOf));
}

/** The bodies of incoming messages and of those in quarantine. */
export async function incomingObjects(database: Database): Promise<StoredBlob[]> {
  const [incoming, quarantined] = await Promise.all([database.run(incomingBodies), database.run(quarantineBodies)]);
  return [...incoming, ...quarantined];
}

/** Which of these unheld objects a sweep should have removed; none before the first sweep. */
export async function overdueObjects({ database, clock }: Store, unheld: StoredBlob[]): Promise<StoredBlob[]> {
  const examined = await lastExaminedDay(database);
  const old = unheld.filter((object) => object.day <= examined);
  if (old.length === 0) return [];
  // Sweeps need time for a removed large account, so recently released objects get the same grace as unreferenced ones.
  const swept = Date.parse((await findSetting(database, sweptSetting)) ?? "") || 0;
  const since = new Date(Math.min(swept, clock.now().getTime() - sweepIntervalMs) - settledAfterMs);
  const dead = await database.run(diedSince, { hashes: old.map(({ sha256 }) => sha256), since });
  const dying = new Set(dead.map(keyOf));
  return old.filter((object) => !dying.has(keyOf(object)));
}

/** The newest day whose objects a sweep has examined; "" before the first. */
export const lastExaminedDay = async (database: Database): Promise<string> =>
  (await findSetting(database, examinedSetting)) ?? "";

/** Makes objects candidates for removal. Call it before the references are deleted. */
export async function markDead(
  database: Database,
  keys: ObjectKey[],
  now: Date,
  tell: (done: number) => void = () => {},
): Promise<void> {
  const unique = [...new Map(keys.map((key) => [keyOf(key), key])).values()];
  for (let start = 0; start < unique.length; start += batch) {
    tell(start);
    const some = unique.slice(start, start + batch);
    await database.run(insertDead, { now, ...lists(some, ["sha256", "day"]) });
  }
}

export function keyOf({ sha256, day: name }: ObjectKey): string {
  return `${name}/${sha256.toString("hex")}`;
}

export async function* inBatches(objects: AsyncIterable<StoredBlob>): AsyncIterable<StoredBlob[]> {
  let held: StoredBlob[] = [];
  for await (const object of objects) {
    if (held.push(object) < batch) continue;
    yield held;
    held = [];
  }
  if (held.length > 0) yield held;
}
