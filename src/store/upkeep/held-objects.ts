import { type ObjectKey, objectName, type StoredBlob } from "../blobs/objects/object-store.ts";
import { DamagedPack } from "../blobs/objects/packs/packs.ts";
import type { Database } from "../core/database.ts";
import { read, write } from "../core/declare.ts";
import { findSetting } from "../core/settings.ts";
import type { Store } from "../core/store.ts";
import { batch, diedSince, type Hashes, shared } from "./dead-objects.ts";

const dayMs = 24 * 3600_000;
/** How long after the end of its day an object may be removed: far longer than any writer takes to commit a reference. */
const settledAfterMs = 2 * dayMs;
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

const incomingBodies = read(
  "incoming.bodies",
  (db) => db.selectFrom("incoming").select(["sha256", "day", "size", "pack"]),
  ...shared,
);
const incomingHolding = read(
  "incoming.holding",
  (db, $: Hashes) => db.selectFrom("incoming").select(["sha256", "day", "pack"]).where("sha256", "in", $.hashes),
  ...shared,
);
const quarantineBodies = read(
  "quarantine.bodies",
  (db) => db.selectFrom("quarantine").select(["sha256", "day", "pack", "size"]),
  ...shared,
);
const quarantineHolding = read(
  "quarantine.holding",
  (db, $: Hashes) => db.selectFrom("quarantine").select(["sha256", "day", "pack"]).where("sha256", "in", $.hashes),
  ...shared,
);
const referencesHolding = read(
  "blobRefs.holding",
  (db, $: Hashes) =>
    db.selectFrom("blobRef").select(["sha256", "day", "pack"]).distinct().where("sha256", "in", $.hashes),
  ...shared,
);

/** The newest day for whose objects no reference can be pending any more. */
export function lastSettledDay(now: Date): string {
  return new Date(now.getTime() - settledAfterMs - dayMs).toISOString().slice(0, 10);
}

/** Which of these objects an account, an incoming message or the quarantine holds, by `objectName`. */
export async function heldObjects(database: Database, keys: ObjectKey[]): Promise<Set<string>> {
  const hashes = keys.map(({ sha256 }) => sha256);
  // In this order: a release adds the incoming row, and a delivery its references, before they delete theirs.
  const quarantined = await database.run(quarantineHolding, { hashes });
  const incoming = await database.run(incomingHolding, { hashes });
  const references = await database.run(referencesHolding, { hashes });
  return new Set([...quarantined, ...incoming, ...references].map(objectName));
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
  const dying = await diedSince(database, old, since);
  return old.filter((object) => !dying.has(objectName(object)));
}

/** The newest day whose objects a sweep has examined; "" before the first. */
export const lastExaminedDay = async (database: Database): Promise<string> =>
  (await findSetting(database, examinedSetting)) ?? "";

/** Packs that are damaged are told to `damaged`, after all that could be listed. */
export async function* inBatches(
  objects: AsyncIterable<StoredBlob>,
  damaged: (error: DamagedPack) => void,
): AsyncIterable<StoredBlob[]> {
  let held: StoredBlob[] = [];
  for await (const object of toEnd(objects, damaged)) {
    if (held.push(object) < batch) continue;
    yield held;
    held = [];
  }
  if (held.length > 0) yield held;
}

async function* toEnd(
  objects: AsyncIterable<StoredBlob>,
  damaged: (error: DamagedPack) => void,
): AsyncIterable<StoredBlob> {
  try {
    yield* objects;
  } catch (error) {
    if (!(error instanceof DamagedPack)) throw error;
    damaged(error);
  }
}
