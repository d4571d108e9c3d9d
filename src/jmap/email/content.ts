import { type HeaderField, parseHeader } from "../../mime/headers.ts";
import type { Part, Range, TransferEncoding } from "../../mime/structure.ts";
import { type BlobStep, encodeBlobId } from "../../store/blobs/blob-id.ts";

/** How many bytes are searched for the header of a message. */
const headerSample = 1_000_000;

/** A message whose parts can be shown: a stored email, or a blob given to Email/parse. */
export interface MessageContent {
  /** A part's blob id is made of this blob, these steps and the part's own step. */
  sha256: Buffer;
  steps: BlobStep[];
  structure: Part;
  /** The message's own header block, if it has been read already. */
  header: Buffer | null;
  bytes(range: Range): Promise<Buffer>;
}

/** The first pieces are read one by one; later ones come out of larger reads. */
const readSingly = 4;
const readAtOnce = 262_144;

/** Reads the pieces of a stored message that a call shows: often just one, but there may be 20,000. */
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

/** A part's header fields. Those of the message itself need no read if the header has been read already. */
export async function headerFields(content: MessageContent, part: Part): Promise<HeaderField[]> {
  const atHand = part === content.structure && content.header;
  return parseHeader(atHand || (await content.bytes(part.header)));
}

/** Whether the bytes begin with a header field. If not, they cannot be repaired into a message (RFC 8621 §4.8, §4.9). */
export function isMessage(bytes: Buffer): boolean {
  return parseHeader(bytes.subarray(0, headerSample)).length > 0;
}
