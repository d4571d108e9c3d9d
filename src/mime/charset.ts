import { isAscii, isUtf8 } from "node:buffer";
import iconv from "iconv-lite";
import { charsetNamed } from "./charset-label.ts";
import { decodeHz, decodeIso2022 } from "./iso2022.ts";
import { view } from "./view.ts";

export interface Decoded {
  text: string;
  /** The charset was unknown, or some bytes are invalid in it. */
  problem: boolean;
}

export const isAsciiName = (label: string): boolean => charsetNamed(label) === "us-ascii";

export const isKnownCharset = (label: string): boolean => charsetNamed(label) !== undefined;

function decodeKnown(bytes: Buffer, name: string): string {
  if (name === "iso-2022-jp" || name === "iso-2022-kr" || name === "iso-2022-cn") return decodeIso2022(bytes, name);
  if (name === "hz-gb-2312") return decodeHz(bytes);
  return iconv.decode(bytes, name === "iso-8859-1" ? "windows-1252" : name);
}

/** UTF-8 if the bytes are valid UTF-8, otherwise the charset of most old unlabelled mail. */
function guess(bytes: Buffer, problem: boolean): Decoded {
  // RFC 1468: old Japanese mail has no label, but begins every run of kanji with this sequence.
  if (isAscii(bytes) && (bytes.includes("\x1b$B") || bytes.includes("\x1b$@"))) {
    return { text: decodeIso2022(bytes, "iso-2022-jp"), problem };
  }
  return { text: isUtf8(bytes) ? bytes.toString("utf8") : iconv.decode(bytes, "windows-1252"), problem };
}

/** Decodes bytes; never throws. Malformed sequences become U+FFFD. */
export function decodeCharset(input: Uint8Array, charset: string | null): Decoded {
  const bytes = view(input);
  if (charset === null) return guess(bytes, !isUtf8(bytes));
  const name = charsetNamed(charset);
  if (name === undefined) return guess(bytes, true);
  if (name === "us-ascii") return guess(bytes, !isAscii(bytes));
  if (name === "utf-8") return { text: bytes.toString("utf8"), problem: !isUtf8(bytes) };
  try {
    const text = decodeKnown(bytes, name);
    return { text, problem: name !== "iso-8859-1" && text.includes("\ufffd") };
  } catch {
    return guess(bytes, true);
  }
}

/** How many characters at the cut end of a head may change when the rest follows, in multi-byte charsets. */
const unsure = 16;

/** True for bytes that every guess decodes the same way. */
function isPlain(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80 && byte !== 0x0e && byte !== 0x0f && byte !== 0x1b);
}

/** Removes a last UTF-8 character that was cut. */
export function wholeCharacters(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes.length - end < 4 && (bytes[end - 1]! & 0xc0) === 0x80) end--;
  return end > 0 && bytes[end - 1]! >= 0xc0 ? bytes.subarray(0, end - 1) : bytes;
}

/**
 * From the first bytes of a longer input: how `decodeCharset` of the whole begins; undefined when only the whole can
 * tell.
 */
export function decodeCharsetHead(bytes: Buffer, charset: string | null): Decoded | undefined {
  const name = charset === null ? undefined : charsetNamed(charset);
  if (name === "utf-8") return decodeCharset(wholeCharacters(bytes), name);
  if (name === "iso-8859-1") return decodeCharset(bytes, name);
  if (name === undefined || name === "us-ascii") return isPlain(bytes) ? decodeCharset(bytes, charset) : undefined;
  try {
    const text = decodeKnown(bytes, name).slice(0, -unsure);
    return { text, problem: text.includes("\ufffd") };
  } catch {
    return undefined;
  }
}
