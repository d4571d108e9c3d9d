import { each } from "../store/blobs/objects/move.ts";
import { BackupError, DamagedBackup } from "./backup-error.ts";
import { bodyFile, bodyPieces, listedBodies } from "./bodies.ts";
import { dayName, type Manifest, pieceName, segmentName } from "./manifest.ts";
import type { Repository } from "./repository.ts";

export interface Verified {
  /** How many files were read and are as they were written. */
  files: number;
  /** What is amiss, a line for each file. */
  faults: string[];
}

/** Reads all that these backups need: each file must be there, and as it was written. */
export async function verifyBackups(
  repository: Repository,
  backups: readonly Manifest[],
  tell: (text: string) => void,
): Promise<Verified> {
  const verified: Verified = { files: 0, faults: [] };
  const check = async (name: string) => {
    try {
      await repository.get(name);
      verified.files++;
    } catch (error) {
      if (!(error instanceof DamagedBackup)) throw error;
      verified.faults.push(error.message);
    }
    tell(`${verified.files} files are sound, ${verified.faults.length} are not`);
  };
  await each(databaseFiles(backups), check);
  for (const day of new Set(backups.flatMap(({ days }) => days))) {
    await each(bodyFiles(await bodiesOf(repository, backups, day, check), day), check);
  }
  return verified;
}

async function* databaseFiles(backups: readonly Manifest[]): AsyncGenerator<string> {
  for (const backup of backups) {
    const { pieces = 0, segments = [] } = backup.database ?? {};
    for (let n = 0; n < pieces; n++) yield pieceName(backup, n);
    for (const segment of segments) yield segmentName(backup, segment);
  }
}

/** The bodies of a day that any of the backups lists, with their sizes. */
async function bodiesOf(
  repository: Repository,
  backups: readonly Manifest[],
  day: string,
  check: (name: string) => Promise<void>,
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const backup of backups.filter(({ days }) => days.includes(day))) {
    await check(dayName(backup, day));
    const listed = await listedBodies(repository, backup, day).catch((error: unknown) => {
      if (error instanceof BackupError) return [];
      throw error;
    });
    for (const { name, size } of listed) sizes.set(name, size);
  }
  return sizes;
}

async function* bodyFiles(sizes: ReadonlyMap<string, number>, day: string): AsyncGenerator<string> {
  for (const [name, size] of sizes) {
    for (let piece = 0; piece < bodyPieces(size); piece++) yield bodyFile(day, name, piece);
  }
}
