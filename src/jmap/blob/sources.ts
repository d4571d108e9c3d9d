import type { Readable } from "node:stream";
import { decodeBlobId } from "../../store/blobs/blob-id.ts";
import { type StoredBlob, TooLarge } from "../../store/blobs/blobs.ts";
import { invalidProperties, SetError } from "../errors.ts";
import type { Call } from "../method.ts";
import { checker, describe, idOrReference, list, nullable, object, optional, text, unsignedInt } from "../schema.ts";
import type { JmapObject } from "../standard/type.ts";

/** How many pieces a blob may be assembled from, as the capability says. */
export const maxDataSources = 64;

interface Source {
  "data:asText"?: string | null;
  "data:asBase64"?: string | null;
  blobId?: string | null;
  offset?: number | null;
  length?: number | null;
}
export interface UploadObject {
  data: Source[];
  type?: string | null;
}

const checkUpload = checker(
  object({
    data: list(
      object({
        "data:asText": optional(nullable(text)),
        "data:asBase64": optional(nullable(text)),
        blobId: optional(nullable(idOrReference)),
        offset: optional(nullable(unsignedInt)),
        length: optional(nullable(unsignedInt)),
      }),
    ),
    type: optional(nullable(text)),
  }),
);

const given = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;

/** RFC 9404 §4.1: the creation ids that an upload's pieces name. */
export function creationIdsOf(upload: JmapObject): string[] {
  const sources = Array.isArray(upload.data) ? (upload.data as (Source | null)[]) : [];
  const blobIds = sources.map((source) => source?.blobId).filter((blobId) => typeof blobId === "string");
  return blobIds.filter((blobId) => blobId.startsWith("#")).map((blobId) => blobId.slice(1));
}

/** RFC 9404 §4.1: throws a SetError unless the value is exactly an UploadObject. */
export function checkUploadObject(value: JmapObject): UploadObject {
  const problem = checkUpload(value);
  if (problem) throw invalidProperties(describe(problem), problem.path.split("/")[1] ?? "data");
  const upload = value as unknown as UploadObject;
  if (upload.data.length > maxDataSources) throw invalidProperties(`at most ${maxDataSources} pieces`, "data");
  upload.data.forEach((source, index) => {
    const kinds = [source["data:asText"], source["data:asBase64"], source.blobId].filter(given);
    const isRanged = given(source.offset) || given(source.length);
    if (kinds.length !== 1)
      throw invalidProperties(`data/${index}: give exactly one of text, base64 and blobId`, "data");
    if (isRanged && !given(source.blobId)) throw invalidProperties(`data/${index}: only blobs have ranges`, "data");
  });
  return upload;
}

/** RFC 4648 §4, without line breaks. */
function decodeBase64(value: string): Buffer | undefined {
  const isSound = value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
  return isSound ? Buffer.from(value, "base64") : undefined;
}

/** Assembles the blobs of one call. */
export class Assembler {
  readonly #call: Call;
  /** Blobs assembled in this call, by creation id: the account does not refer to them yet. */
  readonly made = new Map<string, StoredBlob>();
  /** How many more bytes this call may read. */
  #left: number;

  constructor(call: Call) {
    this.#call = call;
    this.#left = 10 * call.services.limits.maxSizeUpload;
  }

  /** The blob is durable when this resolves. Throws a SetError. */
  async assemble({ data }: UploadObject): Promise<StoredBlob> {
    const { blobs, limits } = this.#call.services;
    const spool = blobs.spool(limits.maxSizeUpload);
    try {
      for (const [index, source] of data.entries()) {
        for await (const chunk of await this.#bytesOf(source, index)) await spool.write(chunk as Buffer);
      }
      return await spool.finish();
    } catch (error) {
      await spool.abort();
      if (!(error instanceof TooLarge)) throw error;
      throw new SetError("tooLarge", "the blob would be too large", { maxSize: limits.maxSizeUpload });
    }
  }

  async #bytesOf(source: Source, index: number): Promise<Iterable<Buffer> | Readable> {
    const { "data:asText": plain, "data:asBase64": base64, blobId } = source;
    if (given(plain)) {
      if (!plain.isWellFormed()) throw invalidProperties(`data/${index}: not Unicode text`, "data");
      return [Buffer.from(plain)];
    }
    if (given(base64)) {
      const bytes = decodeBase64(base64);
      if (!bytes) throw invalidProperties(`data/${index}: not base64`, "data");
      return [bytes];
    }
    return this.#range(blobId!, source, index);
  }

  /** RFC 9404 §4.1: a range beyond the blob's end makes the upload invalid. */
  async #range(blobId: string, source: Source, index: number): Promise<Iterable<Buffer> | Readable> {
    const start = source.offset ?? 0;
    const end = given(source.length) ? start + source.length : undefined;
    const { services, accountId, login, createdId } = this.#call;
    const name = blobId.startsWith("#") ? blobId.slice(1) : undefined;
    const fresh = name === undefined ? undefined : this.made.get(name);
    const wireId = name === undefined ? blobId : createdId(name);
    const opened =
      fresh || wireId === undefined
        ? undefined
        : await services.blobs.open(services.store.reader(accountId, login), wireId, {
            start,
            ...(end !== undefined && { end }),
          });
    const total = fresh?.size ?? opened?.total;
    if (total === undefined) throw new SetError("blobNotFound", "no such blob", { notFound: [blobId] });
    const isInside = start <= total && (end ?? total) <= total;
    // Undoing a transfer encoding takes reading the whole blob.
    const isEncoded = decodeBlobId(wireId ?? "")?.steps.some(({ encoding }) => encoding !== "identity");
    this.#left -= isEncoded ? total : (end ?? total) - start;
    if (!isInside || this.#left < 0) opened?.stream.destroy();
    if (!isInside) throw invalidProperties(`data/${index}: the blob has ${total} octets`, "data");
    if (this.#left < 0) throw new SetError("rateLimit", "too many octets would be copied in one call");
    return opened?.stream ?? [await services.blobs.readObject(fresh!, start, end ?? total)];
  }
}
