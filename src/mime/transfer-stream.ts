import type { TransferEncoding } from "./structure.ts";
import { base64Chars, base64End, blanks, decodeTransfer, quotedPrintable, view } from "./transfer.ts";
import { type TransferDecoder, UuDecoder } from "./uuencode.ts";

/** `decodeTransfer` for bytes that come in pieces: the pieces it gives are together the same. */
export function transferDecoder(encoding: TransferEncoding): TransferDecoder {
  if (encoding === "base64") return new Base64Decoder();
  if (encoding === "quoted-printable") return new QuotedPrintableDecoder();
  if (encoding === "uuencode") return new UuDecoder();
  return { push: view, end: () => Buffer.alloc(0) };
}

/** Four characters make three bytes: up to three of them wait for the next piece. */
class Base64Decoder implements TransferDecoder {
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
    // A piece too short to complete what waited takes nothing from it.
    const isShort = !this.#ended && count < 4;
    const text = isShort ? "" : this.#waiting + view(bytes).toString("latin1", 0, cut);
    this.#waiting = isShort ? this.#waiting + kept : kept;
    return Buffer.from(text, "base64");
  }

  end(): Buffer {
    return Buffer.from(this.#waiting, "base64");
  }
}

class QuotedPrintableDecoder implements TransferDecoder {
  /** In pieces, since a run of blanks may be as long as the message: joined only when something follows it. */
  #waiting: Uint8Array[] = [];

  push(bytes: Uint8Array): Buffer {
    if (this.#waiting.length > 0 && blanks(bytes, 0).at === bytes.length) {
      // A copy: whoever gave the bytes may use them again.
      this.#waiting.push(Uint8Array.from(bytes));
      return Buffer.alloc(0);
    }
    const all = this.#waiting.length === 0 ? bytes : Buffer.concat([...this.#waiting, bytes]);
    const out = Buffer.allocUnsafe(all.length);
    const { size, read } = quotedPrintable(all, out, false);
    this.#waiting = read < all.length ? [Uint8Array.from(all.subarray(read))] : [];
    return out.subarray(0, size);
  }

  end(): Buffer {
    return decodeTransfer(Buffer.concat(this.#waiting), "quoted-printable");
  }
}
