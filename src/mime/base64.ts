import type { TransferDecoder } from "./transfer-decoder.ts";
import { view } from "./view.ts";

/** 1 for each character of base64 and base64url: Buffer decodes both. */
const base64Chars = new Uint8Array(256);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_") {
  base64Chars[char.charCodeAt(0)] = 1;
}

const EQUALS = 0x3d;

/** RFC 2045 §6.8: padding ends the data, whatever a mailing list has appended. */
function base64End(bytes: Uint8Array): number {
  const end = bytes.indexOf(EQUALS);
  return end === -1 ? bytes.length : end;
}

export function base64Size(bytes: Uint8Array): number {
  const end = base64End(bytes);
  let chars = 0;
  for (let at = 0; at < end; at++) chars += base64Chars[bytes[at]!]!;
  return Math.floor((chars * 3) / 4);
}

/** RFC 2045 §6.8: characters outside the alphabet are ignored. */
export function decodeBase64(bytes: Uint8Array): Buffer {
  const end = base64End(bytes);
  return Buffer.from(view(bytes).toString("latin1", 0, end), "base64");
}

/** Four characters make three bytes, so up to three characters wait for the next piece. */
export class Base64Decoder implements TransferDecoder {
  #waiting = "";
  #ended = false;

  push(bytes: Uint8Array): Buffer {
    if (this.#ended) return Buffer.alloc(0);
    const end = base64End(bytes);
    this.#ended = end < bytes.length;
    let count = this.#waiting.length;
    for (let at = 0; at < end; at++) count += base64Chars[bytes[at]!]!;
    let cut = end;
    let kept = "";
    for (let over = this.#ended ? 0 : count % 4; over > 0 && cut > 0; ) {
      const byte = bytes[--cut]!;
      if (base64Chars[byte] === 0) continue;
      kept = String.fromCharCode(byte) + kept;
      over--;
    }
    // A piece too short to complete the waiting characters uses none of them.
    const isShort = !this.#ended && count < 4;
    const text = isShort ? "" : this.#waiting + view(bytes).toString("latin1", 0, cut);
    this.#waiting = isShort ? this.#waiting + kept : kept;
    return Buffer.from(text, "base64");
  }

  end(): Buffer {
    return Buffer.from(this.#waiting, "base64");
  }
}

/** RFC 2045 §6.8, in lines of 76 characters. */
export function encodeBase64(bytes: Uint8Array): Buffer {
  const text = view(bytes).toString("base64");
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += 76) lines.push(text.slice(at, at + 76));
  return Buffer.from(lines.join("\r\n"), "latin1");
}
