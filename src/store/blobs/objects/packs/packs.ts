import type { Random } from "../../../../base/clock.ts";
import type { PackChanged } from "../../../../base/events.ts";
import type { ObjectKey, StoredBlob } from "../object-store.ts";
import { contentOf, type Listed, type S3Bucket } from "../s3-bucket.ts";
import {
  bodyOf,
  directoryOf,
  type Entry,
  encodePack,
  maxDirectoryBytes,
  memberHeadBytes,
  membersOf,
  newMember,
} from "./format.ts";

export interface PacksOptions {
  bucket: Pick<S3Bucket, "read" | "readTagged" | "put" | "remove">;
  random: Random;
  onChange: (change: PackChanged) => void;
}

/** What is stored of a pack is not what was written. */
export class DamagedPack extends Error {
  constructor(...names: string[]) {
    const [first, ...others] = names;
    super(`the pack ${first}${others.length === 0 ? " is" : ` and ${others.length} more are`} damaged`);
  }
}

/** How often what was damaged on its way, or changes meanwhile, is read. */
const maxReads = 3;
/** Of packs that were listed, how many directories are read at a time. */
const maxAtOnce = 16;
const packName = /^[0-9a-f]{3}\/(\d{4}-\d{2}-\d{2})\/([0-9a-f]{32})\.pack$/;

/** A body that is to be written with others. */
export interface NewBody {
  sha256: Buffer;
  bytes: Uint8Array;
}

/**
 * Several bodies of a day in one object `<three hex digits of its id>/<day>/<id>.pack`. A pack only ever loses members, and
 * keeps its name; so where in it a body began is a hint, and each body that is read is compared with its hash.
 */
export class Packs {
  readonly #options: PacksOptions;

  constructor(options: PacksOptions) {
    this.#options = options;
  }

  /** Durable on return. For each body, its `pack`. */
  async write(day: string, bodies: readonly NewBody[]): Promise<Buffer[]> {
    const id = this.#options.random(16);
    const { bytes, entries } = encodePack(bodies.map((body) => newMember(body.sha256, body.bytes)));
    await this.#options.bucket.put(nameOf(day, id), contentOf(bytes));
    this.#options.onChange({ act: "written", members: bodies.length });
    return entries.map(({ at }) => placeOf(id, at));
  }

  /** Undefined when it is not in its pack, or the pack is gone. */
  async read(key: ObjectKey): Promise<Buffer | undefined> {
    const { bucket } = this.#options;
    const name = nameOf(key.day, key.pack!);
    const at = atOf(key.pack!);
    if (at !== undefined && key.size !== undefined) {
      const bytes = await bucket.read(name, at, at + memberHeadBytes + key.size);
      if (!bytes) return undefined;
      const body = bodyOf(bytes, key.sha256);
      if (body) return body;
    }
    // The pack has been written again, or the bytes were damaged on their way.
    const entry = await this.#find(key);
    if (!entry) return undefined;
    const member = await bucket.read(name, entry.at, entry.at + memberHeadBytes + entry.size);
    return (member && bodyOf(member, key.sha256)) ?? this.#readInWhole(key);
  }

  /** What is read at once is of one version, however often the pack is written again meanwhile. */
  async #readInWhole(key: ObjectKey): Promise<Buffer | undefined> {
    for (let reads = 0; reads < maxReads; reads++) {
      const pack = await this.#options.bucket.read(nameOf(key.day, key.pack!));
      const entries = pack && directoryOf(pack);
      const entry = entries?.find(({ sha256 }) => sha256.equals(key.sha256));
      if (!pack || (entries && !entry)) return undefined;
      const body = entry && bodyOf(pack.subarray(entry.at, entry.at + memberHeadBytes + entry.size), key.sha256);
      if (body) return body;
    }
    return undefined;
  }

  /** Undefined when it is not in its pack, or the pack is gone. */
  async size(key: ObjectKey): Promise<number | undefined> {
    return (await this.#find(key))?.size;
  }

  /** The bodies in those of the listed objects that are packs. Adds the names of those that are damaged to `damaged`. */
  async *members(listed: readonly Listed[], damaged: string[]): AsyncGenerator<StoredBlob> {
    const packs = listed.flatMap(({ name }) => {
      const [, day, id] = packName.exec(name) ?? [];
      return day === undefined || id === undefined ? [] : [{ name, day, id: Buffer.from(id, "hex") }];
    });
    for (let start = 0; start < packs.length; start += maxAtOnce) {
      const some = packs.slice(start, start + maxAtOnce);
      const directories = await Promise.all(some.map(({ name }) => this.#directory(name)));
      for (const [index, { name, day, id }] of some.entries()) {
        const entries = directories[index];
        if (entries === "damaged") {
          damaged.push(name);
          continue;
        }
        // It is undefined for a pack that has just been removed.
        for (const { sha256, size, at } of entries ?? []) yield { day, sha256, size, pack: placeOf(id, at) };
      }
    }
  }

  /**
   * Writes the pack of these keys again without them, under its name, or removes it if nothing is left; returns which were
   * there. Any number of processes may do so at once: on a service that ignores the condition of a write, the worst is
   * that a member which nobody needs stays.
   */
  async drop(keys: readonly ObjectKey[]): Promise<boolean[]> {
    const { bucket, onChange } = this.#options;
    const name = nameOf(keys[0]!.day, keys[0]!.pack!);
    const unneeded = new Set(keys.map(hashOf));
    let isIntact = false;
    for (let reads = 0; reads < maxReads; reads++) {
      const pack = await bucket.readTagged(name);
      if (!pack) return keys.map(() => false);
      const entries = directoryOf(pack.bytes);
      const there = new Set(entries?.map(hashOf));
      const left = entries?.filter((entry) => !unneeded.has(hashOf(entry)));
      // What is damaged, if only on its way, is not written again.
      const kept = left && membersOf(pack.bytes, left);
      isIntact = entries !== undefined && kept !== undefined;
      if (!entries || !kept) continue;
      const wereThere = keys.map((key) => there.has(hashOf(key)));
      const dropped = entries.length - kept.length;
      if (dropped === 0) return wereThere;
      if (kept.length === 0) await bucket.remove(name);
      else if (!(await bucket.put(name, contentOf(encodePack(kept).bytes), { tag: pack.tag }))) continue;
      onChange({ act: kept.length === 0 ? "removed" : "compacted", members: dropped });
      return wereThere;
    }
    throw isIntact ? new Error(`the pack ${name} is written again all the time`) : new DamagedPack(name);
  }

  async #find(key: ObjectKey): Promise<Entry | undefined> {
    const directory = await this.#directory(nameOf(key.day, key.pack!));
    return directory === "damaged" ? undefined : directory?.find(({ sha256 }) => sha256.equals(key.sha256));
  }

  async #directory(name: string): Promise<Entry[] | "damaged" | undefined> {
    for (let reads = 0; reads < maxReads; reads++) {
      const bytes = await this.#options.bucket.read(name, 0, maxDirectoryBytes);
      const entries = bytes && directoryOf(bytes);
      if (!bytes || entries) return entries;
    }
    return "damaged";
  }
}

const hashOf = ({ sha256 }: { sha256: Buffer }): string => sha256.toString("hex");

function nameOf(day: string, pack: Buffer): string {
  const id = pack.toString("hex", 0, 16);
  return `${id.slice(0, 3)}/${day}/${id}.pack`;
}

/** What is known as `pack` of a body. */
function placeOf(id: Buffer, at: number): Buffer {
  const place = Buffer.alloc(20);
  id.copy(place);
  place.writeUInt32BE(at, 16);
  return place;
}

const atOf = (place: Buffer): number | undefined => (place.length === 20 ? place.readUInt32BE(16) : undefined);
