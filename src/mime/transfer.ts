import { base64Size, decodeBase64, encodeBase64 } from "./base64.ts";
import type { TransferEncoding } from "./structure.ts";
import { decodeUu, uuSize } from "./uuencode.ts";
import { view } from "./view.ts";

const EQUALS = 0x3d;

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const upper = byte & 0xdf;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1;
}

/** Skips the blanks from `at`, and tells whether a line (or the data) ends there. */
export function blanks(bytes: Uint8Array, at: number): { at: number; lineEnd: boolean } {
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  const next = bytes[at];
  return { at, lineEnd: next === undefined || next === 0x0a || (next === 0x0d && bytes[at + 1] === 0x0a) };
}

/**
 * RFC 2045 §6.7. Writes to `out` if given; the length is the same either way, so size and bytes agree. If more follows
 * (`isLast` false), stops before what the rest will decide, and returns how much it has read.
 */
export function quotedPrintable(
  bytes: Uint8Array,
  out: Uint8Array | undefined,
  isLast = true,
): { size: number; read: number } {
  let size = 0;
  const length = bytes.length;
  for (let at = 0; at < length; ) {
    let byte = bytes[at]!;
    let next = at + 1;
    if (byte === EQUALS) {
      const value = hexValue(bytes[at + 1]) * 16 + hexValue(bytes[at + 2]);
      if (value >= 0 && hexValue(bytes[at + 1]) >= 0 && hexValue(bytes[at + 2]) >= 0) {
        byte = value;
        next = at + 3;
      } else {
        const line = blanks(bytes, next);
        if (!isLast && (at + 2 >= length || isOpen(bytes, line.at))) return { size, read: at };
        if (line.lineEnd) {
          at = line.at + (bytes[line.at] === 0x0d ? 2 : 1);
          continue;
        }
      }
    } else if (byte === 0x20 || byte === 0x09) {
      // Blanks at the end of a line were added in transit and are removed; others are copied at once, so that a run is
      // scanned once.
      const run = blanks(bytes, at);
      if (!isLast && isOpen(bytes, run.at)) return { size, read: at };
      if (!run.lineEnd) {
        out?.set(bytes.subarray(at, run.at), size);
        size += run.at - at;
      }
      at = run.at;
      continue;
    }
    if (out !== undefined) out[size] = byte;
    size++;
    at = next;
  }
  return { size, read: length };
}

/** True at the end of the bytes or at the first half of a line break. */
function isOpen(bytes: Uint8Array, at: number): boolean {
  return at >= bytes.length || (at + 1 === bytes.length && bytes[at] === 0x0d);
}

/** RFC 2045 §6. An unknown encoding counts as none (RFC 8621 §4.1.4). */
export function decodeTransfer(bytes: Uint8Array, encoding: TransferEncoding): Buffer {
  if (encoding === "base64") return decodeBase64(bytes);
  if (encoding === "uuencode") return decodeUu(view(bytes));
  if (encoding !== "quoted-printable") return view(bytes);
  const out = Buffer.allocUnsafe(bytes.length);
  return out.subarray(0, quotedPrintable(bytes, out).size);
}

/** The number of bytes that `decodeTransfer` would return. */
export function decodedSize(bytes: Uint8Array, encoding: TransferEncoding): number {
  if (encoding === "base64") return base64Size(bytes);
  if (encoding === "uuencode") return uuSize(view(bytes));
  return encoding === "quoted-printable" ? quotedPrintable(bytes, undefined).size : bytes.length;
}

const hexDigits = Buffer.from("0123456789ABCDEF", "latin1");
const maxEncodedLine = 75;

/**
 * True for an octet that careless relays change at the start of a line: a dot, "From ", and what looks like a boundary.
 */
const isRisky = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0x2e || bytes[at] === 0x46 || (bytes[at] === 0x2d && bytes[at + 1] === 0x2d);

/** RFC 2045 §6.7: CRLF stays a line break; lines of 76 characters at most. */
export function encodeQuotedPrintable(bytes: Uint8Array): Buffer {
  // At worst three characters per octet, and a soft line break of three after each 73.
  const out = Buffer.allocUnsafe(bytes.length * 3 + Math.ceil((bytes.length * 3) / 73) * 3);
  let size = 0;
  let column = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === 0x0d && bytes[at + 1] === 0x0a) {
      out[size++] = 0x0d;
      out[size++] = 0x0a;
      column = 0;
      at++;
      continue;
    }
    const blank = byte === 0x20 || byte === 0x09;
    const lineEnd = at + 1 === bytes.length || (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a);
    const plain = (byte > 0x20 && byte < 0x7f && byte !== EQUALS) || (blank && !lineEnd);
    const isEncoded = !plain || (column === 0 && isRisky(bytes, at));
    if (column + (isEncoded ? 3 : 1) > maxEncodedLine) {
      out[size++] = EQUALS;
      out[size++] = 0x0d;
      out[size++] = 0x0a;
      column = 0;
      at--;
      continue;
    }
    if (isEncoded) {
      out[size++] = EQUALS;
      out[size++] = hexDigits[byte >> 4]!;
      out[size++] = hexDigits[byte & 15]!;
    } else out[size++] = byte;
    column += isEncoded ? 3 : 1;
  }
  return out.subarray(0, size);
}

/** Encodes text in what suits it: base64 is shorter for most scripts except Latin; quoted-printable stays legible. */
export function encodeText(bytes: Uint8Array): { bytes: Buffer; encoding: "base64" | "quoted-printable" } {
  let odd = 0;
  for (const byte of bytes) if (byte > 0x7e || byte === 0) odd++;
  return odd * 3 > bytes.length
    ? { bytes: encodeBase64(bytes), encoding: "base64" }
    : { bytes: encodeQuotedPrintable(bytes), encoding: "quoted-printable" };
}
