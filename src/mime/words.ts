import { decodeCharset, isKnownCharset } from "./charset.ts";
import { decodeTransfer } from "./transfer.ts";

interface EncodedWord {
  charset: string;
  bytes: Buffer;
}

const encodedWord = /^=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?\s]*)\?=$/;

function qBytes(text: string): Buffer {
  const bytes = text
    .replaceAll("_", " ")
    .replace(/=([0-9A-Fa-f]{2})/g, (_: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1");
}

/** RFC 2047 §2: the whole token must be an encoded word in a charset we know. */
function parseWord(token: string): EncodedWord | undefined {
  if (!token.startsWith("=?") || !token.endsWith("?=")) return undefined;
  const match = encodedWord.exec(token);
  if (match === null || !isKnownCharset(match[1]!)) return undefined;
  const body = match[3]!;
  // A Q word with raw 8-bit text cannot be bytes of its charset.
  if (/[^\x21-\x7e]/.test(body)) return undefined;
  const bytes = /[Bb]/.test(match[2]!) ? decodeTransfer(Buffer.from(body, "latin1"), "base64") : qBytes(body);
  return { charset: match[1]!.toLowerCase(), bytes };
}

/** RFC 8621 §4.1.2.2: drops encoded NUL and control characters. */
const decodeBytes = (bytes: Buffer[], charset: string): string =>
  decodeCharset(Buffer.concat(bytes), charset).text.replace(/[\x00-\x1f\x7f-\x9f]/g, "");

/**
 * RFC 2047 §6: decodes the encoded words of unfolded text. Removes white space between two of them, and joins their
 * bytes first if they share a charset, since many senders cut in the middle of a character.
 */
export function decodeWords(text: string): string {
  if (!text.includes("=?")) return text;
  let out = "";
  let gap = "";
  let pending: Buffer[] = [];
  let charset = "";
  let afterWord = false;
  const flush = (): void => {
    if (pending.length > 0) out += decodeBytes(pending, charset);
    pending = [];
  };
  for (const token of text.split(/([ \t\r\n]+)/)) {
    if (token === "") continue;
    if (/^[ \t\r\n]/.test(token)) {
      gap += token;
      continue;
    }
    const word = parseWord(token);
    if (word === undefined) {
      flush();
      out += gap + token;
    } else {
      if (!afterWord || word.charset !== charset) flush();
      if (!afterWord) out += gap;
      pending.push(word.bytes);
      charset = word.charset;
    }
    afterWord = word !== undefined;
    gap = "";
  }
  flush();
  return out + gap;
}

/**
 * True when `decodeWords` might find an encoded word in the text, which must then be encoded itself to be preserved.
 */
export function looksEncoded(text: string): boolean {
  return text.includes("=?");
}

const chars = (text: string): string[] => [...text.toWellFormed()];

function qEncode(text: string): string {
  let out = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const char = String.fromCharCode(byte);
    // RFC 2047 §5 (3): the characters that are safe even in a phrase.
    if (/[A-Za-z0-9!*+/-]/.test(char)) out += char;
    else out += byte === 0x20 ? "_" : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/**
 * RFC 2047 §2: `text` as encoded words of at most 75 characters, one per array item; never cuts a character. `taken`:
 * how much of the first word's line is used.
 */
export function encodeWords(text: string, taken = 0): string[] {
  const clean = text.toWellFormed();
  const bEncode = (piece: string): string => Buffer.from(piece, "utf8").toString("base64");
  const useQ = qEncode(clean).length <= bEncode(clean).length;
  const room = 75 - "=?utf-8?q??=".length;
  const words: string[] = [];
  const left = () => (words.length === 0 ? Math.max(room - taken, 12) : room);
  let piece = "";
  let cost = 0;
  const push = (): void => {
    words.push(`=?utf-8?${useQ ? "q" : "b"}?${useQ ? qEncode(piece) : bEncode(piece)}?=`);
    piece = "";
    cost = 0;
  };
  for (const char of chars(clean)) {
    const more = useQ ? qEncode(char).length : Buffer.byteLength(char);
    const length = useQ ? cost + more : Math.ceil((cost + more) / 3) * 4;
    if (length > left() && piece !== "") push();
    piece += char;
    cost += more;
  }
  push();
  return words;
}
