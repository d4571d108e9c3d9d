import { isAscii, isUtf8 } from "node:buffer";
import iconv from "iconv-lite";
import { view } from "./transfer.ts";

export interface Decoded {
  text: string;
  /** The charset was unknown, or some bytes were not of it. */
  problem: boolean;
}

const latin1 = new Set(["iso-8859-1", "latin1", "iso8859-1", "iso_8859-1", "l1", "cp819", "ibm819"]);
const utf8 = new Set(["utf-8", "utf8"]);
const ascii = new Set(["us-ascii", "ascii", "ansi_x3.4-1968"]);

/** iconv-lite also offers base64 and hex as "encodings"; a charset label must not reach them. */
const notCharsets = /^(base64|hex|binary|internal|_)/;

/** Iso-2022-jp and some rare labels. */
function platformDecoder(label: string): InstanceType<typeof TextDecoder> | undefined {
  try {
    return new TextDecoder(label, { ignoreBOM: true });
  } catch {
    return undefined;
  }
}

const normal = (charset: string): string => charset.trim().toLowerCase();

export function isKnownCharset(charset: string): boolean {
  const label = normal(charset);
  if (label === "" || label.length > 40 || notCharsets.test(label)) return false;
  if (ascii.has(label) || utf8.has(label)) return true;
  return iconv.encodingExists(label) || platformDecoder(label) !== undefined;
}

/** UTF-8 when it is that, else what most old mail without a label was written in. */
function guess(bytes: Buffer, problem: boolean): Decoded {
  return { text: isUtf8(bytes) ? bytes.toString("utf8") : iconv.decode(bytes, "windows-1252"), problem };
}

/** Never throws; malformed sections become U+FFFD. */
export function decodeCharset(input: Uint8Array, charset: string | null): Decoded {
  const bytes = view(input);
  if (charset === null) return guess(bytes, !isUtf8(bytes));
  if (!isKnownCharset(charset)) return guess(bytes, true);
  const label = normal(charset);
  if (ascii.has(label)) return guess(bytes, !isAscii(bytes));
  if (utf8.has(label)) return { text: bytes.toString("utf8"), problem: !isUtf8(bytes) };
  if (latin1.has(label)) return { text: iconv.decode(bytes, "windows-1252"), problem: false };
  try {
    const text = iconv.encodingExists(label) ? iconv.decode(bytes, label) : platformDecoder(label)!.decode(bytes);
    return { text, problem: text.includes("\ufffd") };
  } catch {
    return guess(bytes, true);
  }
}
