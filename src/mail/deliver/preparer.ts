import { ThreadKind } from "../../base/threads.ts";
import { type BodyValue, bodyValue, type TextPart } from "../../mime/decode.ts";
import { type PreparedMessage, prepareMessage } from "./prepare.ts";

/** More bytes than these would block the event loop, so a worker thread handles them. */
export const maxInline = 1_000_000;
/** Many times what the largest message takes. */
const maxTimeMs = 120_000;

/** The extension of this file: .ts when Node runs the source, .js in the build. */
const workerFile = new URL(`./prepare-worker${import.meta.url.slice(-3)}`, import.meta.url);

/** With `body`, the bytes are a part to be decoded; without it, a message to be prepared. */
export interface Wanted {
  isScanned?: boolean;
  body?: { part: TextPart; maxBytes: number };
}

const threads = new ThreadKind<Wanted, unknown>(workerFile, maxTimeMs);

/** Runs `prepareMessage`, in a worker thread when the message is large. */
export async function prepare(message: Buffer, wanted: { isScanned?: boolean } = {}): Promise<PreparedMessage> {
  if (message.length <= maxInline) return prepareMessage(message, wanted);
  const prepared = (await threads.run(message, wanted)) as PreparedMessage;
  // A Buffer arrives from the thread as a plain Uint8Array.
  return { ...prepared, header: prepared.header && Buffer.from(prepared.header) };
}

/** Runs `bodyValue`, in a worker thread when the part is large. */
export async function decodeBody(raw: Buffer, part: TextPart, maxBytes: number): Promise<BodyValue> {
  if (raw.length <= maxInline) return bodyValue(raw, part, maxBytes);
  const { type, charset, encoding } = part;
  return (await threads.run(raw, { body: { part: { type, charset, encoding }, maxBytes } })) as BodyValue;
}
