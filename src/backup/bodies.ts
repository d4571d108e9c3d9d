import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Amount, each } from "../store/blobs/objects/move.ts";
import { type ObjectStore, objectName, type StoredBlob } from "../store/blobs/objects/object-store.ts";
import { DamagedPack } from "../store/blobs/objects/packs/packs.ts";
import { DamagedBackup } from "./backup-error.ts";
import { dayName, type Manifest } from "./manifest.ts";
import type { Repository } from "./repository.ts";

/** A larger body fills several files, so that none is held in memory whole. */
export const pieceBytes = 4 * 2 ** 20;
const nameBytes = 32;
const entryBytes = nameBytes + 6;

/** A body as a day's list of a backup names it. */
export interface ListedBody {
  /** In hex. */
  name: string;
  /** In bytes. */
  size: number;
}

export const bodyPieces = (size: number): number => Math.max(1, Math.ceil(size / pieceBytes));

export function bodyFile(day: string, name: string, piece: number): string {
  return `bodies/${day}/${name}${piece === 0 ? "" : `.${piece}`}`;
}

export interface SavedBodies {
  added: Amount;
  /** Bodies that do not match their hash, and packs that can't be read: they are not in the backup. */
  damaged: string[];
}

interface SaveOptions {
  repository: Repository;
  objects: ObjectStore;
  manifest: Pick<Manifest, "id">;
  days: readonly string[];
  /** Only counts. */
  isDryRun: boolean;
  tell: (text: string) => void;
}

/** Adds the bodies of these days that the repository lacks, and lists all of each day. */
export async function saveBodies(options: SaveOptions): Promise<SavedBodies> {
  const { repository, objects, manifest, days, isDryRun, tell } = options;
  const saved: SavedBodies = { added: { objects: 0, bytes: 0 }, damaged: [] };
  for (const day of days) {
    const known = await namesIn(repository, day);
    const entries: Buffer[] = [];
    const one = async (object: StoredBlob) => {
      const name = repository.bodyName(object);
      if (!isWhole(known, name, object.size)) {
        const outcome = isDryRun ? "saved" : await saveBody(repository, objects, object);
        if (outcome === "damaged") saved.damaged.push(objectName(object));
        if (outcome !== "saved") return;
        saved.added.objects++;
        saved.added.bytes += object.size;
      }
      entries.push(entryOf({ name, size: object.size }));
      tell(`bodies of ${day}: ${entries.length}, ${saved.added.objects} new in all`);
    };
    try {
      await each(objects.list(day), one);
    } catch (error) {
      if (!(error instanceof DamagedPack)) throw error;
      saved.damaged.push(error.message);
    }
    if (!isDryRun) await repository.put(dayName(manifest, day), Buffer.concat(entries.sort(Buffer.compare)));
  }
  return saved;
}

function isWhole(known: ReadonlySet<string>, name: string, size: number): boolean {
  if (!known.has(name)) return false;
  for (let piece = 1; piece < bodyPieces(size); piece++) if (!known.has(`${name}.${piece}`)) return false;
  return true;
}

/** The names of the files of bodies of a day. */
async function namesIn({ place }: Repository, day: string): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const { name } of place.list(`bodies/${day}/`)) names.add(name.slice(name.lastIndexOf("/") + 1));
  return names;
}

/** A body that has gone since it was listed is none that the database needs: sweeps wait for the end of the backup. */
async function saveBody(
  repository: Repository,
  objects: ObjectStore,
  object: StoredBlob,
): Promise<"saved" | "gone" | "damaged"> {
  const name = repository.bodyName(object);
  const hash = createHash("sha256");
  for (let piece = 0; piece < bodyPieces(object.size); piece++) {
    const bytes = await objects.read(object, piece * pieceBytes, Math.min((piece + 1) * pieceBytes, object.size));
    if (!bytes) return "gone";
    hash.update(bytes);
    await repository.put(bodyFile(object.day, name, piece), bytes);
  }
  if (hash.digest().equals(object.sha256)) return "saved";
  await repository.place.remove(bodyFile(object.day, name, 0));
  return "damaged";
}

/** The bodies that the backup lists for the day. */
export async function listedBodies(repository: Repository, manifest: Manifest, day: string): Promise<ListedBody[]> {
  const bytes = await repository.get(dayName(manifest, day));
  return Array.from({ length: bytes.length / entryBytes }, (_, at) => {
    const entry = bytes.subarray(at * entryBytes, (at + 1) * entryBytes);
    return { name: entry.toString("hex", 0, nameBytes), size: entry.readUIntBE(nameBytes, 6) };
  });
}

function entryOf({ name, size }: ListedBody): Buffer {
  const entry = Buffer.alloc(entryBytes);
  entry.write(name, "hex");
  entry.writeUIntBE(size, nameBytes, 6);
  return entry;
}

/** Puts a body where the installation keeps them. False if the backup has none of that name. Throws DamagedBackup. */
export async function restoreBody(repository: Repository, object: StoredBlob, to: ObjectStore): Promise<boolean> {
  const name = repository.bodyName(object);
  const file = (piece: number) => bodyFile(object.day, name, piece);
  const pieces = bodyPieces(object.size);
  const hash = createHash("sha256");
  const read = async (piece: number) => {
    const bytes = await repository.get(file(piece));
    hash.update(bytes);
    return bytes;
  };
  const check = () => {
    if (!hash.digest().equals(object.sha256)) throw new DamagedBackup(file(0), "does not match its hash");
  };
  if (!(await isThere(repository, file(0)))) return false;
  if (pieces === 1) {
    const bytes = await read(0);
    check();
    await to.put(object, bytes);
    return true;
  }
  const path = await to.temporaryPath();
  try {
    const all = Readable.from(range(pieces, read), { objectMode: false });
    await pipeline(all, createWriteStream(path, { flags: "wx", mode: 0o600 }));
    check();
    await to.putFile(object, path);
  } finally {
    await rm(path, { force: true });
  }
  return true;
}

async function isThere({ place }: Repository, file: string): Promise<boolean> {
  return (await place.size(file)) !== undefined;
}

async function* range(count: number, read: (n: number) => Promise<Buffer>): AsyncGenerator<Buffer> {
  for (let n = 0; n < count; n++) yield await read(n);
}
