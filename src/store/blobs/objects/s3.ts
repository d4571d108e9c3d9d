import { createReadStream } from "node:fs";
import { mkdir, readFile, rm, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { ListObjectsV2CommandOutput, PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { Clock, Random } from "../../../base/clock.ts";
import { BlobMissing, BodiesAway } from "../../core/errors.ts";
import { sha256Of } from "../blob-id.ts";
import type { ObjectKey, ObjectStore, StoredBlob } from "./object-store.ts";
import { isRefusal, NotTheService, S3Service, type S3ServiceOptions } from "./s3-service.ts";
import { TemporaryFiles } from "./temporary.ts";

export interface S3Options extends S3ServiceOptions {
  bucket: string;
  /** Before every key: "" or a path that ends in a slash. */
  prefix: string;
  /** With the id of a key only for aws:kms. (Default: what the bucket does by itself) */
  encryption: { algorithm: "AES256" | "aws:kms"; keyId: string | undefined } | undefined;
  /** A local folder for bytes that are still arriving. */
  temporaryFolder: string;
  clock: Clock;
  random: Random;
}

/** Larger bodies are sent in pieces of `pieceBytes`, so that a slow network is told from a dead one. */
const maxAtOnceBytes = 1024 * 1024;
const pieceBytes = 256 * 1024;
/** How often a stream is opened again without a byte of progress. */
const maxFruitless = 3;
/** How many listings run at a time. */
const maxListings = 16;
/** The object that names the installation. */
const mark = "installation";
/** A write that succeeded shows for this long that writing works, unless another failed since. */
const writtenForMs = 60_000;
const partition = /^[0-9a-f]{3}$/;
const dayPrefix = /^[0-9a-f]{3}\/(\d{4}-\d{2}-\d{2})\/$/;
const objectName = /^[0-9a-f]{3}\/(\d{4}-\d{2}-\d{2})\/([0-9a-f]{64})$/;

/**
 * Objects in a bucket of any S3 service, as `<prefix><three hex digits of the hash>/<day>/<hash>`: with the day in front,
 * each midnight all writes would move to one cold partition of the service.
 */
export class S3Objects implements ObjectStore {
  readonly #options: S3Options;
  readonly #service: S3Service;
  readonly #temporary: TemporaryFiles;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(options: S3Options) {
    this.#options = options;
    this.#service = new S3Service(options);
    this.#temporary = new TemporaryFiles(options.temporaryFolder, options.clock, options.random);
  }

  put(key: ObjectKey, bytes: Uint8Array): Promise<void> {
    const pieces = bytes.length > maxAtOnceBytes ? () => piecesOf(bytes) : undefined;
    return this.#put(this.#name(key), key.sha256, bytes.length, pieces ?? bytes);
  }

  async putFile(key: ObjectKey, path: string): Promise<void> {
    const { size } = await stat(path);
    if (size <= maxAtOnceBytes) await this.put(key, await readFile(path));
    else
      await this.#put(this.#name(key), key.sha256, size, () => createReadStream(path, { highWaterMark: pieceBytes }));
    await rm(path, { force: true });
  }

  async temporaryPath(): Promise<string> {
    await mkdir(this.#temporary.folder, { recursive: true, mode: 0o700 });
    return this.#temporary.path();
  }

  read(key: ObjectKey, start = 0, end = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    return this.#service.ask("get", async ({ client, sdk, signal, alive }) => {
      const range = rangeOf(start, end);
      const command = new sdk.GetObjectCommand({ ...this.#place(key), ...(range && { Range: range }) });
      try {
        const { Body, ContentLength = 0 } = await client.send(command, { abortSignal: signal });
        return await collect(Body as Readable, ContentLength, alive);
      } catch (error) {
        if (isBeyondEnd(error)) return Buffer.alloc(0);
        throw error;
      }
    });
  }

  stream(key: ObjectKey, start: number, end: number): Readable {
    return Readable.from(this.#pieces(key, start, end), { objectMode: false, highWaterMark: pieceBytes });
  }

  /** When the connection is lost on the way, goes on where it was. */
  async *#pieces(key: ObjectKey, start: number, end: number): AsyncGenerator<Buffer> {
    let fruitless = 0;
    for (let at = start; at < end; ) {
      const body = await this.#openAt(key, at, end);
      try {
        for await (const piece of timely(body, this.#service.patience.answerTimeoutMs)) {
          fruitless = 0;
          at += piece.length;
          yield piece;
        }
        return;
      } catch (error) {
        if (++fruitless > maxFruitless) throw new BodiesAway(error);
      } finally {
        body.destroy();
      }
    }
  }

  async #openAt(key: ObjectKey, start: number, end: number): Promise<Readable> {
    const body = await this.#service.ask("get", async ({ client, sdk, signal }) => {
      const command = new sdk.GetObjectCommand({ ...this.#place(key), Range: rangeOf(start, end) ?? "bytes=0-" });
      const { Body } = await client.send(command, { abortSignal: signal });
      return Body as Readable;
    });
    if (!body) throw new BlobMissing(`no object ${this.#name(key)}`);
    return body;
  }

  async exists(key: ObjectKey): Promise<boolean> {
    return (await this.size(key)) !== undefined;
  }

  size(key: ObjectKey): Promise<number | undefined> {
    return this.#service.ask("head", async ({ client, sdk, signal }) => {
      const { ContentLength } = await client.send(new sdk.HeadObjectCommand(this.#place(key)), { abortSignal: signal });
      return ContentLength ?? 0;
    });
  }

  async days(): Promise<string[]> {
    const found = new Set<string>();
    for await (const { CommonPrefixes = [] } of this.#listings("", "/")) {
      for (const { Prefix = "" } of CommonPrefixes) {
        const [, day] = dayPrefix.exec(Prefix.slice(this.#options.prefix.length)) ?? [];
        if (day !== undefined) found.add(day);
      }
    }
    return [...found].sort();
  }

  async *list(day?: string): AsyncIterable<StoredBlob> {
    for await (const { Contents = [] } of this.#listings(day === undefined ? "" : `${day}/`)) {
      for (const { Key = "", Size = 0 } of Contents) {
        const [, name, hash] = objectName.exec(Key.slice(this.#options.prefix.length)) ?? [];
        if (name !== undefined && hash !== undefined) yield { day: name, sha256: Buffer.from(hash, "hex"), size: Size };
      }
    }
  }

  async remove(key: ObjectKey): Promise<boolean> {
    if (!(await this.exists(key))) return false;
    await this.#service.ask("delete", ({ client, sdk, signal }) =>
      client.send(new sdk.DeleteObjectCommand(this.#place(key)), { abortSignal: signal }),
    );
    return true;
  }

  async claim(installation: string): Promise<string> {
    const name = this.#options.prefix + mark;
    for (;;) {
      const known = await this.#text(name);
      if (known !== undefined) return known;
      const bytes = Buffer.from(installation);
      try {
        await this.#put(name, sha256Of(bytes), bytes.length, bytes, { isNew: true });
      } catch (error) {
        if (!isTaken(error)) throw error;
      }
    }
  }

  #text(name: string): Promise<string | undefined> {
    return this.#service.ask("get", async ({ client, sdk, signal }) => {
      const command = new sdk.GetObjectCommand({ Bucket: this.#options.bucket, Key: name });
      const { Body } = await client.send(command, { abortSignal: signal });
      return Body?.transformToString() ?? "";
    });
  }

  /** Writes a small object, unless a write has succeeded lately. */
  async check(): Promise<string | undefined> {
    if (performance.now() - this.#writtenAt < writtenForMs) return undefined;
    const probe = Buffer.from("probe");
    try {
      await this.#put(`${this.#options.prefix}probe`, sha256Of(probe), probe.length, probe);
      return undefined;
    } catch (error) {
      return isRefusal(error as Error) ? "can't be written" : "can't be reached";
    }
  }

  tidy(): Promise<void> {
    return this.#temporary.tidy();
  }

  /** The service compares what arrives with the hash. A function gives the pieces for each attempt. */
  async #put(
    name: string,
    sha256: Buffer,
    size: number,
    content: Uint8Array | (() => Pieces),
    { isNew = false } = {},
  ): Promise<void> {
    const { bucket, encryption } = this.#options;
    const input: PutObjectCommandInput = {
      Bucket: bucket,
      Key: name,
      ContentLength: size,
      ...(isNew && { IfNoneMatch: "*" }),
      ...(encryption && { ServerSideEncryption: encryption.algorithm }),
      ...(encryption?.keyId !== undefined && { SSEKMSKeyId: encryption.keyId }),
    };
    const written = this.#service.ask("put", async ({ client, sdk, signal, alive }) => {
      const body = content instanceof Uint8Array ? content : Readable.from(told(content(), alive));
      const command = new sdk.PutObjectCommand({ ...input, Body: body });
      // Signed with the request; the SDK would leave the hash of a stream open.
      const header = { "x-amz-content-sha256": sha256.toString("hex") };
      command.middlewareStack.add(
        (next) => (args) => {
          Object.assign((args.request as { headers: Record<string, string> }).headers, header);
          return next(args);
        },
        { step: "build", name: "payloadHash" },
      );
      const sent = client.send(command, { abortSignal: signal });
      if (!(body instanceof Readable)) return sent;
      const unread = new Promise<never>((_, reject) => body.once("error", (error) => reject(new NotTheService(error))));
      try {
        return await Promise.race([sent, unread]);
      } finally {
        body.destroy();
      }
    });
    try {
      await written;
      this.#writtenAt = performance.now();
    } catch (error) {
      this.#writtenAt = Number.NEGATIVE_INFINITY;
      throw error;
    }
  }

  /** Pages of all that lies below `<three digits>/<below>`; partitions in any order, several at a time. */
  async *#listings(below: string, delimiter?: string): AsyncGenerator<ListObjectsV2CommandOutput> {
    const waiting = await this.#partitions();
    const running = new Map<string, Promise<{ name: string; page: ListObjectsV2CommandOutput }>>();
    const begin = (name: string, token?: string) => {
      const next = this.#page(`${name}/${below}`, delimiter, token).then((page) => ({ name, page }));
      // The consumer may have gone when it fails.
      next.catch(() => {});
      running.set(name, next);
    };
    for (;;) {
      while (running.size < maxListings && waiting.length > 0) begin(waiting.pop()!);
      if (running.size === 0) return;
      const { name, page } = await Promise.race(running.values());
      if (page.NextContinuationToken) begin(name, page.NextContinuationToken);
      else running.delete(name);
      yield page;
    }
  }

  /** The three digits that any key begins with. */
  async #partitions(): Promise<string[]> {
    const found: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.#page("", "/", token);
      for (const { Prefix = "" } of page.CommonPrefixes ?? []) {
        const name = Prefix.slice(this.#options.prefix.length, -1);
        if (partition.test(name)) found.push(name);
      }
      token = page.NextContinuationToken;
    } while (token);
    return found;
  }

  async #page(below: string, delimiter?: string, token?: string): Promise<ListObjectsV2CommandOutput> {
    const { bucket, prefix } = this.#options;
    const page = await this.#service.ask("list", ({ client, sdk, signal }) => {
      const input = { Bucket: bucket, Prefix: prefix + below, Delimiter: delimiter, ContinuationToken: token };
      return client.send(new sdk.ListObjectsV2Command(input), { abortSignal: signal });
    });
    if (!page) throw new BodiesAway(new Error("a listing was not found"));
    return page;
  }

  #place(key: ObjectKey): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: this.#name(key) };
  }

  #name({ day, sha256 }: ObjectKey): string {
    const hash = sha256.toString("hex");
    return `${this.#options.prefix}${hash.slice(0, 3)}/${day}/${hash}`;
  }
}

type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function* told(pieces: Pieces, alive: () => void): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    alive();
    yield piece;
  }
}

/** Fails when a piece takes longer than the limit; the consumer may take its time. */
async function* timely(body: Readable, limitMs: number): AsyncGenerator<Buffer> {
  const arm = () => setTimeout(() => body.destroy(new Error(`no more bytes within ${limitMs} ms`)), limitMs);
  let timer = arm();
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      yield piece;
      timer = arm();
    }
  } finally {
    clearTimeout(timer);
  }
}

async function collect(body: Readable, size: number, alive: () => void): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    alive();
    filled += piece.copy(bytes, filled);
  }
  if (filled < size) throw new Error(`${filled} of ${size} bytes came`);
  return bytes;
}

/** Undefined for the whole object. */
function rangeOf(start: number, end: number): string | undefined {
  if (start === 0 && end === Number.POSITIVE_INFINITY) return undefined;
  return `bytes=${start}-${Number.isFinite(end) ? Math.max(start, end - 1) : ""}`;
}

/** No byte of the object is in the range. */
function isBeyondEnd(error: unknown): boolean {
  return (error as { name?: string }).name === "InvalidRange";
}

/** An object with the name was there already, or is being written. */
function isTaken(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as { code?: string };
  return code === "PreconditionFailed" || code === "ConditionalRequestConflict";
}
