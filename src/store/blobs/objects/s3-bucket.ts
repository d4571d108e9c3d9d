import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { ListObjectsV2CommandOutput, PutObjectCommandInput } from "@aws-sdk/client-s3";
import { BlobMissing, BodiesAway } from "../../core/errors.ts";
import { sha256Of } from "../blob-id.ts";
import { isRefusal, NotTheService, S3Service, type S3ServiceOptions } from "./s3-service.ts";

export interface S3BucketOptions extends S3ServiceOptions {
  bucket: string;
  /** Before every name: "" or a path that ends in a slash. */
  prefix: string;
  /** With the id of a key only for aws:kms. (Default: what the bucket does by itself) */
  encryption: { algorithm: "AES256" | "aws:kms"; keyId: string | undefined } | undefined;
}

/** What is written. */
export interface Content {
  sha256: Buffer;
  /** In bytes. */
  size: number;
  /** A function gives the pieces for each attempt. */
  pieces: Uint8Array | (() => Pieces);
}

type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A listed object. */
export interface Listed {
  name: string;
  size: number;
}

/** What is larger is sent in pieces, so that a slow network is told from a dead one. */
const maxAtOnceBytes = 1024 * 1024;
const pieceBytes = 256 * 1024;
/** How often a stream is opened again without a byte of progress. */
const maxFruitless = 3;
/** How many listings run at a time. */
const maxListings = 16;
/** A write that succeeded shows for this long that writing works, unless another failed since. */
const writtenForMs = 60_000;
const partition = /^[0-9a-f]{3}$/;

/** The objects in a bucket below a prefix, by name. Whatever fails is BodiesAway. */
export class S3Bucket {
  readonly #options: S3BucketOptions;
  readonly #service: S3Service;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(options: S3BucketOptions) {
    this.#options = options;
    this.#service = new S3Service(options);
  }

  /** Bytes [start, end), or fewer if the object is shorter; undefined when there is no such object. */
  read(name: string, start = 0, end = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    return this.#service.ask("get", async ({ client, sdk, signal, alive }) => {
      const range = rangeOf(start, end);
      const command = new sdk.GetObjectCommand({ ...this.#place(name), ...(range && { Range: range }) });
      try {
        const { Body, ContentLength = 0 } = await client.send(command, { abortSignal: signal });
        return await collect(Body as Readable, ContentLength, alive);
      } catch (error) {
        if (isBeyondEnd(error)) return Buffer.alloc(0);
        throw error;
      }
    });
  }

  /** The whole object, with the tag that names this version of it. */
  readTagged(name: string): Promise<{ bytes: Buffer; tag: string } | undefined> {
    return this.#service.ask("get", async ({ client, sdk, signal, alive }) => {
      const command = new sdk.GetObjectCommand(this.#place(name));
      const { Body, ContentLength = 0, ETag = "" } = await client.send(command, { abortSignal: signal });
      // Without the quotes: Ceph's gateway compares the condition of a write with the bare tag, others take either.
      return { bytes: await collect(Body as Readable, ContentLength, alive), tag: ETag.replaceAll('"', "") };
    });
  }

  stream(name: string, start: number, end: number): Readable {
    return Readable.from(this.#pieces(name, start, end), { objectMode: false, highWaterMark: pieceBytes });
  }

  /** When the connection is lost on the way, goes on where it was. */
  async *#pieces(name: string, start: number, end: number): AsyncGenerator<Buffer> {
    let fruitless = 0;
    for (let at = start; at < end; ) {
      const body = await this.#openAt(name, at, end);
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

  async #openAt(name: string, start: number, end: number): Promise<Readable> {
    const body = await this.#service.ask("get", async ({ client, sdk, signal }) => {
      const command = new sdk.GetObjectCommand({ ...this.#place(name), Range: rangeOf(start, end) ?? "bytes=0-" });
      const { Body } = await client.send(command, { abortSignal: signal });
      return Body as Readable;
    });
    if (!body) throw new BlobMissing(`no object ${name}`);
    return body;
  }

  /** Undefined when there is no such object. */
  size(name: string): Promise<number | undefined> {
    return this.#service.ask("head", async ({ client, sdk, signal }) => {
      const { ContentLength } = await client.send(new sdk.HeadObjectCommand(this.#place(name)), {
        abortSignal: signal,
      });
      return ContentLength ?? 0;
    });
  }

  async remove(name: string): Promise<void> {
    await this.#service.ask("delete", ({ client, sdk, signal }) =>
      client.send(new sdk.DeleteObjectCommand(this.#place(name)), { abortSignal: signal }),
    );
  }

  /**
   * The service compares what arrives with the hash. False when the condition is not met: that there is no such object
   * (`isNew`), or that it is the version with this tag.
   */
  async put(name: string, content: Content, condition: { isNew?: boolean; tag?: string } = {}): Promise<boolean> {
    const { encryption } = this.#options;
    const input: PutObjectCommandInput = {
      ...this.#place(name),
      ContentLength: content.size,
      ...(condition.isNew && { IfNoneMatch: "*" }),
      ...(condition.tag !== undefined && { IfMatch: condition.tag }),
      ...(encryption && { ServerSideEncryption: encryption.algorithm }),
      ...(encryption?.keyId !== undefined && { SSEKMSKeyId: encryption.keyId }),
    };
    const { pieces, sha256 } = content;
    const written = this.#service.ask("put", async ({ client, sdk, signal, alive }) => {
      const body = pieces instanceof Uint8Array ? pieces : Readable.from(told(pieces(), alive));
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
      if (!(body instanceof Readable)) return await sent;
      const unread = new Promise<never>((_, reject) => body.once("error", (error) => reject(new NotTheService(error))));
      try {
        return await Promise.race([sent, unread]);
      } finally {
        body.destroy();
      }
    });
    try {
      // Undefined for 404: the object with the tag is gone.
      const isWritten = (await written) !== undefined;
      if (!isWritten && condition.tag === undefined) throw new BodiesAway(new Error("404 to a write"));
      this.#writtenAt = performance.now();
      return isWritten;
    } catch (error) {
      if (isUnmet(error)) return false;
      this.#writtenAt = Number.NEGATIVE_INFINITY;
      throw error;
    }
  }

  /** Why nothing can be written, in a word or two. Writes a small object, unless a write has succeeded lately. */
  async check(): Promise<string | undefined> {
    if (performance.now() - this.#writtenAt < writtenForMs) return undefined;
    try {
      await this.put("probe", contentOf(Buffer.from("probe")));
      return undefined;
    } catch (error) {
      return isRefusal(error as Error) ? "can't be written" : "can't be reached";
    }
  }

  /** All below `<three hex digits>/<below>`, in any order. Names of another form are listed too. */
  async *list(below: string): AsyncGenerator<Listed[]> {
    for await (const { Contents = [] } of this.#listings(below)) {
      yield Contents.map(({ Key = "", Size = 0 }) => ({ name: this.#own(Key), size: Size }));
    }
  }

  /** The names of the folders `<three hex digits>/<name>/`, in any order, each as often as it is there. */
  async *folders(): AsyncGenerator<string> {
    for await (const { CommonPrefixes = [] } of this.#listings("", "/")) {
      for (const { Prefix = "" } of CommonPrefixes) yield this.#own(Prefix).slice(4, -1);
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
        const name = this.#own(Prefix).slice(0, -1);
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

  #place(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: this.#options.prefix + name };
  }

  #own(key: string): string {
    return key.slice(this.#options.prefix.length);
  }
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

export function contentOf(bytes: Uint8Array, sha256: Buffer = sha256Of(bytes)): Content {
  const size = bytes.length;
  return { sha256, size, pieces: size > maxAtOnceBytes ? () => piecesOf(bytes) : bytes };
}

/** Of a file of at most 1 MB, its bytes are read at once. */
export async function contentOfFile(path: string, sha256: Buffer): Promise<Content> {
  const { size } = await stat(path);
  if (size <= maxAtOnceBytes) return contentOf(await readFile(path), sha256);
  return { sha256, size, pieces: () => createReadStream(path, { highWaterMark: pieceBytes }) };
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** The condition of a write is not met, or another write with one is under way. */
function isUnmet(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as { code?: string };
  return code === "PreconditionFailed" || code === "ConditionalRequestConflict";
}
