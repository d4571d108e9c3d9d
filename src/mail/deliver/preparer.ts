import { ThreadKind } from "../../base/threads.ts";
import { type BodyValue, bodyValue, type TextPart } from "../../mime/decode.ts";
import { type PreparedMessage, prepareMessage } from "./prepare.ts";

/** More bytes than these would hold up the event loop: they go to a worker thread. */
export const maxInline = 1_000_000;
/** In ms: many times what the largest message takes. */
const longest = 120_000;

/** Node runs the source, and the build runs what it was compiled to. */
const workerFile = new URL(`./prepare-worker${import.meta.url.slice(-3)}`, import.meta.url);

/** The body of a part is decoded; without one, the bytes are a message to be prepared. */
export interface Wanted {
  body?: { part: TextPart; maxBytes: number };
}

const threads = new ThreadKind<Wanted, unknown>(workerFile, longest);

/** `prepareMessage`, away from the event loop when the message is large. */
export async function prepare(message: Buffer): Promise<PreparedMessage> {
  if (message.length <= maxInline) return prepareMessage(message);
  const prepared = (await threads.run(message, {})) as PreparedMessage;
  // A Buffer comes through as a plain Uint8Array.
  return { ...prepared, header: prepared.header && Buffer.from(prepared.header) };
}

/** `bodyValue`, away from the event loop when the part is large. */
export async function decodeBody(raw: Buffer, part: TextPart, maxBytes: number): Promise<BodyValue> {
  if (raw.length <= maxInline) return bodyValue(raw, part, maxBytes);
  const { type, charset, encoding } = part;
  return (await threads.run(raw, { body: { part: { type, charset, encoding }, maxBytes } })) as BodyValue;
}
