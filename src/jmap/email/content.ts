import { type HeaderField, parseHeader } from "../../mime/headers.ts";
import type { Part, Range, TransferEncoding } from "../../mime/structure.ts";
import { type BlobStep, encodeBlobId } from "../../store/blobs/blob-id.ts";

/** How much of a message its header fields are looked for in. */
const headerSample = 1_000_000;

/** A message whose parts can be shown: a stored email, or bytes given to Email/parse. */
export interface MessageContent {
  /** Blob ids of its parts: this blob, then these steps, then the part's own. */
  sha256: Buffer;
  steps: BlobStep[];
  structure: Part;
  /** The message's own header block, when it is at hand. */
  header: Buffer | null;
  bytes(range: Range): Promise<Buffer>;
}

/** The first pieces are read as they are asked for; who asks for more gets them from larger reads, one after another. */
const readSingly = 4;
const readAtOnce = 262_144;

/** The pieces of a stored message that a call shows: often one, and once in a while each of 20,000 parts. */
export function piecesOf(read: (start: number, end: number) => Promise<Buffer>, size: number): MessageContent["bytes"] {
  let asked = 0;
  let held: { start: number; end: number; bytes: Promise<Buffer> } | undefined;
  return async ({ start, end }) => {
    if (!held || start < held.start || end > held.end) {
      if (++asked <= readSingly || end - start > readAtOnce) return read(start, end);
      const until = Math.min(start + readAtOnce, size);
      held = { start, end: until, bytes: read(start, until) };
    }
    const { start: from, bytes } = held;
    return (await bytes).subarray(start - from, end - from);
  };
}

function stepOf(encoding: TransferEncoding): BlobStep["encoding"] {
  const isEncoded = encoding === "base64" || encoding === "quoted-printable" || encoding === "uuencode";
  return isEncoded ? encoding : "identity";
}

export function partBlobId(content: MessageContent, part: Part): string | null {
  if (part.parts) return null;
  return encodeBlobId(content.sha256, [...content.steps, { ...part.body, encoding: stepOf(part.encoding) }]);
}

/** The header fields of a part; the root's need no read when the header is at hand. */
export async function headerFields(content: MessageContent, part: Part): Promise<HeaderField[]> {
  const atHand = part === content.structure && content.header;
  return parseHeader(atHand || (await content.bytes(part.header)));
}

/** Bytes that begin with a header field; anything else is no message, however much one repairs (RFC 8621 §4.8, §4.9). */
export function isMessage(bytes: Buffer): boolean {
  return parseHeader(bytes.subarray(0, headerSample)).length > 0;
}
