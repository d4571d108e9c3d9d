import type { Log } from "../../base/log.ts";
import { type ObjectKey, type ObjectStore, objectName, packIdOf } from "../blobs/objects/object-store.ts";
import { DamagedPack } from "../blobs/objects/packs/packs.ts";
import type { Store } from "../core/store.ts";
import { deadMembers, forgetMembers } from "./dead-objects.ts";
import { heldObjects, lastSettledDay } from "./held-objects.ts";

const hourMs = 3600_000;
/** How many objects are removed at a time. */
const maxRemovals = 32;
/** How many packs are written again at a time: each is held in memory twice. */
const maxPacks = 4;

export interface RemovalOptions {
  store: Store;
  objects: ObjectStore;
  log: Log;
}

/** Removes objects that nothing holds; returns how many there were. A pack that is damaged stays, and is logged. */
export async function removeObjects({ objects, log }: Pick<RemovalOptions, "objects" | "log">, keys: ObjectKey[]) {
  const own = keys.filter((key) => !key.pack);
  const packs = Map.groupBy(
    keys.filter((key) => key.pack),
    (key) => packIdOf(key)!.toString("hex"),
  );
  let removed = 0;
  const remove = async (some: ObjectKey[]) => {
    removed += (await objects.remove(some)).filter((wasThere) => wasThere).length;
  };
  for (const some of chunks(own, maxRemovals)) await remove(some);
  for (const some of chunks([...packs.values()], maxPacks)) {
    await Promise.all(some.map((members) => unlessDamaged(log, () => remove(members))));
  }
  return removed;
}

/**
 * Removes candidates in packs that nothing holds: each pack is written again without them once the first of them has been
 * dead for 5 days. A crash at any point leaves the pack as it was or as it will be, and the candidates until it is.
 */
export async function compactPacks({ store, objects, log }: RemovalOptions, limit: number): Promise<number> {
  const { database, clock } = store;
  const now = clock.now();
  const until = new Date(now.getTime() - hourMs);
  const packs = await deadMembers(database, { lastDay: lastSettledDay(now), until, limit });
  if (packs.size === 0) return 0;
  const held = await heldObjects(database, [...packs.values()].flat());
  let removed = 0;
  const compact = async (members: { pack: Buffer; sha256: Buffer; day: string }[]) => {
    const dead = members.filter((member) => !held.has(objectName(member)));
    if (dead.length > 0) removed += (await objects.remove(dead)).filter((wasThere) => wasThere).length;
    const { pack } = members[0]!;
    await database.run(forgetMembers, { pack, hashes: members.map(({ sha256 }) => sha256), until });
  };
  for (const some of chunks([...packs.values()], maxPacks)) {
    await Promise.all(some.map((members) => unlessDamaged(log, () => compact(members))));
  }
  return removed;
}

async function unlessDamaged(log: Log, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    if (!(error instanceof DamagedPack)) throw error;
    log.error({ reason: error.message }, "dead bodies in a damaged pack were not removed");
  });
}

function* chunks<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
