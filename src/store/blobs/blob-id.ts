import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { decodeId, encodeId } from "../../base/ids.ts";

/** A step into a body: cut out bytes [start, end), then decode the transfer encoding. */
export interface BlobStep {
  start: number;
  end: number;
  encoding: "identity" | "base64" | "quoted-printable" | "uuencode";
}

/** Parts nested deeper are stored as blobs of their own. */
export const maxBlobSteps = 4;

const letters = { identity: "i", base64: "b", "quoted-printable": "q", uuencode: "u" } as const;
const encodings = new Map<string, BlobStep["encoding"]>([
  ["i", "identity"],
  ["b", "base64"],
  ["q", "quoted-printable"],
  ["u", "uuencode"],
]);
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const hashLength = 52;

/** RFC 8620 §1.2: "b", the hash in base 32, then for each step e.g. "-i0_1f". Lower case, at most 157 characters. */
export function encodeBlobId(sha256: Buffer, steps: BlobStep[] = []): string {
  if (steps.length > maxBlobSteps) throw new RangeError(`a blob id has at most ${maxBlobSteps} steps`);
  return `b${encodeHash(sha256)}${steps.map(encodeStep).join("")}`;
}

/** Undefined for any text that `encodeBlobId` would not write. */
export function decodeBlobId(text: string): { sha256: Buffer; steps: BlobStep[] } | undefined {
  const [head = "", ...tail] = text.split("-");
  if (!head.startsWith("b") || head.length !== hashLength + 1 || tail.length > maxBlobSteps) return undefined;
  const sha256 = decodeHash(head.slice(1));
  const steps = tail.map(decodeStep);
  if (!sha256 || steps.includes(undefined)) return undefined;
  return { sha256, steps: steps as BlobStep[] };
}

export function sha256Of(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function encodeStep({ start, end, encoding }: BlobStep): string {
  return `-${letters[encoding]}${encodeId("", start)}_${encodeId("", end)}`;
}

function decodeStep(text: string): BlobStep | undefined {
  const encoding = encodings.get(text.slice(0, 1));
  const [from = "", to = "", ...rest] = text.slice(1).split("_");
  const start = decodeId("", from);
  const end = decodeId("", to);
  if (!encoding || rest.length > 0 || start === undefined || end === undefined || end < start) return undefined;
  return { start, end, encoding };
}

function encodeHash(sha256: Buffer): string {
  // A flat string: one built letter by letter takes twenty times the memory, and thousands of parts have an id each.
  const text = globalThis.Buffer.allocUnsafe(hashLength);
  let at = 0;
  let bits = 0;
  let held = 0;
  for (const byte of sha256) {
    bits = (bits << 8) | byte;
    for (held += 8; held >= 5; held -= 5) text[at++] = alphabet.charCodeAt((bits >> (held - 5)) & 31);
    bits &= (1 << held) - 1;
  }
  text[at] = alphabet.charCodeAt((bits << (5 - held)) & 31);
  return text.toString("latin1");
}

function decodeHash(text: string): Buffer | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const char of text) {
    const value = alphabet.indexOf(char);
    if (value < 0) return undefined;
    bits = (bits << 5) | value;
    held += 5;
    if (held >= 8) {
      held -= 8;
      bytes.push(bits >> held);
      bits &= (1 << held) - 1;
    }
  }
  // 52 characters carry four bits more than the hash; they must be zero, so that each hash has one id.
  return bits === 0 && bytes.length === 32 ? globalThis.Buffer.from(bytes) : undefined;
}
