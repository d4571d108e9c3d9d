import { version } from "../base/version.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import type { Store } from "../store/core/store.ts";
import { holdBodies } from "../store/upkeep/body-hold.ts";
import { makeRestorePoint } from "../store/upkeep/restore-point.ts";
import { type SavedBodies, saveBodies } from "./bodies.ts";
import { canGoOn, saveDatabase } from "./database-part.ts";
import { type Manifest, manifestName } from "./manifest.ts";
import type { Repository } from "./repository.ts";

const dayMs = 24 * 3600_000;

export interface BackupOptions {
  repository: Repository;
  store: Store;
  objects: ObjectStore;
  /** Of the embedded database; undefined if the database is backed up by other means. */
  dataFolder: string | undefined;
  /** Wants the files of the database, not only its log. They are taken too when the log has a gap. */
  isFull: boolean;
  tell: (text: string) => void;
}

export interface TakenBackup {
  manifest: Manifest;
  damaged: string[];
}

/**
 * Backs up the installation as it is at a moment, while it serves: first the database up to that moment, then the bodies,
 * which no sweep removes meanwhile. What an earlier attempt has added to the bodies stays and is used.
 */
export function takeBackup(options: BackupOptions): Promise<TakenBackup> {
  const { repository, store } = options;
  return repository.locked(async () => {
    await dropUnfinished(repository);
    const id = store.clock.now().toISOString().replaceAll(/[:.]/g, "-");
    return holdBodies(store, `${repository.id}:${id}`, () => take({ ...options, id }));
  });
}

async function take(options: BackupOptions & { id: string }): Promise<TakenBackup> {
  const { id, repository, store, dataFolder, isFull, tell } = options;
  const earlier = (await repository.backups()).at(-1);
  const saving = { repository, manifest: { id }, earlier, wantsFull: isFull, tell };
  const database = dataFolder === undefined ? undefined : await saveDatabase({ ...saving, dataFolder });
  const restorePoint = database ? undefined : await makeRestorePoint(store.database, `posthorn-${id}`);
  const kind = !database ? "bodies" : database.part.pieces > 0 ? "full" : "log";
  const { days, saved } = await bodiesOf({ ...options, earlier, kind, isDryRun: false });
  await repository.place.settle();
  const manifest: Manifest = {
    id,
    kind,
    until: (database?.until ?? restorePoint!.at).toISOString(),
    version,
    follows: database?.isContinuous ? earlier!.id : null,
    ...(database ? { database: database.part } : { restorePoint: restorePoint!.name }),
    days,
    added: saved.added,
  };
  await repository.put(manifestName(manifest), Buffer.from(JSON.stringify(manifest)));
  await repository.place.settle();
  await database?.done();
  return { manifest, damaged: saved.damaged };
}

export interface PreviewedBackup {
  kind: Manifest["kind"];
  /** The bodies that would be added. */
  added: SavedBodies["added"];
}

/** What `takeBackup` would do. */
export async function previewBackup(options: BackupOptions): Promise<PreviewedBackup> {
  const { repository, dataFolder, isFull } = options;
  const earlier = (await repository.backups()).at(-1);
  const goesOn = dataFolder !== undefined && !isFull && (await canGoOn(dataFolder, repository, earlier));
  const kind = dataFolder === undefined ? "bodies" : goesOn ? "log" : "full";
  const { saved } = await bodiesOf({ ...options, id: "", earlier, kind, isDryRun: true });
  return { kind, added: saved.added };
}

interface OfBodies extends BackupOptions {
  id: string;
  earlier: Manifest | undefined;
  kind: Manifest["kind"];
  isDryRun: boolean;
}

/** A body is only ever written on its own day: so after a backup, only its day and later ones have new ones. */
async function bodiesOf(options: OfBodies): Promise<{ days: string[]; saved: SavedBodies }> {
  const { id, repository, store, objects, earlier, kind, isDryRun, tell } = options;
  tell("bodies: looking for their days");
  const now = store.clock.now();
  const days = kind === "log" ? daysFrom(new Date(Date.parse(earlier!.until) - dayMs), now) : await objects.days();
  const saved = await saveBodies({ repository, objects, manifest: { id }, days, isDryRun, tell });
  return { days, saved };
}

function daysFrom(first: Date, last: Date): string[] {
  const days: string[] = [];
  const end = last.toISOString().slice(0, 10);
  for (let at = first.getTime(); ; at += dayMs) {
    const day = new Date(at).toISOString().slice(0, 10);
    if (day > end) return days;
    days.push(day);
  }
}

/** Removes what killed backups left, apart from their bodies, which the next one uses. */
async function dropUnfinished(repository: Repository): Promise<void> {
  for await (const { name } of repository.unfinished()) await repository.place.remove(name);
}
