import { createHash } from "node:crypto";
import { transferDecoder } from "../../mime/transfer-stream.ts";
import { BlobMissing } from "../core/errors.ts";
import type { BlobStep } from "./blob-id.ts";

/** Bytes [start, end). */
export interface ByteSpan {
  start: number;
  end: number;
}

/** Decodes a transfer encoding, piece by piece. */
export async function* decodePieces(
  pieces: AsyncIterable<Buffer>,
  encoding: BlobStep["encoding"],
): AsyncGenerator<Buffer> {
  const decoder = transferDecoder(encoding === "identity" ? "binary" : encoding);
  for await (const piece of pieces) {
    const decoded = decoder.push(piece);
    if (decoded.length > 0) yield decoded;
  }
  const rest = decoder.end();
  if (rest.length > 0) yield rest;
}

/** Yields the bytes inside the span; reads no further than its end. */
export async function* cutPieces(pieces: AsyncIterable<Buffer>, { start, end }: ByteSpan): AsyncGenerator<Buffer> {
  let at = 0;
  if (end <= start) return;
  for await (const piece of pieces) {
    const cut = piece.subarray(Math.max(0, start - at), end - at);
    at += piece.length;
    if (cut.length > 0) yield cut;
    if (at >= end) return;
  }
}

/**
 * Keeps the last piece back until the hash of all is right. Throws BlobMissing if it is not. `open` is called with the
 * first read: a generator that is given up before never closes what it was given.
 */
export async function* checked(open: () => AsyncIterable<Buffer>, sha256: Buffer): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let last: Buffer | undefined;
  for await (const piece of open()) {
    if (last) yield last;
    hash.update(piece);
    last = piece;
  }
  if (!hash.digest().equals(sha256)) throw new BlobMissing(`no intact object ${sha256.toString("hex")}`);
  if (last) yield last;
}

export async function sizeOfPieces(pieces: AsyncIterable<Buffer>): Promise<number> {
  let size = 0;
  for await (const piece of pieces) size += piece.length;
  return size;
}
