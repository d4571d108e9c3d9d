import { mkdir, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Clock, Random } from "../../../base/clock.ts";
import type { PackChanged } from "../../../base/events.ts";
import { BlobMissing } from "../../core/errors.ts";
import {
  type ObjectKey,
  type ObjectStore,
  objectName,
  packIdOf,
  parseObjectName,
  type StoredBlob,
} from "./object-store.ts";
import { Packer } from "./packs/packer.ts";
import { DamagedPack, Packs } from "./packs/packs.ts";
import { contentOf, contentOfFile, S3Bucket, type S3BucketOptions } from "./s3-bucket.ts";
import { TemporaryFiles } from "./temporary.ts";

export interface S3Options extends S3BucketOptions {
  /** Whether small bodies that are put together share an object. Those that do are read in any case. */
  packs: boolean;
  onPackChange?: (change: PackChanged) => void;
  /** A local folder for bytes that are still arriving. */
  temporaryFolder: string;
  clock: Clock;
  random: Random;
}

/** Larger bodies are objects of their own. */
const maxPackedBytes = 64 * 1024;
/** The object that names the installation. */
const mark = "installation";
const dayName = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Objects in a bucket of any S3 service, as `<prefix><three hex digits of the hash>/<day>/<hash>`: with the day in front,
 * each midnight all writes would move to one cold partition of the service. Small ones may share a pack.
 */
export class S3Objects implements ObjectStore {
  readonly #options: S3Options;
  readonly #bucket: S3Bucket;
  readonly #packs: Packs;
  readonly #packer: Packer;
  readonly #temporary: TemporaryFiles;

  constructor(options: S3Options) {
    this.#options = options;
    this.#bucket = new S3Bucket(options);
    const { random, onPackChange: onChange = () => {} } = options;
    this.#packs = new Packs({ bucket: this.#bucket, random, onChange });
    this.#packer = new Packer({
      write: (day, bodies) => this.#packs.write(day, bodies),
      writeAlone: (key, bytes) => this.put(key, bytes),
    });
    this.#temporary = new TemporaryFiles(options.temporaryFolder, options.clock, random);
  }

  async put(key: ObjectKey, bytes: Uint8Array): Promise<void> {
    await this.#bucket.put(nameOf(key), contentOf(bytes, key.sha256));
  }

  async putTogether(blob: StoredBlob, bytes: Uint8Array): Promise<StoredBlob> {
    if (this.#options.packs && bytes.length < maxPackedBytes) {
      return { ...blob, pack: await this.#packer.put(blob, bytes) };
    }
    await this.put(blob, bytes);
    return blob;
  }

  async putFile(key: ObjectKey, path: string): Promise<void> {
    await this.#bucket.put(nameOf(key), await contentOfFile(path, key.sha256));
    await rm(path, { force: true });
  }

  async temporaryPath(): Promise<string> {
    await mkdir(this.#temporary.folder, { recursive: true, mode: 0o700 });
    return this.#temporary.path();
  }

  async read(key: ObjectKey, start = 0, end = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    const member = await this.#member(key);
    return member ? member.subarray(start, end) : this.#bucket.read(nameOf(key), start, end);
  }

  stream(key: ObjectKey, start: number, end: number): Readable {
    return key.pack
      ? Readable.from(this.#pieces(key, start, end), { objectMode: false })
      : this.#bucket.stream(nameOf(key), start, end);
  }

  async *#pieces(key: ObjectKey, start: number, end: number): AsyncGenerator<Buffer> {
    const bytes = await this.read(key, start, end);
    if (!bytes) throw new BlobMissing(`no object ${objectName(key)}`);
    yield bytes;
  }

  async exists(key: ObjectKey): Promise<boolean> {
    return (await this.size(key)) !== undefined;
  }

  async size(key: ObjectKey): Promise<number | undefined> {
    const inPack = key.pack ? await this.#packs.size(key) : undefined;
    return inPack ?? this.#bucket.size(nameOf(key));
  }

  async days(): Promise<string[]> {
    const found = new Set<string>();
    for await (const name of this.#bucket.folders()) if (dayName.test(name)) found.add(name);
    return [...found].sort();
  }

  async *list(day?: string): AsyncIterable<StoredBlob> {
    const damaged: string[] = [];
    for await (const page of this.#bucket.list(day === undefined ? "" : `${day}/`)) {
      for (const { name, size } of page) {
        const key = /^[0-9a-f]{3}\//.test(name) ? parseObjectName(name.slice(4)) : undefined;
        if (key) yield { ...key, size };
      }
      yield* this.#packs.members(page, damaged);
    }
    if (damaged.length > 0) throw new DamagedPack(...damaged);
  }

  async remove(keys: readonly ObjectKey[]): Promise<boolean[]> {
    const removed = new Map<ObjectKey, boolean>();
    const packOf = (key: ObjectKey) => (key.pack ? `${key.day}/${packIdOf(key)!.toString("hex")}` : "");
    for (const [pack, some] of Map.groupBy(keys, packOf)) {
      const dropped = pack === "" ? some.map(() => false) : await this.#packs.drop(some);
      // What was in a pack may have become an object of its own, if this bucket was filled from another place.
      const own = await Promise.all(some.map((key, index) => dropped[index] || this.#removeOwn(key)));
      for (const [index, key] of some.entries()) removed.set(key, own[index]!);
    }
    return keys.map((key) => removed.get(key)!);
  }

  async #removeOwn(key: ObjectKey): Promise<boolean> {
    const name = nameOf(key);
    if ((await this.#bucket.size(name)) === undefined) return false;
    await this.#bucket.remove(name);
    return true;
  }

  async claim(installation: string): Promise<string> {
    for (;;) {
      const known = await this.#bucket.read(mark);
      if (known !== undefined) return known.toString();
      await this.#bucket.put(mark, contentOf(Buffer.from(installation)), { isNew: true });
    }
  }

  check(): Promise<string | undefined> {
    return this.#bucket.check();
  }

  tidy(): Promise<void> {
    return this.#temporary.tidy();
  }

  async #member(key: ObjectKey): Promise<Buffer | undefined> {
    return key.pack ? this.#packs.read(key) : undefined;
  }
}

function nameOf(key: ObjectKey): string {
  return `${key.sha256.toString("hex", 0, 2).slice(0, 3)}/${objectName(key)}`;
}
