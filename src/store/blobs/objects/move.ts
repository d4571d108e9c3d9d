import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BlobMissing } from "../../core/errors.ts";
import { sha256Of } from "../blob-id.ts";
import { checked } from "../pieces.ts";
import type { ObjectStore, StoredBlob } from "./object-store.ts";
import { DamagedPack } from "./packs/packs.ts";

/** A number of objects, and their size together. */
export interface Amount {
  objects: number;
  bytes: number;
}

/** Told often how much is done; `total` is undefined while it is not known. */
export type Tell = (done: Amount, total: Amount | undefined) => void;

export interface Copied {
  copied: Amount;
  /** Was in the other place already. */
  present: Amount;
  /** Their bytes do not match their hash, so they were not copied. */
  damaged: StoredBlob[];
}

interface CopyOptions {
  from: ObjectStore;
  to: ObjectStore;
  /** Only finds what would be copied. */
  isDryRun: boolean;
  tell: Tell;
}

/** How many objects are handled at a time. */
const maxAtOnce = 16;
/** Larger objects are not held in memory. */
const maxHeldBytes = 1024 * 1024;

/**
 * Copies what `to` lacks, while both are in use. Run again after an interruption, it goes on. What a sweep removes meanwhile
 * does not stay: sweeps remove from `from` first (TwoPlaces), and what has gone from there is removed from `to` here.
 */
export async function copyObjects({ from, to, isDryRun, tell }: CopyOptions): Promise<Copied> {
  const total = await totalOf(from, (done) => tell(done, undefined));
  const result: Copied = { copied: none(), present: none(), damaged: [] };
  const done = none();
  await each(from.list(), async (object) => {
    if ((await to.size(object)) === object.size) add(result.present, object);
    else if (isDryRun) add(result.copied, object);
    else await copy(object);
    add(done, object);
    tell(done, total);
  });
  return result;

  async function copy(object: StoredBlob): Promise<void> {
    try {
      await copyOne(from, to, object);
    } catch (error) {
      const isThere = await from.exists(object);
      if (!(error instanceof BlobMissing)) throw error;
      if (isThere) result.damaged.push(object);
      return;
    }
    if (await from.exists(object)) add(result.copied, object);
    else await to.remove([object]);
  }
}

/** Throws BlobMissing unless the object is there, intact. */
async function copyOne(from: ObjectStore, to: ObjectStore, object: StoredBlob): Promise<void> {
  if (object.size <= maxHeldBytes) return to.put(object, await intact(from, object));
  const path = await to.temporaryPath();
  try {
    await pipeline(
      Readable.from(checked(() => from.stream(object, 0, object.size), object.sha256)),
      createWriteStream(path, { flags: "wx", mode: 0o600 }),
    );
    await to.putFile(object, path);
  } finally {
    await rm(path, { force: true });
  }
}

async function intact(objects: ObjectStore, object: StoredBlob): Promise<Buffer> {
  const bytes = await objects.read(object);
  if (bytes && sha256Of(bytes).equals(object.sha256)) return bytes;
  throw new BlobMissing(`no intact object ${object.sha256.toString("hex")}`);
}

export interface Verified {
  intact: Amount;
  damaged: StoredBlob[];
}

/** Reads every object, and compares it with its hash. */
export async function verifyObjects(objects: ObjectStore, tell: Tell): Promise<Verified> {
  const total = await totalOf(objects, (done) => tell(done, undefined));
  const result: Verified = { intact: none(), damaged: [] };
  const done = none();
  await each(objects.list(), async (object) => {
    if (await isIntact(objects, object)) add(result.intact, object);
    else if (await objects.exists(object)) result.damaged.push(object);
    add(done, object);
    tell(done, total);
  });
  return result;
}

async function isIntact(objects: ObjectStore, object: StoredBlob): Promise<boolean> {
  try {
    if (object.size <= maxHeldBytes) await intact(objects, object);
    else for await (const _ of checked(() => objects.stream(object, 0, object.size), object.sha256));
    return true;
  } catch (error) {
    if (error instanceof BlobMissing) return false;
    throw error;
  }
}

/** What `from` has and `to` lacks. */
export async function lackingIn(to: ObjectStore, from: ObjectStore, tell: Tell): Promise<Amount> {
  const [lacking, done] = [none(), none()];
  await each(from.list(), async (object) => {
    if ((await to.size(object)) !== object.size) add(lacking, object);
    add(done, object);
    tell(done, undefined);
  });
  return lacking;
}

export async function amountOf(objects: ObjectStore, tell: (done: Amount) => void): Promise<Amount> {
  const found = none();
  for await (const object of objects.list()) {
    add(found, object);
    tell(found);
  }
  return found;
}

/** Undefined when a pack is damaged, of which the work itself tells when it has done the rest. */
async function totalOf(objects: ObjectStore, tell: (done: Amount) => void): Promise<Amount | undefined> {
  try {
    return await amountOf(objects, tell);
  } catch (error) {
    if (error instanceof DamagedPack) return undefined;
    throw error;
  }
}

/** Several at a time; the first failure ends it. */
export async function each<T>(items: AsyncIterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  try {
    for await (const item of items) {
      const one = work(item)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => running.delete(one));
      running.add(one);
      if (running.size >= maxAtOnce) await Promise.race(running);
      if (failure) break;
    }
  } finally {
    await Promise.all(running);
  }
  if (failure) throw failure.error;
}

const none = (): Amount => ({ objects: 0, bytes: 0 });

function add(amount: Amount, { size }: StoredBlob): void {
  amount.objects++;
  amount.bytes += size;
}
