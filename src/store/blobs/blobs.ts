import { Readable } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import { type Events, silentEvents } from "../../base/events.ts";
import { lru } from "../../base/lru.ts";
import { decodeTransfer } from "../../mime/transfer.ts";
import { BlobMissing } from "../core/errors.ts";
import type { Reader, Tx } from "../core/store.ts";
import { type BlobStep, decodeBlobId, sha256Of } from "./blob-id.ts";
import { findBlob, type ReferenceOptions, referenceBlob } from "./blob-refs.ts";
import { type BodyCache, createMemoryCache, type MemoryCache, maxCachedBytes } from "./cache.ts";
import type { ObjectKey, ObjectStore, StoredBlob } from "./objects/object-store.ts";
import { type ByteSpan, checked, cutPieces, decodePieces, sizeOfPieces } from "./pieces.ts";
import { Pile, Room, TooLarge } from "./pile.ts";
import { Spool } from "./spool.ts";

export type { StoredBlob } from "./objects/object-store.ts";
export { type Pile, TooLarge } from "./pile.ts";

export interface BlobsOptions {
  objects: ObjectStore;
  clock: Clock;
  /** How many bytes of recent bodies stay in memory; 0 for none. */
  cacheBytes: number;
  /** A cache of recent bodies for all processes; it is asked after the one in memory. */
  sharedCache?: BodyCache | undefined;
  events?: Pick<Events, "bodyRead">;
  /** How many bytes of memory piles share, beyond 1 MB each. (Default: 128 MB, enough for a few of the largest messages) */
  pileBytes?: number;
}

/** A larger mail that comes in is cached once somebody reads it: until then it would keep out a dozen others. */
const maxKeptOnArrival = 65_536;
/** A range of a smaller body costs a request as well, so it is read whole, checked and cached. */
const maxReadWhole = 64 * 1024;

/** Bytes [start, end) of a blob; a negative start counts from its end. */
export interface ByteRange {
  start: number;
  end?: number;
}

export interface OpenBlob {
  /** The size of the whole blob. */
  total: number;
  /** `stream` yields bytes [start, start + size). */
  size: number;
  start: number;
  stream: Readable;
}

/** Stores bodies durably. The server reads them by hash, an account through a blob id. */
export class Blobs {
  readonly objects: ObjectStore;
  readonly #clock: Clock;
  /** The nearest first. */
  readonly #memory: MemoryCache;
  readonly #caches: { cache: BodyCache; from: "memory" | "redis" }[];
  readonly #events: Pick<Events, "bodyRead">;
  readonly #room: Room;
  readonly #reading = new Map<string, Promise<Buffer>>();
  /** Sizes of streamed decoded blobs, by blob id; blobs never change. */
  readonly #sizes = lru<string, Promise<number>>({ max: 10_000 });

  constructor(options: BlobsOptions) {
    this.objects = options.objects;
    this.#clock = options.clock;
    this.#memory = createMemoryCache(options.cacheBytes);
    this.#caches = [{ cache: this.#memory, from: "memory" }];
    if (options.sharedCache) this.#caches.push({ cache: options.sharedCache, from: "redis" });
    this.#events = options.events ?? silentEvents;
    this.#room = new Room(options.pileBytes ?? 128 * 1024 * 1024);
  }

  /** What the memory of this process holds of recent bodies. */
  get cachedBytes(): number {
    return this.#memory.bytes;
  }

  /** Durable on return. A reference must be committed within an hour. */
  async put(bytes: Uint8Array): Promise<StoredBlob> {
    const blob = this.#named(bytes);
    await this.objects.put(blob, bytes);
    this.#keepCopy(blob, bytes);
    return blob;
  }

  /**
   * Like `put`, for mail that comes in and will mostly stay: the object store may write several together, which takes up to
   * 20 ms longer and saves most of the requests. `bytes` must not change meanwhile.
   */
  async putTogether(bytes: Uint8Array): Promise<StoredBlob> {
    const blob = await this.objects.putTogether(this.#named(bytes), bytes);
    if (bytes.length <= maxKeptOnArrival) this.#keepCopy(blob, bytes);
    return blob;
  }

  #named(bytes: Uint8Array): StoredBlob {
    return { sha256: sha256Of(bytes), day: this.#today(), size: bytes.length, pack: null };
  }

  /** Copied, since the caller's bytes may change or be a slice of a large buffer. */
  #keepCopy(blob: StoredBlob, bytes: Uint8Array): void {
    if (bytes.length <= maxCachedBytes) this.#keep(blob, Buffer.from(bytes));
  }

  /** Collects incoming bytes that are inspected before anything is stored. The caller must `abort` it. */
  pile(maxBytes: number): Pile {
    return new Pile(this.objects, maxBytes, this.#room);
  }

  /** Collects incoming bytes to be stored as they are. The caller must `finish` or `abort` it. */
  spool(maxBytes: number): Spool {
    return new Spool(this.objects, maxBytes, () => this.#today());
  }

  /** Lets the account read the blob until `expiresAt` (an upload), or for good. */
  async reference(tx: Tx, blob: StoredBlob, options: ReferenceOptions = {}): Promise<void> {
    await referenceBlob(tx, blob, options);
  }

  /** Checks the hash of all that it reads whole. Throws BlobMissing. */
  async readObject(blob: StoredBlob, start = 0, end = blob.size): Promise<Buffer> {
    const cached = await this.#findCached(blob);
    if (cached) return cached.subarray(start, end);
    this.#events.bodyRead({ from: "store" });
    if ((start > 0 || end < blob.size) && blob.size > maxReadWhole) {
      const bytes = await this.objects.read(blob, start, end);
      if (!bytes || bytes.length < Math.min(end, blob.size) - start) throw missing(blob);
      return bytes;
    }
    const key = cacheKey(blob);
    let reading = this.#reading.get(key);
    if (!reading) {
      reading = this.#readWhole(blob).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return (await reading).subarray(start, end);
  }

  /**
   * The bytes of a blob id; undefined when the id is invalid or the viewer may not read it. Throws TooLarge, before it reads any,
   * where that would be more than `maxBytes`, decoded or not.
   */
  async read(reader: Reader, blobId: string, maxBytes = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    const found = await this.#find(reader, blobId);
    if (!found) return undefined;
    const { start, end } = slice(cutsRead(found.steps), found.blob.size);
    if (end - start > maxBytes) throw new TooLarge(maxBytes);
    return this.#decode(found.blob, found.steps);
  }

  /** Like `read`, but streamed. A range of an encoded part is decoded from the part's beginning. */
  async open(reader: Reader, blobId: string, range: ByteRange = { start: 0 }): Promise<OpenBlob | undefined> {
    const found = await this.#find(reader, blobId);
    if (!found) return undefined;
    const { blob, steps } = found;
    const first = steps.findIndex(({ encoding }) => encoding !== "identity");
    if (first >= 0) {
      const raw = slice(steps.slice(0, first + 1), blob.size);
      if (raw.end - raw.start > maxCachedBytes) return this.#openDecoded(blobId, blob, raw, steps.slice(first), range);
      const bytes = await this.#decode(blob, steps);
      const { start, end } = clip(range, bytes.length);
      return { total: bytes.length, size: end - start, start, stream: streamOf(bytes.subarray(start, end)) };
    }
    const piece = slice(steps, blob.size);
    const total = piece.end - piece.start;
    const { start, end } = clip(range, total);
    const stream = await this.#stream(blob, piece.start + start, piece.start + end);
    return { total, size: end - start, start, stream };
  }

  /** Decodes piece by piece. Finding the decoded size takes a full read, so the size is cached. */
  async #openDecoded(
    blobId: string,
    blob: StoredBlob,
    raw: ByteSpan,
    [first, ...later]: BlobStep[],
    range: ByteRange,
  ): Promise<OpenBlob> {
    if (!(await this.objects.exists(blob))) throw missing(blob);
    const decoded = () => {
      let pieces = decodePieces(this.#pieces(blob, raw), first!.encoding);
      for (const step of later) pieces = decodePieces(cutPieces(pieces, step), step.encoding);
      return pieces;
    };
    let counting = this.#sizes.get(blobId);
    if (!counting) {
      counting = sizeOfPieces(decoded());
      counting.catch(() => this.#sizes.delete(blobId));
      this.#sizes.set(blobId, counting);
    }
    const total = await counting;
    const { start, end } = clip(range, total);
    const stream = Readable.from(cutPieces(decoded(), { start, end }), { objectMode: false });
    return { total, size: end - start, start, stream };
  }

  async *#pieces(blob: StoredBlob, { start, end }: ByteSpan): AsyncGenerator<Buffer> {
    let size = 0;
    for await (const piece of this.objects.stream(blob, start, end) as AsyncIterable<Buffer>) {
      size += piece.length;
      yield piece;
    }
    if (size < end - start) throw missing(blob);
  }

  async #find(reader: Reader, blobId: string): Promise<{ blob: StoredBlob; steps: BlobStep[] } | undefined> {
    const decoded = decodeBlobId(blobId);
    const blob = decoded && (await findBlob(reader, decoded.sha256));
    if (!decoded || !blob) return undefined;
    return fits(decoded.steps, blob.size) ? { blob, steps: decoded.steps } : undefined;
  }

  /** Reads the cuts up to the first encoded one as a single range of the object. */
  async #decode(blob: StoredBlob, steps: BlobStep[]): Promise<Buffer> {
    const first = steps.findIndex(({ encoding }) => encoding !== "identity");
    const piece = slice(cutsRead(steps), blob.size);
    let bytes = await this.readObject(blob, piece.start, piece.end);
    if (first >= 0) bytes = undo(bytes, steps[first]!.encoding);
    for (const step of first < 0 ? [] : steps.slice(first + 1)) {
      bytes = undo(bytes.subarray(step.start, step.end), step.encoding);
    }
    return bytes;
  }

  async #stream(blob: StoredBlob, start: number, end: number): Promise<Readable> {
    if (end <= start) return streamOf(Buffer.alloc(0));
    const isWhole = start === 0 && end === blob.size;
    if (blob.size <= (isWhole ? maxCachedBytes : maxReadWhole))
      return streamOf(await this.readObject(blob, start, end));
    const cached = await this.#findCached(blob);
    if (cached) return streamOf(cached.subarray(start, end));
    if (!(await this.objects.exists(blob))) throw missing(blob);
    this.#events.bodyRead({ from: "store" });
    const open = () => this.objects.stream(blob, start, end);
    if (start > 0 || end < blob.size) return open();
    return Readable.from(checked(open, blob.sha256), { objectMode: false });
  }

  /** Reads a second time when the first was damaged on its way. */
  async #readWhole(blob: StoredBlob): Promise<Buffer> {
    for (let reads = 0; reads < 2; reads++) {
      const bytes = await this.objects.read(blob);
      if (!bytes || !sha256Of(bytes).equals(blob.sha256)) continue;
      this.#keep(blob, bytes);
      return bytes;
    }
    throw missing(blob);
  }

  async #findCached(blob: StoredBlob): Promise<Buffer | undefined> {
    const key = cacheKey(blob);
    for (const [at, { cache, from }] of this.#caches.entries()) {
      const bytes = blob.size <= cache.maxBodyBytes ? await cache.get(key) : undefined;
      if (!bytes) continue;
      this.#events.bodyRead({ from });
      for (const { cache: nearer } of this.#caches.slice(0, at)) nearer.set(key, bytes);
      return bytes;
    }
    return undefined;
  }

  #keep(blob: ObjectKey, bytes: Buffer): void {
    for (const { cache } of this.#caches) if (bytes.length <= cache.maxBodyBytes) cache.set(cacheKey(blob), bytes);
  }

  #today(): string {
    return this.#clock.now().toISOString().slice(0, 10);
  }
}

function cacheKey({ day, sha256 }: ObjectKey): string {
  return `${day}/${sha256.toString("hex")}`;
}

function missing(blob: ObjectKey): BlobMissing {
  return new BlobMissing(`no intact object ${cacheKey(blob)}`);
}

function streamOf(bytes: Buffer): Readable {
  return Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false });
}

function undo(bytes: Buffer, encoding: BlobStep["encoding"]): Buffer {
  return decodeTransfer(bytes, encoding === "identity" ? "binary" : encoding);
}

/** The cuts up to the first encoded one: what is read of the object. */
function cutsRead(steps: BlobStep[]): BlobStep[] {
  const first = steps.findIndex(({ encoding }) => encoding !== "identity");
  return first < 0 ? steps : steps.slice(0, first + 1);
}

/** Combines nested cuts into one. */
function slice(steps: BlobStep[], size: number): ByteSpan {
  let piece = { start: 0, end: size };
  for (const { start, end } of steps) {
    piece = { start: Math.min(piece.start + start, piece.end), end: Math.min(piece.start + end, piece.end) };
  }
  return piece;
}

/** Whether the cuts lie within the bytes. Behind the first decoding this is not known before reading. */
function fits(steps: BlobStep[], size: number): boolean {
  let limit = size;
  for (const { start, end, encoding } of steps) {
    if (end > limit) return false;
    if (encoding !== "identity") return true;
    limit = end - start;
  }
  return true;
}

function clip({ start, end }: ByteRange, total: number): ByteSpan {
  const from = Math.min(start < 0 ? Math.max(0, total + start) : start, total);
  return { start: from, end: Math.max(from, Math.min(end ?? total, total)) };
}
