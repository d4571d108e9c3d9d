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

/** ISO-2022-JP with more characters, which the decoder knows by the plain name. */
const jis = /^(iso-2022-jp(-[123]|-ms|-2004)?|csiso2022jp|cp5022[01])$/;

/** Iso-2022-jp and some rare labels. */
function platformDecoder(charset: string): InstanceType<typeof TextDecoder> | undefined {
  const label = jis.test(charset) ? "iso-2022-jp" : charset;
  try {
    return new TextDecoder(label, { ignoreBOM: true });
  } catch {
    return undefined;
  }
}

const normal = (charset: string): string => charset.trim().toLowerCase();

export const isAsciiName = (charset: string): boolean => ascii.has(normal(charset));

export function isKnownCharset(charset: string): boolean {
  const label = normal(charset);
  if (label === "" || label.length > 40 || notCharsets.test(label)) return false;
  if (ascii.has(label) || utf8.has(label)) return true;
  return iconv.encodingExists(label) || platformDecoder(label) !== undefined;
}

/** Joined encoded words change the set twice in a row, which the decoder takes for an error. */
function decodeJis(bytes: Buffer): string {
  const text = bytes.toString("latin1").replace(/\x1b(?:\([BIJ]|\$[@B])(?=\x1b[($])/g, "");
  return platformDecoder("iso-2022-jp")!.decode(Buffer.from(text, "latin1"));
}

function decodeKnown(bytes: Buffer, label: string): string {
  if (jis.test(label)) return decodeJis(bytes);
  return iconv.encodingExists(label) ? iconv.decode(bytes, label) : platformDecoder(label)!.decode(bytes);
}

/** UTF-8 when it is that, else what most old mail without a label was written in. */
function guess(bytes: Buffer, problem: boolean): Decoded {
  // RFC 1468: old Japanese mail has no label, but begins every run of kanji so.
  if (isAscii(bytes) && (bytes.includes("\x1b$B") || bytes.includes("\x1b$@"))) {
    return { text: decodeJis(bytes), problem };
  }
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
    const text = decodeKnown(bytes, label);
    return { text, problem: text.includes("\ufffd") };
  } catch {
    return guess(bytes, true);
  }
}

/** Decoders for several bytes a character, told that all ends where the head was cut, say at most so much about it. */
const unsure = 16;

/** Bytes that every guess reads the same way. */
function isPlain(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80 && byte !== 0x0e && byte !== 0x0f && byte !== 0x1b);
}

/** Without a last UTF-8 character that was cut in two. */
export function wholeCharacters(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes.length - end < 4 && (bytes[end - 1]! & 0xc0) === 0x80) end--;
  return end > 0 && bytes[end - 1]! >= 0xc0 ? bytes.subarray(0, end - 1) : bytes;
}

/** From the first bytes of many: how `decodeCharset` of all begins; undefined where only all can tell. */
export function decodeCharsetHead(bytes: Buffer, charset: string | null): Decoded | undefined {
  const label = charset === null ? "" : normal(charset);
  if (utf8.has(label)) return decodeCharset(wholeCharacters(bytes), label);
  if (latin1.has(label)) return decodeCharset(bytes, label);
  if (charset === null || ascii.has(label) || !isKnownCharset(charset)) {
    return isPlain(bytes) ? decodeCharset(bytes, charset) : undefined;
  }
  try {
    const text = decodeKnown(bytes, label).slice(0, -unsure);
    return { text, problem: text.includes("\ufffd") };
  } catch {
    return undefined;
  }
}
