import { TooLarge } from "../store/blobs/blobs.ts";
import type { Reader } from "../store/core/store.ts";
import { maxSizeRead, type Services } from "./method.ts";

/** The bytes of a blob that a client names; undefined when it may read none such. What is too large for a message is not read. */
export async function readBlob(
  { blobs, limits }: Services,
  reader: Reader,
  blobId: string,
): Promise<Buffer | "tooLarge" | undefined> {
  try {
    return await blobs.read(reader, blobId, maxSizeRead(limits));
  } catch (error) {
    if (error instanceof TooLarge) return "tooLarge";
    throw error;
  }
}
